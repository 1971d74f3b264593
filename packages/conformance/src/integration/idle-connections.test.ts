// Peers that send their first request long after they connected, to a broker with `idleConnectionMs`: the broker disconnects them,
// they connect again, and the request is not lost.

import { expect, onTestFinished, test } from "vitest";
import { Request } from "zeromq";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient } from "../classic/peers.ts";
import {
  connectRawPeer,
  newClient,
  type RunningBroker,
  startBroker,
  startClient,
  startWorker,
} from "../support/start.ts";

const IDLE_MS = 300;

async function startIdleLimited(): Promise<RunningBroker> {
  const running = await startBroker({ idleConnectionMs: IDLE_MS }, [
    { address: "tcp://127.0.0.1:*", timeoutMs: 10_000 },
  ]);
  await startWorker(running.address, "echo", (data, reply) => reply.end(data));
  return running;
}

/** Waits until the broker has disconnected an idle peer. */
async function disconnected({ rejections }: RunningBroker): Promise<void> {
  await rejections.take(({ code }) => code === "IDLE");
}

test.each([
  { version: "0.1", request: ["", "MDPC01", "echo", "1"], reply: ["", "MDPC01", "echo", "1"] },
  { version: "0.2", request: ["MDPC02", "\u0001", "echo", "1"], reply: ["MDPC02", "\u0003", "echo", "1"] },
])("a DEALER of MDP $version is served after it was idle", async ({ request, reply }) => {
  const running = await startIdleLimited();
  const client = connectRawPeer(running.address);
  await disconnected(running);
  await disconnected(running);
  await client.send(...request);
  expect(await client.next()).toEqual(reply);
});

test("a REQ socket of MDP 0.1 is served after it was idle", async () => {
  const running = await startIdleLimited();
  const client = new Request({ linger: 0 });
  onTestFinished(() => client.close());
  client.connect(running.address);
  await disconnected(running);
  await client.send(["MDPC01", "echo", "1"]);
  expect((await client.receive()).map(String)).toEqual(["MDPC01", "echo", "1"]);
});

test.each(["mdp01", "mdp02"] as const)(
  "a client of ours with the dialect %s is served after it was idle",
  async (dialect) => {
    const running = await startIdleLimited();
    const client = newClient(running.address, { dialect, reconnect: 50 });
    void client.start();
    await new Promise((resolve) => client.once("disconnect", resolve));
    expect(await client.call("echo", "1", { timeout: 10_000 })).toBe("1");
  },
);

test("clients of ours and of npm pigato@0.0.46 send a message when they connect, and stay", async () => {
  const running = await startIdleLimited();
  const classic = await LibraryProcess.start("classic");
  onTestFinished(() => classic.kill());
  const client = await startClient(running.address, { negotiate: false });
  const other = await startClassicClient(classic, { address: running.address });
  const idle = connectRawPeer(running.address);
  await disconnected(running);
  idle.close();
  expect(await client.call("echo", "1")).toBe("1");
  expect(await other.request("echo", "1")).toMatchObject({ final: "1" });
  expect(running.rejections.items.filter(({ code }) => code !== "IDLE")).toEqual([]);
});
