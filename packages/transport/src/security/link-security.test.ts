import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { zmtp } from "../transports.ts";
import { newCurveKeyPair } from "./curve-keys.ts";
import { type CurveOptions, PeerSecurity, type PlainOptions, ServerSecurity } from "./link-security.ts";

const server = newCurveKeyPair();
const own = newCurveKeyPair();
const curve: CurveOptions = { serverKey: server.publicKey, ...own };
const plain: PlainOptions = { username: "ada", password: "lovelace" };

describe("the security of a peer", () => {
  test("has CURVE keys, or a username and a password, or is undefined", () => {
    expect(PeerSecurity.of({})).toBeUndefined();
    expect(PeerSecurity.of({ curve })?.credentials()).toEqual({
      mechanism: "CURVE",
      serverKey: server.publicKey,
      publicKey: own.publicKey,
      secretKey: own.secretKey,
    });
    expect(PeerSecurity.of({ plain })).toMatchObject({ mechanism: "PLAIN" });
    expect(PeerSecurity.of({ plain })?.credentials()).toEqual({ mechanism: "PLAIN", ...plain });
  });

  test("derives a public key that is not given from the secret key, as a key file contains it", () => {
    const secretKey = `${own.secretKey}\n`;
    expect(PeerSecurity.of({ curve: { serverKey: server.publicKey, secretKey } })?.credentials()).toEqual({
      mechanism: "CURVE",
      serverKey: server.publicKey,
      ...own,
    });
  });

  test.each<[string, object, RegExp]>([
    ["both", { curve, plain }, /^curve and plain exclude each other$/],
    ["an option that is undefined", { curve: undefined }, /^curve is given as undefined$/],
    ["an option that is null", { plain: null }, /^plain must be an object with username, password$/],
    ["no server key", { curve: own }, /^curve.serverKey must be 40 characters of Z85 text or 32 bytes, not undefined$/],
    [
      "a misspelled name",
      { curve: { ...curve, serverkey: "x" } },
      /^curve has no field "serverkey": its fields are publicKey, secretKey, serverKey$/,
    ],
    [
      "a truncated key",
      { curve: { ...curve, secretKey: own.secretKey.slice(1) } },
      /^curve.secretKey must be 40 characters of Z85 text or 32 bytes, not text of 39 characters$/,
    ],
    ["half a key", { curve: { ...curve, secretKey: new Uint8Array(16) } }, /32 bytes, not 16 bytes$/],
    ["a key that is null", { curve: { ...curve, secretKey: null } }, /32 bytes, not null$/],
    [
      "a public key that is undefined",
      { curve: { ...curve, publicKey: undefined } },
      /^curve.publicKey must be 40 characters/,
    ],
    ["no secret key", { curve: { serverKey: server.publicKey } }, /^curve.secretKey must be 40 characters/],
    ["keys of two pairs", { curve: { ...curve, publicKey: server.publicKey } }, /^curve.publicKey does not belong/],
    [
      "no password",
      { plain: { username: "ada", password: "" } },
      /^plain.password must be text of 1 to 255 bytes of UTF-8, not text of 0 characters$/,
    ],
    ["half a character", { plain: { username: "ada", password: "\ud800" } }, /^plain.password must be text/],
    [
      "a username that is too long",
      { plain: { ...plain, username: "ä".repeat(128) } },
      /^plain.username must be text of 1 to 255/,
    ],
  ])("rejects %s, and no error shows a secret", (_what, options, message) => {
    const secure = (): unknown => PeerSecurity.of(options);
    expect(secure).toThrow(RangeError);
    expect(secure).toThrow(message);
    expect(secure).not.toThrow(own.secretKey.slice(1, 9));
  });

  test("shows no secret in an inspection or as JSON", () => {
    const secured = [new PeerSecurity({ curve }), new PeerSecurity({ plain }), new ServerSecurity(server, undefined)];
    const looks = inspect(secured, { depth: 9, showHidden: true }) + JSON.stringify(secured);
    for (const secret of [own.secretKey, server.secretKey, "lovelace"]) expect(looks).not.toContain(secret);
  });
});

describe("the security of a listener", () => {
  test("requires authentication for PLAIN and NULL", () => {
    expect(() => new ServerSecurity("PLAIN", undefined)).toThrow("PLAIN without authentication accepts every peer");
    expect(() => new ServerSecurity("NULL", undefined)).toThrow("NULL without authentication accepts every peer");
    expect(new ServerSecurity(server, undefined).mechanism).toBe("CURVE");
    expect(new ServerSecurity(server, undefined).keyPair()).toEqual(server);
    expect(new ServerSecurity({ secretKey: server.secretKey }, undefined).keyPair()).toEqual(server);
  });
});

test("our own ZMTP rejects CURVE instead of ignoring it", () => {
  const security = new ServerSecurity(server, undefined);
  const peer = new PeerSecurity({ curve });
  expect(() => zmtp.router({ onMessage() {} }, { security })).toThrow(TypeError);
  expect(() => zmtp.publisher({}, { security })).toThrow(TypeError);
  expect(() => zmtp.dealer({ onMessage() {} }, { routingId: "a", security: peer })).toThrow(TypeError);
  expect(() => zmtp.subscriber({ onMessage() {} }, { security: peer })).toThrow(TypeError);
});
