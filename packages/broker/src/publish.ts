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
  /** Limits the lines of the log. Everything is an event, however often it happens. */
  readonly limit: LogLimit;
}

/** The most lines of one kind in a minute. */
const MAX_LINES: Readonly<Record<Exclude<Level, "debug">, number>> = { info: 1_000, warn: 100, error: 100 };

/** Rejections that a flood of connections causes, one for each attempt. */
const FLOOD_CODES: ReadonlySet<RejectionCode> = new Set([
  "TOO_MANY_CONNECTIONS",
  "TOO_MANY_FROM_ADDRESS",
  "OUT_OF_DESCRIPTORS",
  "ACCEPT_FAILED",
  "IDLE",
]);

export function publishRejection(to: Publication, rejected: ConnectionRejected): void {
  const { cause, ...fields } = rejected;
  const { code, listener } = rejected;
  const lines = FLOOD_CODES.has(code) ? 1 : MAX_LINES.warn;
  const logged = cause === undefined ? fields : { ...fields, err: cause };
  log(to, "warn", logged, "connection rejected", { kind: `${listener} ${code}`, lines });
  to.emitter.emit("connection:rejected", rejected);
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

function publishPeer(to: Publication, event: PeerEvent): void {
  switch (event.type) {
    case "worker-up": {
      const fields = { worker: shownPeer(event.worker), service: display(event.service) };
      log(to, "info", fields, "worker joined");
      return void to.emitter.emit("worker:join", fields);
    }
    case "worker-down": {
      const fields = { worker: shownPeer(event.worker), service: display(event.service), reason: event.reason };
      log(to, "info", fields, "worker left");
      return void to.emitter.emit("worker:leave", fields);
    }
    case "client-up": {
      const fields = { client: shownPeer(event.client) };
      log(to, "debug", fields, "client joined");
      return void to.emitter.emit("client:join", fields);
    }
    case "client-down": {
      const fields = { client: shownPeer(event.client), reason: event.reason };
      log(to, "debug", fields, "client left");
      return void to.emitter.emit("client:leave", fields);
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

function publishRequest(to: Publication, event: RequestEvent): void {
  switch (event.type) {
    case "request-failed": {
      const fields = { ...requestFields(event), code: event.code };
      log(to, "debug", fields, "request failed");
      return void to.emitter.emit("request:failed", fields);
    }
    case "request-requeued": {
      const { service, requestId, worker } = event;
      const fields = { service: display(service), requestId: display(requestId), worker: shownPeer(worker) };
      log(to, "info", fields, "request requeued");
      return void to.emitter.emit("request:requeued", fields);
    }
    case "request-exhausted": {
      const fields = { ...requestFields(event), worker: shownPeer(event.worker), dispatches: event.dispatches };
      log(to, "warn", fields, "request failed: it lost too many workers");
      return void to.emitter.emit("request:exhausted", fields);
    }
    default: {
      const { level, text, name } = REQUEST_EVENTS[event.type];
      const fields = requestFields(event);
      log(to, level, fields, text);
      return void to.emitter.emit(name, fields);
    }
  }
}

function publishFault(to: Publication, event: FaultEvent): void {
  switch (event.type) {
    case "store-failed": {
      const { operation, key, reason } = event;
      const fields = { operation, key, reason };
      log(to, "error", fields, "the store failed");
      return void to.emitter.emit("store:failed", fields);
    }
    case "violation": {
      const { clause, detail } = event.violation;
      const fields = { peer: shownPeer(event.peer), clause, detail };
      log(to, "warn", fields, "protocol violation", { kind: `violation ${clause}` });
      return void to.emitter.emit("violation", fields);
    }
    case "dropped": {
      const { reason, requestId } = event;
      const shownId = requestId === undefined ? undefined : display(requestId);
      const fields = { peer: shownPeer(event.peer), reason, requestId: shownId };
      log(to, "debug", fields, "message dropped");
      return void to.emitter.emit("drop", fields);
    }
    default:
      event satisfies never;
  }
}

/** @param kind the lines that are limited together: by default those with the same text */
function log(
  { logger, limit }: Publication,
  level: Level,
  fields: object,
  text: string,
  { kind = text, lines }: { readonly kind?: string; readonly lines?: number } = {},
): void {
  guarded(() => {
    if (level === "debug") return logger.debug(fields, text);
    const omitted = limit.next(kind, lines ?? MAX_LINES[level]);
    if (omitted !== undefined) logger[level](omitted > 0 ? { ...fields, omitted } : fields, text);
  });
}

/** The fields that every event about a request has, as text. */
function requestFields({ client, service, requestId }: RequestFields): Record<keyof RequestFields, string> {
  return { client: shownPeer(client), service: display(service), requestId: display(requestId) };
}
