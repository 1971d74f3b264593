// Every form of an address with every connection option: a client connects, or learns the cause at once.

import { newCurveKeyPair } from "@pigato/broker";
import { Client, type ClientOptions } from "@pigato/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "../support/start.ts";

const server = newCurveKeyPair();
const OPTIONS: readonly [string, ClientOptions][] = [
  ["no option", {}],
  ["libzmq", { transport: "libzmq" }],
  ["CURVE", { curve: { ...newCurveKeyPair(), serverKey: server.publicKey } }],
  ["PLAIN", { plain: { username: "ada", password: "secret" } }],
];

const CONNECTS = ["127.0.0.1", "localhost", "LocalHost", "[::1]", "[::1%lo]", "[0:0:0:0:0:0:0:1]", "::1"];

const FAILS: readonly [string, RegExp][] = [
  ["tcp://127.0.0.1:1\n", /white space/],
  ["tcp://127.0.0.1:1 ", /white space/],
  ["ipc:///tmp/pigato-missing.sock\n", /white space/],
  ["tcp://127.0.0.1:65536", /65536/],
  ["tcp://127.0.0.1:0", /port 0/],
  ["tcp://127.0.0.1", /port is missing/],
  ["tcp://[fe80::1]:1", /needs the interface/],
  ["tcp://[::1:1", /not an IPv6 address/],
  ["tcp://*:1", /only for listening/],
  ["TCP://127.0.0.1:1", /must be text such as tcp:/],
  ["udp://127.0.0.1:1", /expected tcp:/],
  ["tcp://no-such-host.invalid:1", /no-such-host\.invalid/],
  ["tcp://127.0.0.1:1", /127\.0\.0\.1:1/],
];

describe.each(OPTIONS)("with %s", (name, options) => {
  test.each(CONNECTS)("a client connects to the host %s", async (host) => {
    const security =
      name === "CURVE" ? { curve: server } : name === "PLAIN" ? { plain: true, authenticate: () => true } : {};
    const listen = host.includes(":") ? "tcp://[::1]:*" : "tcp://127.0.0.1:*";
    const { address } = await startBroker({ ...security, intch: false }, listen);
    const client = new Client(`tcp://${host}:${address.slice(address.lastIndexOf(":") + 1)}`, options);
    onTestFinished(() => client.stop());
    await client.start();
  });

  test.each(FAILS)("a client of %j learns the cause", async (address, cause) => {
    expect(await failureOf(address, options)).toMatch(cause);
  });
});

/** The message of the first error, wherever it is reported. */
async function failureOf(address: string, options: ClientOptions): Promise<string> {
  try {
    const client = new Client(address, { stopTimeoutMs: 0, logger: false, ...options });
    onTestFinished(() => client.stop());
    const [error] = await Promise.race([
      client.start().then(
        () => [new Error("connected")],
        (cause: Error) => [cause],
      ),
      new Promise<Error[]>((resolve) => client.once("error", (cause) => resolve([cause]))),
      client.call("missing", null, { timeout: 1500 }).then(
        () => [new Error("replied")],
        (cause: Error) => [cause],
      ),
    ]);
    return error?.message ?? "";
  } catch (error) {
    return String(error);
  }
}
