// Messages that are larger than their recipient accepts end one request, and no connection.

import { Client } from "@pigato/client";
import type { RequestHandler, Worker } from "@pigato/worker";
import { describe, expect, test } from "vitest";
import { newClient, startBroker, startClient, startWorker } from "../support/start.ts";

const MIB = 1024 * 1024;
const LOW = { maxFrameBytes: 100_000 };
const BOUND = "bound is 100000";

/** Answers with as many bytes as it is asked for. */
const large: RequestHandler = (bytes, reply) => {
  runs.push(bytes);
  setTimeout(() => reply.end("x".repeat(Number(bytes) - 2)), Number(bytes) < 10 ? 300 : 0);
};
let runs: unknown[] = [];

function disconnects(peer: Client | Worker): string[] {
  const reasons: string[] = [];
  const note = (reason: string): void => void reasons.push(reason);
  if (peer instanceof Client) peer.on("disconnect", note);
  else peer.on("disconnect", note);
  return reasons;
}

test("a reply of 65 MiB runs once with retry, and fails with its size and the bound", { timeout: 60_000 }, async () => {
  runs = [];
  const { address } = await startBroker();
  const worker = await startWorker(address, "large", large);
  const losses = disconnects(worker);
  const client = await startClient(address);
  const other = client.call("large", 5);
  await expect(client.call("large", 65 * MIB, { retry: 1 })).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message: expect.stringMatching(
      /^the reply to request .* is too large for the broker: a frame of 68157440 bytes; the bound is 67108864/,
    ),
    detail: { code: "INVALID" },
  });
  expect(await other).toBe("xxx");
  expect(runs).toEqual([5, 65 * MIB]);
  expect(losses).toEqual([]);
});

describe.each([{ negotiate: true }, { negotiate: false }])(
  "with a broker of a low bound, and peers with %o",
  (options) => {
    test("a request beyond it fails alone", async () => {
      const { address } = await startBroker(LOW);
      await startWorker(address, "large", large, options);
      const client = await startClient(address, options);
      const others = [1, 2, 3, 4, 5].map(() => client.call("large", 5));
      const failed = client.call("large", "x".repeat(200_000));
      // A classic client gets the code alone.
      await expect(failed).rejects.toThrow(options.negotiate ? BOUND : "INVALID");
      if (options.negotiate) await expect(failed).rejects.toMatchObject({ code: "INVALID", delivery: "not-sent" });
      expect(await Promise.all(others)).toEqual(["xxx", "xxx", "xxx", "xxx", "xxx"]);
    });

    test("a reply beyond it fails alone", async () => {
      runs = [];
      const { address } = await startBroker(LOW);
      const worker = await startWorker(address, "large", large, options);
      const losses = disconnects(worker);
      const client = await startClient(address, options);
      const other = client.call("large", 5);
      const failed = client.call("large", 200_000, { retry: 1 });
      // A classic client gets the code alone.
      await expect(failed).rejects.toThrow(options.negotiate ? BOUND : "INVALID");
      expect(await other).toBe("xxx");
      expect(runs).toEqual([5, 200_000]);
      expect(losses).toEqual([]);
    });

    test("a worker and a client with lower bounds keep their connections as well", async () => {
      runs = [];
      const { address } = await startBroker();
      const worker = await startWorker(address, "large", large, { ...options, ...LOW });
      const client = await startClient(address, { ...options, ...LOW });
      const losses = [disconnects(worker), disconnects(client)];
      const other = client.call("large", 5);
      await expect(client.call("large", "x".repeat(200_000))).rejects.toThrow(BOUND);
      await expect(client.call("large", 200_000)).rejects.toThrow(BOUND);
      expect(await other).toBe("xxx");
      expect(losses).toEqual([[], []]);
    });
  },
);

test("the first request of a connection, sent before the broker's bound is known, fails alone as well", async () => {
  const { address } = await startBroker(LOW);
  await startWorker(address, "large", large);
  const client = newClient(address);
  const failed = client.call("large", "x".repeat(200_000));
  const other = client.call("large", 5);
  await client.start();
  await expect(failed).rejects.toMatchObject({
    code: "INVALID",
    delivery: "not-sent",
    message: expect.stringContaining(BOUND),
  });
  expect(await other).toBe("xxx");
});
