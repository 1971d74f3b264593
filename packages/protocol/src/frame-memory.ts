// The memory of frames that are kept. A link passes frames as views of buffers that hold many messages: that is fast, but one
// small frame keeps a whole buffer alive. Code that keeps frames bounds what they pin, and copies them beyond that.

import type { Frame, Frames } from "./frame.ts";

/** What a frame counts as besides its bytes: about the memory of its objects. */
const FRAME_COST_BYTES = 128;
/** V8 holds the bytes of smaller arrays in its heap; a buffer would cost more than they do. */
const MAX_ON_HEAP_BYTES = 64;
/** A frame that is this part of its buffer, or more, is not copied. */
const OWN_PART = 8 / 9;

/** What frames count as against a bound of bytes that are kept. */
export function costOfFrames(frames: Frames): number {
  let bytes = frames.length * FRAME_COST_BYTES;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}

/** Frames of the same content that keep nothing else alive. Those that lie together share one buffer, and must be released together. */
export function ownFrames(frames: Frames): Frames {
  let bytes = 0;
  for (const frame of frames) if (!isOwn(frame) && frame.length > MAX_ON_HEAP_BYTES) bytes += frame.length;
  const memory = new ArrayBuffer(bytes);
  let at = 0;
  return frames.map((frame) => {
    if (isOwn(frame)) return frame;
    if (frame.length <= MAX_ON_HEAP_BYTES) return new Uint8Array(frame);
    const copy = new Uint8Array(memory, at, frame.length);
    copy.set(frame);
    at += frame.length;
    return copy;
  });
}

function isOwn({ length, buffer }: Frame): boolean {
  return length >= buffer.byteLength * OWN_PART;
}
