// Every message between a client, a broker and a worker, whatever dialect carried it. A dialect turns frames into one
// of these and back; nothing beyond the dialects ever looks at a frame's position. Bodies stay frames: the broker
// forwards them by reference and never parses them.

import type { Capabilities } from "./capabilities.ts";
import type { Failure } from "./errors.ts";
import type { Frame } from "./frame.ts";
import type { PeerId, RequestId, ServiceName } from "./ids.ts";
import type { RequestOptions } from "./request-options.ts";

/**
 * What a peer sent that its dialect does not allow. Data, never an exception: decoding does not throw.
 * `requestId` is there when the message names a request that can be answered with an `INVALID` failure.
 */
export interface Violation {
  readonly type: "violation";
  /** The clause of docs/reference/protocol.md or dialects.md that was broken, e.g. `P-REQ-1`. */
  readonly clause: string;
  readonly detail: string;
  readonly requestId?: RequestId;
}

/** A request on its way: its payload, what the broker must know, and what it only hands on. */
interface RequestContent {
  readonly service: ServiceName;
  /** Empty from a client whose dialect has no request ids: the broker gives the request one of its own. */
  readonly requestId: RequestId;
  /** The payload. One frame in the PIGATO dialect, one or more in others. */
  readonly body: readonly Frame[];
  /** The body is any bytes in any number of frames, where PIGATO has one frame of JSON (D-MAP-1). */
  readonly isRaw?: boolean;
  /** Frames behind the payload, handed on as they came: the raw options and anything after them. */
  readonly trailer: readonly Frame[];
  readonly options: RequestOptions;
  /** Chunks of the reply that may come before more are granted (P-STREAM-3); none: as many as there are. */
  readonly credit?: number | undefined;
}

/** A part of a reply. `status` 0 is success, −1 says that the body is the error, other numbers are the error. */
interface ReplyContent {
  readonly requestId: RequestId;
  readonly status: number;
  readonly body: readonly Frame[];
  /** As with a request's. */
  readonly isRaw?: boolean;
  readonly trailer: readonly Frame[];
}

/** What the broker alone reads of a worker's options for its reply, which travel on in the trailer. */
interface Cacheable {
  /** Milliseconds for which equal requests may be given this reply; none: not at all. */
  readonly cacheMs?: number;
}

/** Several partial replies to one request, of status 0 and with the same options, in order. */
interface PartialsContent {
  readonly requestId: RequestId;
  /** The payload of each; at least one. */
  readonly chunks: readonly Frame[];
  readonly options: Frame;
}

/** How a broker and a worker name a request between them: `address` is the broker's own token, echoed by the worker. */
interface Addressed {
  readonly address: string;
  readonly requestId: RequestId;
}

/** What a client asked, for dialects that name a reply by it. */
interface Asked {
  readonly service?: ServiceName;
}

/** Flow control, where it was negotiated; and streamed input, which is decoded, and refused as not supported yet. */
export type StreamingMessage =
  | { readonly type: "credit"; readonly requestId: RequestId; readonly chunks: number }
  | { readonly type: "input"; readonly requestId: RequestId; readonly body: readonly Frame[] }
  | { readonly type: "input-end"; readonly requestId: RequestId };

/** Client to broker. `disconnect` is the goodbye of a client that stops; only for a broker that answered its offer. */
export type FromClient =
  | ({ readonly type: "request" } & RequestContent)
  | { readonly type: "heartbeat"; readonly offer: Capabilities | undefined }
  | { readonly type: "request-heartbeat"; readonly requestId: RequestId }
  | { readonly type: "worker-heartbeat"; readonly worker: PeerId }
  | { readonly type: "cancel"; readonly requestId: RequestId }
  | { readonly type: "disconnect" }
  | StreamingMessage;

/** Broker to client. */
export type ToClient =
  | { readonly type: "heartbeat"; readonly accepted: Capabilities | undefined }
  | ({ readonly type: "partial" } & ReplyContent & Asked)
  /** Only where it was negotiated. */
  | ({ readonly type: "partials" } & PartialsContent)
  | ({ readonly type: "final" } & ReplyContent & Asked)
  | ({ readonly type: "failure"; readonly requestId: RequestId; readonly failure: Failure } & Asked)
  /** The request is alive: its worker says so, or the broker while it waits; only where it was negotiated. */
  | { readonly type: "request-heartbeat"; readonly requestId: RequestId }
  | {
      readonly type: "notice";
      readonly requestId: RequestId;
      readonly state: NoticeState;
      readonly worker: PeerId | undefined;
    }
  | StreamingMessage;

/** How far a request has come, as a broker tells a client that negotiated `notice`. */
export type NoticeState = "queued" | "stored" | "dispatched";

/** Worker to broker. */
export type FromWorker =
  | { readonly type: "ready"; readonly service: ServiceName; readonly offer: Capabilities | undefined }
  | { readonly type: "heartbeat"; readonly concurrency: number | undefined; readonly update: boolean }
  | ({ readonly type: "request-heartbeat" } & Addressed)
  | ({ readonly type: "partial" } & Addressed & ReplyContent & Cacheable)
  | ({ readonly type: "partials" } & Addressed & PartialsContent & Cacheable)
  | ({ readonly type: "final" } & Addressed & ReplyContent & Cacheable)
  /** The options say nothing; the original writes the word `undefined` there. */
  | ({ readonly type: "reject"; readonly reason: Frame | undefined; readonly options?: Frame } & Addressed)
  | { readonly type: "disconnect" }
  | (StreamingMessage & Addressed);

/** Broker to worker. */
export type ToWorker =
  | { readonly type: "ready"; readonly accepted: Capabilities | undefined }
  | ({ readonly type: "request" } & Addressed & RequestContent)
  | { readonly type: "heartbeat" }
  | ({ readonly type: "request-heartbeat" } & Addressed)
  | ({ readonly type: "cancel" } & Addressed)
  | { readonly type: "disconnect" }
  | (StreamingMessage & Addressed);
