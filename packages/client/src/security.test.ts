import { MemoryNetwork } from "@pigato/testkit";
import { newCurveKeyPair } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { Client } from "./client.ts";
import { UsageError } from "./index.ts";

const own = newCurveKeyPair();
const curve = { serverKey: newCurveKeyPair().publicKey, ...own };
const plain = { username: "ada", password: "lovelace" };

describe("the keys and passwords of a client", () => {
  test.each<{ why: string; options: object; message: string; address?: string }>([
    { why: "both", options: { curve, plain }, message: "curve and plain exclude each other" },
    { why: "keys that are undefined", options: { curve: undefined }, message: "curve is undefined: leave it out" },
    { why: "no key of the broker", options: { curve: own }, message: "curve.serverKey must be 40 characters" },
    {
      why: "no password",
      options: { plain: { username: "ada" } },
      message: "plain.password must be text of 1 to 255 bytes of UTF-8",
    },
    { why: "the transport zmtp", options: { curve, transport: "zmtp" }, message: 'need the transport "libzmq"' },
    {
      why: "a transport that would pass them over",
      options: { plain, transport: new MemoryNetwork() },
      message: 'need the transport "libzmq"',
    },
    { why: "an address within the process", options: { curve }, message: "tcp or ipc", address: "inproc://x" },
  ])("are rejected with $why", ({ options, message, address = "tcp://127.0.0.1:1" }) => {
    expect(() => new Client(address, options)).toThrow(UsageError);
    expect(() => new Client(address, options)).toThrow(message);
    expect(() => new Client(address, options)).not.toThrow(own.secretKey.slice(1, 9));
  });
});
