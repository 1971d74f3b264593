import { expect, test } from "vitest";
import { curvePublicKey, newCurveKeyPair, readCurveKey } from "./curve-keys.ts";
import { decodeZ85 } from "./z85.ts";

// RFC 25 and the manual of libzmq give this pair as an example.
const PUBLIC = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

test("the public key of a secret key is the one that libzmq computes", () => {
  expect(curvePublicKey(SECRET)).toBe(PUBLIC);
  expect(curvePublicKey(decodeZ85(SECRET) ?? "")).toBe(PUBLIC);
});

test("every key pair is new, and its keys belong together", () => {
  const pairs = Array.from({ length: 20 }, newCurveKeyPair);
  expect(new Set(pairs.map(({ secretKey }) => secretKey)).size).toBe(20);
  for (const { publicKey, secretKey } of pairs) expect(curvePublicKey(secretKey)).toBe(publicKey);
});

test("a key may be the text of a file, with the end of its line", () => {
  expect(readCurveKey(`${PUBLIC}\n`)).toBe(PUBLIC);
  expect(readCurveKey(` ${PUBLIC}\r\n`)).toBe(PUBLIC);
  expect(curvePublicKey(`${SECRET}\n`)).toBe(PUBLIC);
});

test.each([
  ["text"],
  [PUBLIC.slice(1)],
  [`${PUBLIC.slice(1)}~`],
  [`${PUBLIC}${PUBLIC}`],
  [new Uint8Array(31)],
  [7],
  [null],
])("%s is not a key", (value) => {
  expect(readCurveKey(value)).toBeUndefined();
});

test("an error does not show an invalid secret key", () => {
  expect(() => curvePublicKey(`${SECRET}~`)).toThrow(RangeError);
  expect(() => curvePublicKey(`${SECRET}~`)).not.toThrow(SECRET.slice(0, 8));
});
