import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { zmtp } from "../zmtp/index.ts";
import { newCurveKeyPair } from "./curve-keys.ts";
import { type CurveOptions, PeerSecurity, type PlainOptions, ServerSecurity } from "./security.ts";

const server = newCurveKeyPair();
const own = newCurveKeyPair();
const curve: CurveOptions = { serverKey: server.publicKey, ...own };
const plain: PlainOptions = { username: "ada", password: "lovelace" };

describe("what a peer is secured with", () => {
  test("is the keys of CURVE, or a name and a password, or nothing", () => {
    expect(PeerSecurity.of({})).toBeUndefined();
    expect(PeerSecurity.of({ curve })?.socketOptions()).toEqual({
      curveServerKey: server.publicKey,
      curvePublicKey: own.publicKey,
      curveSecretKey: own.secretKey,
    });
    expect(PeerSecurity.of({ plain })).toMatchObject({ mechanism: "PLAIN" });
  });

  test.each<[string, object, RegExp]>([
    ["both", { curve, plain }, /^curve and plain exclude each other$/],
    ["one that is undefined", { curve: undefined }, /^curve is given as undefined$/],
    ["one that is null", { plain: null }, /^plain is an object with username, password$/],
    ["no key of the broker", { curve: own }, /^curve.serverKey is 40 characters of Z85 text or 32 bytes$/],
    ["a misspelt name", { curve: { ...curve, serverkey: "x" } }, /and without "serverkey"$/],
    ["a cut key", { curve: { ...curve, secretKey: own.secretKey.slice(1) } }, /^curve.secretKey is 40 characters/],
    ["halves of two pairs", { curve: { ...curve, publicKey: server.publicKey } }, /^curve.publicKey does not belong/],
    ["no password", { plain: { username: "ada", password: "" } }, /^plain.password is text of 1 to 255 bytes$/],
    ["too long a name", { plain: { ...plain, username: "ä".repeat(128) } }, /^plain.username is text of 1 to 255/],
  ])("is refused with %s, and no error shows a secret", (_what, options, message) => {
    const secure = (): unknown => PeerSecurity.of(options);
    expect(secure).toThrow(RangeError);
    expect(secure).toThrow(message);
    expect(secure).not.toThrow(own.secretKey.slice(1, 9));
  });

  test("shows no secret, however it is looked at", () => {
    const secured = [new PeerSecurity({ curve }), new PeerSecurity({ plain }), new ServerSecurity(server, undefined)];
    const looks = inspect(secured, { depth: 9, showHidden: true }) + JSON.stringify(secured);
    for (const secret of [own.secretKey, server.secretKey, "lovelace"]) expect(looks).not.toContain(secret);
  });
});

describe("what a server is secured with", () => {
  test("always keeps out whom nobody answers for", () => {
    const check = { domain: "shop", authenticate: () => true, timeoutMs: 1 };
    for (const security of [
      new ServerSecurity("NULL", check),
      new ServerSecurity("PLAIN", check),
      new ServerSecurity(server, check),
    ]) {
      expect(security.socketOptions()).toMatchObject({ zapDomain: "shop", zapEnforceDomain: true });
    }
  });

  test("keeps somebody out: no PLAIN and no NULL without a check", () => {
    expect(() => new ServerSecurity("PLAIN", undefined)).toThrow("PLAIN keeps nobody out without a check");
    expect(() => new ServerSecurity("NULL", undefined)).toThrow("NULL keeps nobody out without a check");
    expect(new ServerSecurity(server, undefined).mechanism).toBe("CURVE");
  });
});

test("our own ZMTP does not take what it cannot keep to", () => {
  const security = new ServerSecurity(server, undefined);
  const peer = new PeerSecurity({ curve });
  expect(() => zmtp.router({ onMessage() {} }, { security })).toThrow(TypeError);
  expect(() => zmtp.publisher({}, { security })).toThrow(TypeError);
  expect(() => zmtp.dealer({ onMessage() {} }, { routingId: "a", security: peer })).toThrow(TypeError);
  expect(() => zmtp.subscriber({ onMessage() {} }, { security: peer })).toThrow(TypeError);
});
