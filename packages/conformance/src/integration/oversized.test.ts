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
      /^the reply to request .* is too large for the broker: data of at least 68157438 bytes; the bound is 67108864/,
    ),
    detail: { code: "INVALID" },
  });
  expect(await other).toBe("xxx");
  expect(runs).toEqual([5, 65 * MIB]);
  expect(losses).toEqual([]);
});

test("data that is too large for the broker is not encoded, and blocks nothing", async () => {
  const { address } = await startBroker(LOW);
  await startWorker(address, "echo", (data, reply) => reply.end(data));
  const client = await startClient(address);
  expect(await client.call("echo", 1)).toBe(1);
  let encoded = 0;
  const last = { toJSON: () => ++encoded };
  const rows = [...Array.from({ length: 50 }, () => ({ text: "x".repeat(10_000) })), last];
  for (const options of [{}, { deadline: 60_000 }, { headers: { trace: "1" } }]) {
    const failed = client.call("echo", { rows }, options);
    await expect(failed).rejects.toMatchObject({ code: "INVALID", delivery: "not-sent" });
    await expect(failed).rejects.toThrow(
      /too large for the broker: data of at least 1\d{5} bytes; the bound is 100000/,
    );
  }
  expect(encoded).toBe(0);
  expect(await client.call("echo", { rows: rows.slice(-2) })).toMatchObject({ rows: [{}, 1] });
});

test("a reply that is too large for the broker is not encoded, and fails alone", async () => {
  const { address } = await startBroker(LOW);
  let encoded = 0;
  const last = { toJSON: () => ++encoded };
  const rows = [...Array.from({ length: 50 }, () => ({ text: "x".repeat(10_000) })), last];
  await startWorker(address, "rows", (form, reply) => {
    if (form === "stream") reply.write(rows);
    reply.end(form === "short" ? "row" : rows);
  });
  const client = await startClient(address);
  for (const form of ["final", "stream"]) {
    await expect(client.call("rows", form)).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: expect.stringMatching(/^the reply to request .* is too large for the broker: data of at least/),
    });
  }
  expect([encoded, await client.call("rows", "short")]).toEqual([0, "row"]);
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
