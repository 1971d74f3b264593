// A wire that PIGATO does not use: all names of a message in one frame, followed by the payload. It implements only what is
// needed to measure what that would save (decision 15).

import {
  type BrokerDialect,
  DEFAULT_REQUEST_OPTIONS,
  type Dialect,
  type Frame,
  type FrameToSend,
  NO_CAPABILITIES,
  requestId,
  serviceName,
} from "@pigato/protocol";
import { pigatoDialect, readBytes } from "@pigato/protocol/internal";

/** Encoders and decoders of the four messages of a round trip. */
export type RoundTrip = Pick<Dialect, "encodeFromClient" | "encodeFromWorker" | "decodeToClient" | "decodeToWorker"> &
  Pick<BrokerDialect, "decodeFromClient" | "decodeFromWorker" | "encodeToWorker"> & {
    encodeToClient(message: Parameters<Dialect["encodeToClient"]>[0]): FrameToSend[] | undefined;
  };

const dialect = pigatoDialect();

export const framesForm: RoundTrip = {
  ...dialect,
  encodeToClient: (message) => dialect.encodeToClient(message, NO_CAPABILITIES),
};

const NONE: readonly Frame[] = [];

export const envelopeForm: RoundTrip = {
  encodeFromClient: (message) =>
    message.type === "request"
      ? [`1${counted(message.requestId)}${message.service}`, ...message.body, ...message.trailer]
      : undefined,
  decodeFromClient(frames) {
    const [id, service] = fieldsOf(frames, 1);
    return {
      type: "request",
      requestId: requestId(id),
      service: serviceName(service),
      options: DEFAULT_REQUEST_OPTIONS,
      ...rest(frames),
    };
  },
  encodeToWorker: (message) =>
    message.type === "request"
      ? [
          `2${counted(message.address)}${counted(message.requestId)}${message.service}`,
          ...message.body,
          ...message.trailer,
        ]
      : undefined,
  decodeToWorker(frames) {
    const [address, id, service] = fieldsOf(frames, 2);
    const names = { address, requestId: requestId(id), service: serviceName(service) };
    return { type: "request", ...names, options: DEFAULT_REQUEST_OPTIONS, ...rest(frames) };
  },
  encodeFromWorker: (message) =>
    message.type === "final"
      ? [`3${counted(message.address)}${message.requestId}`, ...message.body, ...message.trailer]
      : undefined,
  decodeFromWorker(frames) {
    const [address, id] = fieldsOf(frames, 1);
    return { type: "final", address, requestId: requestId(id), status: 0, ...rest(frames) };
  },
  encodeToClient: (message) =>
    message.type === "final" ? [`4${message.requestId}`, ...message.body, ...message.trailer] : undefined,
  decodeToClient(frames) {
    const [id] = fieldsOf(frames, 0);
    return { type: "final", requestId: requestId(id), status: 0, ...rest(frames) };
  },
};

function counted(name: string): string {
  return String.fromCharCode(name.length) + name;
}

/** Reads this many fields that have a length prefix; the last field is the rest. */
function fieldsOf([head]: readonly Frame[], count: 0 | 1 | 2): [string, string, string] {
  const text = head === undefined ? "" : readBytes(head);
  if (count === 0) return [text.slice(1), "", ""];
  const second = 2 + text.charCodeAt(1);
  const first = text.slice(2, second);
  if (count === 1) return [first, text.slice(second), ""];
  const third = second + 1 + text.charCodeAt(second);
  return [first, text.slice(second + 1, third), text.slice(third)];
}

function rest(frames: readonly Frame[]): { readonly body: readonly Frame[]; readonly trailer: readonly Frame[] } {
  const [, body] = frames;
  return { body: body === undefined ? NONE : [body], trailer: frames.length > 2 ? frames.slice(2) : NONE };
}
