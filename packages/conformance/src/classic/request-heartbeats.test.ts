// Whether the client and the worker of a request detect that the other one is dead or alive. Processes of both libraries are
// killed and frozen.

import { describe, expect, onTestFinished, test } from "vitest";
import { fieldOf, type Library } from "./library-process.ts";
import { BRISK, MixedSystem } from "./mixed-system.ts";

/** No timeout ends a request here: only a detected loss does. */
const FOREVER = { timeout: -1 };
const LIBRARIES: readonly Library[] = ["ours", "classic"];

async function open(client: Library, worker: Library): Promise<MixedSystem> {
  const system = await MixedSystem.open({ client, broker: "ours", worker }, BRISK);
  onTestFinished(() => system.close());
  return system;
}

describe.each(LIBRARIES)("a client of %s", (client) => {
  test.each(["kill", "freeze"] as const)(
    "that falls silent (%s) fires the signal of its request's reply",
    async (end) => {
      const system = await open(client, "ours");
      const worker = await system.worker("held", "hold");
      const victim = await system.mortalClient();
      await victim.open("held", 1, FOREVER);
      await worker.until("held");
      expect(await worker.active()).toEqual([true]);
      await victim.process[end]();
      await worker.until("abort");
      expect(await worker.active()).toEqual([false]);
      if (end === "freeze") await victim.process.kill();
    },
  );

  test("that sends heartbeats keeps its request active at a worker of the original, which stops when the client is killed", async () => {
    const system = await open(client, "classic");
    // The original gives up a request at the worker's third heartbeat, long after the client's first ones.
    const worker = await system.mortalWorker("held", "hold", { heartbeat: 500 });
    const victim = await system.mortalClient();
    await victim.open("held", 1, FOREVER);
    await worker.until("held");
    for (let beat = 3; beat < 10; beat++) {
      if (client === "classic") await victim.keepAlive();
      await worker.until("heartbeat", beat);
      expect(await worker.active()).toEqual([true]);
    }
    await victim.process.kill();
    await expect.poll(() => worker.active()).toEqual([false]);
  });

  test("is notified that the worker of its request was frozen", async () => {
    const system = await open(client, "ours");
    const worker = await system.mortalWorker("held", "hold");
    const caller = await system.client();
    await caller.open("held", 1, FOREVER);
    await worker.until("held");
    worker.process.freeze();
    const error = await caller.until("error");
    expect(client === "ours" ? fieldOf(error, "code") : error).toBe("WORKER_LOST");
  });
});

test("a request of a client without capabilities becomes inactive at a worker of the original", async () => {
  const system = await open("classic", "classic");
  const worker = await system.mortalWorker("held", "hold");
  const client = await system.client();
  await client.open("held", 1, FOREVER);
  await worker.until("held");
  await expect.poll(() => worker.active()).toEqual([false]);
});

describe("our client", () => {
  test.each(LIBRARIES)("is notified that its long request is alive, with a worker of %s", async (library) => {
    const system = await open("ours", library);
    const worker = await system.worker("held", "hold");
    const client = await system.client();
    await client.open("held", 1, FOREVER);
    await worker.until("held");
    await client.until("heartbeat", 3);
    expect(await worker.active()).toEqual([true]);
  });

  test.each(LIBRARIES)(
    "that requests notices is notified that its request is queued, and which worker of %s receives it",
    async (library) => {
      const system = await open("ours", library);
      const client = await system.client();
      await client.open("held", 1, { notices: true });
      await client.until("queued");
      const worker = await system.worker("held", "hold");
      expect(await client.until("dispatched")).toBe(await worker.id());
    },
  );

  test("is notified that its request is alive while it waits for a worker", async () => {
    const system = await open("ours", "ours");
    const client = await system.client();
    await client.open("nothing", 1, FOREVER);
    await client.until("heartbeat", 2);
  });

  test("is notified when a handler reports that it still works, however long the client's interval", async () => {
    const system = await open("ours", "ours");
    const worker = await system.worker("held", "hold");
    const client = await system.client({ heartbeat: 60_000 });
    await client.open("held", 1, FOREVER);
    await worker.until("held");
    await worker.heartbeat();
    await client.until("heartbeat");
  });

  test("is notified that the broker has dropped its request while the client stood still", async () => {
    const system = await open("ours", "ours");
    const worker = await system.worker("held", "hold");
    const client = await system.mortalClient();
    await client.open("held", 1, FOREVER);
    await worker.until("held");
    client.process.freeze();
    await worker.until("abort");
    client.process.thaw();
    expect(await client.until("error")).toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
  });
});
