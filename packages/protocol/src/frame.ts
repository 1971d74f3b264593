// Frames, the parts of a message on the wire, and the bounds on their number.

/** One part of a message. Its bytes do not change once it is passed on. */
export type Frame = Uint8Array;

export type Frames = readonly Frame[];

/** A frame to send: its bytes, or a name as a byte string (ids.ts), which the link encodes. */
export type FrameToSend = Frame | string;

/** The most frames of one message, without the routing id. Longer messages are rejected unread. */
export const MAX_FRAMES = 64;

/** The most frames of a client's request: the broker adds the address, an empty frame, and two tags on the way to a worker. */
export const MAX_REQUEST_FRAMES: number = MAX_FRAMES - 4;

export const EMPTY: Frame = new Uint8Array(0);

/** Whether a value is a `Uint8Array` of any realm. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

export function sameBytes(left: Frame, right: Frame): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

/** The number of bytes of all frames together. */
export function bytesOf(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
