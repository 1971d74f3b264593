import { UsageError } from "@pigato/protocol";
import { MemoryNetwork } from "@pigato/testkit";
import { newCurveKeyPair } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { Broker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

const curve = newCurveKeyPair();
const authenticate = (): boolean => true;

describe("the security options of a broker", () => {
  test.each<{ why: string; options: BrokerOptions; message: string }>([
    {
      why: "both mechanisms",
      options: { curve, plain: true, authenticate },
      message: "curve and plain exclude each other",
    },
    { why: "plain without authenticate", options: { plain: true }, message: "plain needs authenticate" },
    { why: "the transport zmtp", options: { curve, transport: "zmtp" }, message: 'need the transport "libzmq"' },
    {
      why: "another transport",
      options: { authenticate, transport: new MemoryNetwork() },
      message: "need the transport",
    },
    {
      why: "halves of two key pairs",
      options: { curve: { ...curve, publicKey: newCurveKeyPair().publicKey } },
      message: "curve.publicKey does not belong to curve.secretKey",
    },
    {
      why: "a domain with a space",
      options: { authenticate, zapDomain: "my shop" },
      message: "zapDomain must be 1 to 200",
    },
    {
      why: "an inproc channel",
      options: { curve, intch: "inproc://x" },
      message: "inproc://x cannot be secured",
    },
  ])("reject $why", ({ options, message }) => {
    expect(() => new Broker("tcp://127.0.0.1:*", options)).toThrow(UsageError);
    expect(() => new Broker("tcp://127.0.0.1:*", options)).toThrow(message);
  });

  test.each([
    { options: { curve: undefined }, message: "curve is undefined" },
    { options: { authenticate: undefined }, message: "authenticate is undefined" },
    { options: { curve: null }, message: /./ },
    { options: { authenticate: "yes" }, message: "authenticate must be a function" },
    { options: { plain: "yes", authenticate }, message: "plain must be true or false" },
    {
      options: { curve: { ...curve, secretKey: curve.secretKey.slice(1) } },
      message: "curve.secretKey must be 40 characters",
    },
    { options: { authenticate, authenticateTimeoutMs: 9001 }, message: "authenticateTimeoutMs must be an integer" },
  ])("reject $options as JavaScript may pass them", ({ options, message }) => {
    const given: object = options;
    expect(() => new Broker("tcp://127.0.0.1:*", given)).toThrow(UsageError);
    expect(() => new Broker("tcp://127.0.0.1:*", given)).toThrow(message);
    expect(() => new Broker("tcp://127.0.0.1:*", given)).not.toThrow(curve.secretKey.slice(1, 9));
  });

  test("reject an inproc address among others", () => {
    const where = { frontend: "tcp://127.0.0.1:*", backend: ["tcp://127.0.0.1:*", { address: "inproc://x" }] };
    expect(() => new Broker(where, { authenticate })).toThrow("inproc://x cannot be secured");
    expect(() => new Broker(where, {})).not.toThrow();
  });

  test("leave no secret in conf", () => {
    const { conf } = new Broker("tcp://127.0.0.1:*", { curve, authenticate });
    expect(Object.keys(conf)).not.toContain("curve");
    expect(conf.securityOf("bind")?.mechanism).toBe("CURVE");
    expect(JSON.stringify(conf)).not.toContain(curve.secretKey);
  });

  test("give every listener a separate domain", () => {
    const { conf } = new Broker("tcp://127.0.0.1:*", { authenticate, zapDomain: "shop" });
    const domains = (["bind", "frontend", "backend", "intch"] as const).map(
      (at) => conf.securityOf(at)?.authentication?.domain,
    );
    expect(domains).toEqual(["shop/bind", "shop/frontend", "shop/backend", "shop/intch"]);
  });

  test("are absent by default, with any transport", () => {
    const { conf } = new Broker("tcp://127.0.0.1:*", {});
    expect(conf.securityOf("bind")).toBeUndefined();
    expect(() => new Broker("inproc://x", { transport: new MemoryNetwork() })).not.toThrow();
  });
});
