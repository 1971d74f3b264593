// Z85 (ZeroMQ RFC 32): printable text, five characters per four bytes. CURVE keys are written in it.

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const VALUES: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, value) => [digit, value]));
const LARGEST_GROUP = 0xffff_ffff;

/** @param bytes their number is a multiple of four */
export function encodeZ85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let group = view.getUint32(at);
    let digits = "";
    for (let place = 0; place < 5; place += 1) {
      digits = DIGITS.charAt(group % 85) + digits;
      group = Math.floor(group / 85);
    }
    text += digits;
  }
  return text;
}

/** @returns `undefined` for text that is not Z85 */
export function decodeZ85(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined;
  const view = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let at = 0; at < text.length; at += 5) {
    let group = 0;
    for (let place = at; place < at + 5; place += 1) {
      const value = VALUES.get(text.charAt(place));
      if (value === undefined) return undefined;
      group = group * 85 + value;
    }
    if (group > LARGEST_GROUP) return undefined;
    view.setUint32((at / 5) * 4, group);
  }
  return new Uint8Array(view.buffer);
}
