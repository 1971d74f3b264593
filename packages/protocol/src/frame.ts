/** One part of a message on the wire. Never changed once it is handed on. */
export type Frame = Uint8Array;

/** A frame on its way out: its bytes, or the byte string (ids.ts) of a name, of which whoever writes it makes bytes. */
export type FrameToSend = Frame | string;

/** The most frames of one message, the routing id not counted: a longer one is refused unread. */
export const MAX_FRAMES = 64;

/** The most frames of a client's request: on its way to a worker it gets two more. */
export const MAX_REQUEST_FRAMES: number = MAX_FRAMES - 2;

export const EMPTY: Frame = new Uint8Array(0);

export function sameBytes(left: Frame, right: Frame): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}
