import { expect, test } from "vitest";
import { newCurveKeyPair } from "../security/curve-keys.ts";
import { PeerSecurity, ServerSecurity } from "../security/link-security.ts";
import { listenerSecurityOptions, peerSecurityOptions, wireBytes } from "./security-options.ts";

const server = newCurveKeyPair();
const own = newCurveKeyPair();

test("a listener with authentication has a domain that libzmq enforces", () => {
  const authentication = { domain: "shop", authenticate: () => true, timeoutMs: 1 };
  for (const security of [
    new ServerSecurity("NULL", authentication),
    new ServerSecurity("PLAIN", authentication),
    new ServerSecurity(server, authentication),
  ]) {
    expect(listenerSecurityOptions(security)).toMatchObject({ zapDomain: "shop", zapEnforceDomain: true });
  }
});

test("a listener with CURVE has the secret key of the server, and one with PLAIN has none", () => {
  const authentication = { domain: "shop", authenticate: () => true, timeoutMs: 1 };
  expect(listenerSecurityOptions(new ServerSecurity(server, undefined))).toEqual({
    curveServer: true,
    curveSecretKey: server.secretKey,
    zapEnforceDomain: true,
  });
  expect(listenerSecurityOptions(new ServerSecurity("PLAIN", authentication))).toEqual({
    plainServer: true,
    zapDomain: "shop",
    zapEnforceDomain: true,
  });
});

test("a peer has the options of its mechanism", () => {
  const curve = new PeerSecurity({ curve: { serverKey: server.publicKey, ...own } });
  expect(peerSecurityOptions(curve)).toEqual({
    curveServerKey: server.publicKey,
    curvePublicKey: own.publicKey,
    curveSecretKey: own.secretKey,
  });
  const plain = new PeerSecurity({ plain: { username: "ada", password: "lovelace" } });
  expect(peerSecurityOptions(plain)).toEqual({ plainUsername: "ada", plainPassword: "lovelace" });
});

test("libzmq's bound of a frame includes what CURVE adds", () => {
  expect(wireBytes(1000, undefined)).toBe(1000);
  expect(wireBytes(1000, { mechanism: "PLAIN" })).toBe(1000);
  expect(wireBytes(1000, { mechanism: "CURVE" })).toBe(1033);
});
