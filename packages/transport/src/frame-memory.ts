// The memory of frames that wait. They are views of buffers that hold many messages, so one small frame may keep a large buffer
// alive.

import type { FramesToSend } from "./byte-strings.ts";

/** The first buffer that holds more than a frame of the message. */
export function sharedBufferOf(frames: FramesToSend): ArrayBufferLike | undefined {
  for (const frame of frames) {
    if (typeof frame !== "string" && frame.buffer.byteLength > frame.length) return frame.buffer;
  }
  return undefined;
}

/** What the frames of a message pin in other buffers, less their bytes in this one. */
export function pinnedElsewhere(frames: FramesToSend, shared: ArrayBufferLike): number {
  let bytes = 0;
  for (const frame of frames) {
    if (typeof frame === "string") continue;
    bytes += frame.buffer === shared ? -frame.length : frame.buffer.byteLength - frame.length;
  }
  return bytes;
}

/** Frames of the same content that keep nothing else alive. */
export function ownFrames(frames: FramesToSend): FramesToSend {
  return frames.map((frame) => {
    return typeof frame === "string" || frame.length === frame.buffer.byteLength ? frame : new Uint8Array(frame);
  });
}
