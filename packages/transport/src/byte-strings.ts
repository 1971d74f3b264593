// Byte strings: text with one character (U+0000 to U+00FF) per byte. PIGATO reads names as byte strings, so a link also sends
// them. Converting each to bytes, only to copy it at once, cost a tenth of a broker's work per request.

/** Bytes, or a byte string. */
export type FrameToSend = Uint8Array | string;

export type FramesToSend = readonly FrameToSend[];

/** Converts byte strings to bytes. */
export function toBytes(frames: FramesToSend): Uint8Array[] {
  return frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame, "latin1") : frame));
}

/**
 * Converts a routing id that a dealer may claim.
 * @throws RangeError unless it is a byte string of 1 to 255 bytes that does not start with zero
 */
export function routingIdBytes(routingId: string): Uint8Array {
  const bytes = Buffer.from(routingId, "latin1");
  if (bytes.length === 0 || bytes.length > 255 || bytes[0] === 0 || bytes.toString("latin1") !== routingId) {
    throw new RangeError(`a routing id has 1 to 255 bytes and does not start with zero: ${JSON.stringify(routingId)}`);
  }
  return bytes;
}
