/**
 * The bytes of a routing id that a dealer may claim.
 * @throws RangeError unless it is a byte string of 1 to 255 bytes that does not start with zero
 */
export function routingIdBytes(routingId: string): Uint8Array {
  const bytes = Buffer.from(routingId, "latin1");
  if (bytes.length === 0 || bytes.length > 255 || bytes[0] === 0 || bytes.toString("latin1") !== routingId) {
    throw new RangeError(`a routing id is 1 to 255 bytes and does not start with zero: ${JSON.stringify(routingId)}`);
  }
  return bytes;
}
