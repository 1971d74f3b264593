// What a broker tells its listeners and its log. Names are text here: byte strings stay inside.

import { display } from "@pigato/protocol";
import type { LinkError, Mechanism, RefusalCode } from "@pigato/transport";
import type { EventEmitter } from "eventemitter3";
import type { Logger } from "pino";
import type { BrokerEvent, ClientDownReason, DropReason, WorkerDownReason } from "./core/effects.ts";
import { shownPeer } from "./core/peer-names.ts";
import type { ListenerRole } from "./security.ts";

/** Events of a `Broker`. They are for watching: nothing depends on anybody listening. */
export interface BrokerEvents {
  /** The broker listens at every address. */
  start: [];
  /** The broker has stopped after `stop()`, or after an `error`. */
  stop: [];
  /** A socket failed. The broker has stopped. */
  error: [error: LinkError];
  /** A worker registered. */
  "worker:join": [event: { readonly worker: string; readonly service: string }];
  /** A worker left or was lost. The broker requeues its requests or fails them. */
  "worker:leave": [event: { readonly worker: string; readonly service: string; readonly reason: WorkerDownReason }];
  /** A client sent its first message. */
  "client:join": [event: { readonly client: string }];
  /** A client left or was lost. The broker canceled its open requests, except stored ones. */
  "client:leave": [event: { readonly client: string; readonly reason: ClientDownReason }];
  /** A request failed without a final reply of a worker. */
  "request:failed": [event: RequestFailed];
  /** The broker replied to a request from its cache. */
  "request:cached": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker restored a request from its store when it started. */
  "request:restored": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker holds the reply to a stored request, or its first chunk, because the client is not connected. */
  "answer:held": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker sent a held reply to its client, which has returned. */
  "answer:delivered": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /**
   * The store failed. If `store` failed, the request fails with `UNAVAILABLE`. If `delete` failed, the broker runs the
   * request again at its next start.
   */
  "store:failed": [event: { readonly operation: "store" | "delete"; readonly key: string; readonly reason: string }];
  /** A request lost its worker and is queued again. */
  "request:requeued": [event: { readonly service: string; readonly requestId: string; readonly worker: string }];
  /**
   * The broker rejected or closed a connection: it was not authorized, or it violated a rule or a bound of the transport.
   * The event contains no key and no password. `cause` is the error of `authenticate`.
   */
  "connection:refused": [event: ConnectionRefused];
  /** A peer violated the protocol. `clause` is one of docs/reference/protocol.md or dialects.md. */
  violation: [event: { readonly peer: string; readonly clause: string; readonly detail: string }];
  /** The broker dropped a message. */
  drop: [event: { readonly peer: string; readonly reason: DropReason; readonly requestId: string | undefined }];
}

type AboutRequest = Pick<BrokerEvent & { readonly type: "request-failed" }, "client" | "service" | "requestId">;

export interface RequestFailed {
  readonly client: string;
  readonly service: string;
  readonly requestId: string;
  readonly code: string;
}

export interface ConnectionRefused {
  /** The listener that it connected to. */
  readonly listener: ListenerRole;
  readonly code: RefusalCode;
  /** What it did, or what it is kept out for, in words. */
  readonly detail: string;
  /** What was asked for, or shown, where it is about that. */
  readonly mechanism: Mechanism | undefined;
  /** Where it is, as the transport knows it: over libzmq without a port. */
  readonly remoteAddress: string | undefined;
  /** Where it came to, if where it is cannot be told. */
  readonly localAddress: string | undefined;
  /** Its routing id, if it had come so far. */
  readonly peer: string | undefined;
  readonly cause: unknown;
}

/** Tells of a connection that was refused. */
export function publishRefusal(refused: ConnectionRefused, emitter: EventEmitter<BrokerEvents>, logger: Logger): void {
  const { cause, ...told } = refused;
  logger.warn(cause === undefined ? told : { ...told, err: cause }, "connection refused");
  emitter.emit("connection:refused", refused);
}

/** Tells one event of the core to listeners and to the log. */
export function publish(event: BrokerEvent, emitter: EventEmitter<BrokerEvents>, logger: Logger): void {
  switch (event.type) {
    case "worker-up": {
      const told = { worker: shownPeer(event.worker), service: display(event.service) };
      logger.info(told, "worker joined");
      emitter.emit("worker:join", told);
      return;
    }
    case "worker-down": {
      const told = { worker: shownPeer(event.worker), service: display(event.service), reason: event.reason };
      logger.info(told, "worker left");
      emitter.emit("worker:leave", told);
      return;
    }
    case "client-up": {
      const told = { client: shownPeer(event.client) };
      logger.debug(told, "client joined");
      emitter.emit("client:join", told);
      return;
    }
    case "client-down": {
      const told = { client: shownPeer(event.client), reason: event.reason };
      logger.debug(told, "client left");
      emitter.emit("client:leave", told);
      return;
    }
    case "request-failed": {
      const told = { ...asked(event), code: event.code };
      logger.debug(told, "request failed");
      emitter.emit("request:failed", told);
      return;
    }
    case "request-cached": {
      const told = asked(event);
      logger.debug(told, "request answered from the cache");
      emitter.emit("request:cached", told);
      return;
    }
    case "request-restored": {
      const told = asked(event);
      logger.info(told, "request restored");
      emitter.emit("request:restored", told);
      return;
    }
    case "answer-held": {
      const told = asked(event);
      logger.info(told, "answer held");
      emitter.emit("answer:held", told);
      return;
    }
    case "answer-delivered": {
      const told = asked(event);
      logger.info(told, "held answer delivered");
      emitter.emit("answer:delivered", told);
      return;
    }
    case "store-failed": {
      const { operation, key, reason } = event;
      logger.error({ operation, key, reason }, "the store failed");
      emitter.emit("store:failed", { operation, key, reason });
      return;
    }
    case "request-requeued": {
      const told = {
        service: display(event.service),
        requestId: display(event.requestId),
        worker: shownPeer(event.worker),
      };
      logger.info(told, "request requeued");
      emitter.emit("request:requeued", told);
      return;
    }
    case "violation": {
      const { clause, detail } = event.violation;
      const told = { peer: shownPeer(event.peer), clause, detail };
      logger.warn(told, "protocol violation");
      emitter.emit("violation", told);
      return;
    }
    case "dropped": {
      const { reason, requestId } = event;
      const told = {
        peer: shownPeer(event.peer),
        reason,
        requestId: requestId === undefined ? undefined : display(requestId),
      };
      logger.debug(told, "message dropped");
      emitter.emit("drop", told);
      return;
    }
    default:
      event satisfies never;
  }
}

/** What all events about one request carry, as text. */
function asked({ client, service, requestId }: AboutRequest): Record<keyof AboutRequest, string> {
  return { client: shownPeer(client), service: display(service), requestId: display(requestId) };
}
