// What a link is given to send. Names are byte strings wherever PIGATO looks at them; making bytes of each, only to copy
// them at once, cost a tenth of what a broker does for a request.

/** Bytes, or a byte string: text with one character (U+0000 to U+00FF) for each byte. */
export type FrameToSend = Uint8Array | string;

export type FramesToSend = readonly FrameToSend[];

/** The same as bytes alone. */
export function asBytes(frames: FramesToSend): Uint8Array[] {
  return frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame, "latin1") : frame));
}
