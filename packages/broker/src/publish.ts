// Publishes what happens in a broker: as a log record and as an event. An exception of one does not stop the other.

import { guarded, type Logger } from "@pigato/peer";
import { display } from "@pigato/protocol";
import type { RejectionCode } from "@pigato/transport";
import type { EventEmitter } from "eventemitter3";
import type { BrokerEvent } from "./core/effects.ts";
import { shownPeer } from "./core/peer-names.ts";
import type { BrokerEvents, ConnectionRejected } from "./events.ts";
import type { LogLimit } from "./log-limit.ts";

type Level = "debug" | "info" | "warn" | "error";
type PeerEvent = BrokerEvent & { readonly type: "worker-up" | "worker-down" | "client-up" | "client-down" };
type FaultEvent = BrokerEvent & { readonly type: "store-failed" | "violation" | "dropped" };
type RequestEvent = Exclude<BrokerEvent, PeerEvent | FaultEvent>;
type RequestFields = Pick<BrokerEvent & { readonly type: "request-failed" }, "client" | "service" | "requestId">;

/** Where a broker publishes. */
export interface Publication {
  readonly emitter: EventEmitter<BrokerEvents>;
  readonly logger: Logger;
}

/** What a flood of connections causes, as often as it tries. */
const FLOOD_CODES: ReadonlySet<RejectionCode> = new Set([
  "TOO_MANY_CONNECTIONS",
  "TOO_MANY_FROM_ADDRESS",
  "OUT_OF_DESCRIPTORS",
  "ACCEPT_FAILED",
  "IDLE",
]);

/** @param limit limits the lines of a flood. Every rejection is an event. */
export function publishRejection(
  { emitter, logger }: Publication,
  rejected: ConnectionRejected,
  limit: LogLimit,
): void {
  const { cause, ...fields } = rejected;
  const { code, listener } = rejected;
  const omitted = FLOOD_CODES.has(code) ? limit.next(`${listener} ${code}`) : 0;
  if (omitted !== undefined) {
    const extra = { ...(cause !== undefined && { err: cause }), ...(omitted > 0 && { omitted }) };
    log(logger, "warn", { ...fields, ...extra }, "connection rejected");
  }
  emitter.emit("connection:rejected", rejected);
}

/** Publishes an event of the core. */
export function publish(to: Publication, event: BrokerEvent): void {
  switch (event.type) {
    case "worker-up":
    case "worker-down":
    case "client-up":
    case "client-down":
      return publishPeer(to, event);
    case "store-failed":
    case "violation":
    case "dropped":
      return publishFault(to, event);
    default:
      return publishRequest(to, event);
  }
}

function publishPeer({ emitter, logger }: Publication, event: PeerEvent): void {
  switch (event.type) {
    case "worker-up": {
      const fields = { worker: shownPeer(event.worker), service: display(event.service) };
      log(logger, "info", fields, "worker joined");
      return void emitter.emit("worker:join", fields);
    }
    case "worker-down": {
      const fields = { worker: shownPeer(event.worker), service: display(event.service), reason: event.reason };
      log(logger, "info", fields, "worker left");
      return void emitter.emit("worker:leave", fields);
    }
    case "client-up": {
      const fields = { client: shownPeer(event.client) };
      log(logger, "debug", fields, "client joined");
      return void emitter.emit("client:join", fields);
    }
    case "client-down": {
      const fields = { client: shownPeer(event.client), reason: event.reason };
      log(logger, "debug", fields, "client left");
      return void emitter.emit("client:leave", fields);
    }
    default:
      event satisfies never;
  }
}

const REQUEST_EVENTS = {
  "request-cached": { level: "debug", text: "reply sent from the cache", name: "request:cached" },
  "request-restored": { level: "info", text: "request restored", name: "request:restored" },
  "reply-held": { level: "info", text: "reply held", name: "reply:held" },
  "reply-delivered": { level: "info", text: "held reply delivered", name: "reply:delivered" },
} as const;

function publishRequest({ emitter, logger }: Publication, event: RequestEvent): void {
  switch (event.type) {
    case "request-failed": {
      const fields = { ...requestFields(event), code: event.code };
      log(logger, "debug", fields, "request failed");
      return void emitter.emit("request:failed", fields);
    }
    case "request-requeued": {
      const { service, requestId, worker } = event;
      const fields = { service: display(service), requestId: display(requestId), worker: shownPeer(worker) };
      log(logger, "info", fields, "request requeued");
      return void emitter.emit("request:requeued", fields);
    }
    case "request-exhausted": {
      const fields = { ...requestFields(event), worker: shownPeer(event.worker), dispatches: event.dispatches };
      log(logger, "warn", fields, "request failed: it lost too many workers");
      return void emitter.emit("request:exhausted", fields);
    }
    default: {
      const { level, text, name } = REQUEST_EVENTS[event.type];
      const fields = requestFields(event);
      log(logger, level, fields, text);
      return void emitter.emit(name, fields);
    }
  }
}

function publishFault({ emitter, logger }: Publication, event: FaultEvent): void {
  switch (event.type) {
    case "store-failed": {
      const { operation, key, reason } = event;
      const fields = { operation, key, reason };
      log(logger, "error", fields, "the store failed");
      return void emitter.emit("store:failed", fields);
    }
    case "violation": {
      const { clause, detail } = event.violation;
      const fields = { peer: shownPeer(event.peer), clause, detail };
      log(logger, "warn", fields, "protocol violation");
      return void emitter.emit("violation", fields);
    }
    case "dropped": {
      const { reason, requestId } = event;
      const shownId = requestId === undefined ? undefined : display(requestId);
      const fields = { peer: shownPeer(event.peer), reason, requestId: shownId };
      log(logger, "debug", fields, "message dropped");
      return void emitter.emit("drop", fields);
    }
    default:
      event satisfies never;
  }
}

function log(logger: Logger, level: Level, fields: object, text: string): void {
  guarded(() => logger[level](fields, text));
}

/** The fields that every event about a request has, as text. */
function requestFields({ client, service, requestId }: RequestFields): Record<keyof RequestFields, string> {
  return { client: shownPeer(client), service: display(service), requestId: display(requestId) };
}
