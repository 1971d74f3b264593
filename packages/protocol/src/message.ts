// Every message between a client, a broker and a worker, in any dialect. A dialect converts frames to one of these and back;
// no other code depends on the position of a frame. Bodies stay frames: the broker forwards them by reference and never
// parses them.

import type { Capabilities } from "./capabilities.ts";
import type { Failure, FailureCode } from "./errors.ts";
import type { Frame, Frames } from "./frame.ts";
import type { PeerId, RequestId, ServiceName } from "./ids.ts";
import type { RequestOptions } from "./request-options.ts";

/** How a request is sent to its worker. */
interface Dispatched {
  /** As the frames of its body. Only if negotiated (P-DSP-3). */
  readonly isFramed?: boolean;
  /** With its method in the body, for a worker that does not read it from the options (P-CALL-2). */
  readonly hasMethodInBody?: boolean;
  /** Who sent the request, as its connection proved, as a byte string (P-TAG-4). */
  readonly caller?: string | undefined;
  /** How often it has been dispatched, this time included; 1 if absent (P-TAG-5). */
  readonly attempt?: number | undefined;
}

/** A request: its payload, what the broker reads, and what it passes on unread. */
interface RequestContent {
  readonly service: ServiceName;
  /** Empty if the client's dialect has no request ids; the broker then assigns one. */
  readonly requestId: RequestId;
  /** The payload. One frame in the PIGATO dialect, one or more in others. */
  readonly body: Frames;
  /** The body is any bytes in any number of frames; a PIGATO body is one frame of JSON (D-MAP-1). */
  readonly isRaw?: boolean;
  /** The frames behind the payload, passed on unchanged: the raw options and anything after them. */
  readonly trailer: Frames;
  readonly options: RequestOptions;
  /** Chunks of the reply that may be sent before the next grant (P-STREAM-3); no limit if absent. */
  readonly credit?: number | undefined;
  /** Milliseconds that are left until the deadline of the request (P-TAG-2); no deadline if absent. */
  readonly deadlineMs?: number | undefined;
  /** Whether the frame behind the options, in the trailer, holds headers (P-TAG-3). */
  readonly hasHeaders?: boolean;
}

/** A partial or final reply. Status 0 is success; −1 means that the body is the error; another number is the error itself. */
interface ReplyContent {
  readonly requestId: RequestId;
  readonly status: number;
  readonly body: Frames;
  /** As for a request. */
  readonly isRaw?: boolean;
  /** The body is raw and from a dialect whose replies are any text; its own clients get it unchanged (D-BUT-8). */
  readonly isText?: boolean;
  readonly trailer: Frames;
}

/** The one reply option that the broker reads. All options travel on in the trailer. */
interface Cacheable {
  /** Milliseconds for which this reply also serves equal requests; not at all if absent. */
  readonly cacheMs?: number;
}

/** Several partial replies to one request, in order, with status 0 and the same options. */
interface PartialsContent {
  readonly requestId: RequestId;
  /** One payload each; at least one. */
  readonly chunks: Frames;
  readonly options: Frame;
}

/** Identifies a request between broker and worker: the broker chooses `address` and the worker echoes it. */
interface Addressed {
  readonly address: string;
  readonly requestId: RequestId;
}

/** The service of the request, for dialects whose replies name it. */
interface ServiceRef {
  readonly service?: ServiceName;
}

/** Flow control and streamed input, if negotiated. */
export type StreamingMessage =
  | { readonly type: "credit"; readonly requestId: RequestId; readonly chunks: number }
  /** Chunks of a request's input, in order; at least one. Only from client to broker to worker. */
  | { readonly type: "input"; readonly requestId: RequestId; readonly chunks: Frames }
  | { readonly type: "input-end"; readonly requestId: RequestId };

/** Client to broker. A client that stops sends `disconnect` if the broker answered its offer. */
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
  | ({ readonly type: "partial" } & ReplyContent & ServiceRef)
  /** Only if negotiated. */
  | ({ readonly type: "partials" } & PartialsContent)
  | ({ readonly type: "final" } & ReplyContent & ServiceRef)
  | ({ readonly type: "failure"; readonly requestId: RequestId; readonly failure: Failure } & ServiceRef)
  /** The request is alive: sent by its worker, or by the broker while the request is queued. Only if negotiated. */
  | { readonly type: "request-heartbeat"; readonly requestId: RequestId }
  | {
      readonly type: "notice";
      readonly requestId: RequestId;
      readonly state: NoticeState;
      readonly worker: PeerId | undefined;
    }
  | StreamingMessage;

/** The progress of a request, reported to clients that negotiated `notice`. */
export type NoticeState = "queued" | "stored" | "dispatched";

/** A request of a client. */
export type RequestMessage = FromClient & { readonly type: "request" };

/** Worker to broker. */
export type FromWorker =
  | { readonly type: "ready"; readonly service: ServiceName; readonly offer: Capabilities | undefined }
  | { readonly type: "heartbeat"; readonly concurrency: number | undefined; readonly update: boolean }
  | ({ readonly type: "request-heartbeat" } & Addressed)
  | ({ readonly type: "partial" } & Addressed & ReplyContent & Cacheable)
  | ({ readonly type: "partials" } & Addressed & PartialsContent & Cacheable)
  | ({ readonly type: "final" } & Addressed & ReplyContent & Cacheable)
  /** The options are ignored; the original writes the word `undefined` there. */
  | ({ readonly type: "reject"; readonly reason: Frame | undefined; readonly options?: Frame } & Addressed)
  | { readonly type: "disconnect" }
  | (StreamingMessage & Addressed);

/** Why the broker disconnects a worker, refuses to register it, or ends a request that it runs. */
export interface DisconnectReason {
  readonly code: FailureCode;
  readonly message: string;
}

/** Broker to worker. */
export type ToWorker =
  | { readonly type: "ready"; readonly accepted: Capabilities | undefined }
  | ({ readonly type: "request" } & Addressed & RequestContent & Dispatched)
  /** The worker offers this further service, unless the broker refuses it. Only if negotiated. */
  | {
      readonly type: "service-answer";
      readonly service: ServiceName;
      readonly refusal: DisconnectReason | undefined;
    }
  /** `isDrained` confirms a concurrency of 0: no request follows. Only if negotiated. */
  | { readonly type: "heartbeat"; readonly isDrained?: true }
  | ({ readonly type: "request-heartbeat" } & Addressed)
  /** Without a reason, the client canceled the request, or the broker does not say why it ended. */
  | ({ readonly type: "cancel"; readonly reason?: DisconnectReason } & Addressed)
  /** With a reason only if the worker negotiated or offered `error`. */
  | { readonly type: "disconnect"; readonly reason?: DisconnectReason }
  | (StreamingMessage & Addressed);
