// A client and a worker reject an invalid address in the same way: in the constructor if it is malformed, in `start()` if the
// transport cannot use it.

import { Client, LinkError, UsageError } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";

const PEERS = [
  { kind: "client", newPeer: (address: string) => new Client(address, { stopTimeoutMs: 0 }) },
  { kind: "worker", newPeer: (address: string) => new Worker(address, "echo", { stopTimeoutMs: 0 }) },
] as const;

function nextError(peer: Client | Worker): Promise<Error> {
  return new Promise((resolve) => {
    if (peer instanceof Client) peer.once("error", resolve);
    else peer.once("error", resolve);
  });
}

describe.each(PEERS)("a $kind", ({ newPeer }) => {
  test.each(["", "localhost:55555", "tcp://"])("throws for %o", (address) => {
    expect(() => newPeer(address)).toThrow(UsageError);
    expect(() => newPeer(address)).toThrow(
      /^the address of the broker must be text such as tcp:\/\/localhost:55555(, with a scheme)?, not /,
    );
  });

  test.each([
    "tcp://localhost",
    "udp://localhost:5555",
    "http://localhost",
    "tcp://localhost:port",
    "tcp://localhost:99999",
    "tcp://*:5555",
  ])("fails to start at %s, and stops", async (address) => {
    const peer = newPeer(address);
    onTestFinished(() => peer.stop());
    const reported = nextError(peer);
    const failure: unknown = await peer.start().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LinkError);
    expect(failure).toMatchObject({ code: "ADDRESS_INVALID", address });
    expect(await reported).toBe(failure);
    await peer.stop();
  });
});
