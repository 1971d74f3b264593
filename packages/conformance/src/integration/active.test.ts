// A handler detects, over tcp, that its caller is gone: `reply.active()` returns false and the signal aborts, whichever end was
// lost.

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { Client } from "@pigato/client";
import type { Reply } from "@pigato/worker";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { spawnBroker } from "../support/spawn.ts";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";

const BRISK = { reconnect: 50 };

let address = "";

beforeEach(async () => {
  ({ address } = await startBroker());
});

test("reply.active() turns false when the client discards the request", async () => {
  const replies = await held(address);
  const client = await connected(address);
  const giveUp = new AbortController();
  const answer = client.call("held", 1, { signal: giveUp.signal });
  const reply = await replies();
  expect(reply.active()).toBe(true);

  const canceled = expect(answer).rejects.toMatchObject({ code: "CANCELED" });
  giveUp.abort();
  await canceled;
  await abortOf(reply);
  expect(reply.active()).toBe(false);
  expect(reply.signal.reason).toMatchObject({ code: "CANCELED" });
});

test("reply.active() turns false when the client's connection is gone", async () => {
  const replies = await held(address);
  const client = connectRawPeer(address, "a-client");
  await client.send("C", "4", "pigato/1 cancel error");
  await client.send("C", "2", "held", "r1", "1", "{}");
  const reply = await replies();
  expect(reply.active()).toBe(true);

  client.close();
  await abortOf(reply);
  expect(reply.active()).toBe(false);
});

test("reply.active() turns false when the worker loses its broker", async () => {
  const broker = await spawnBroker();
  onTestFinished(() => void broker.kill());
  const replies = await held(broker.address);
  const client = await connected(broker.address);
  const answer = client.call("held", 1);
  const reply = await replies();
  expect(reply.active()).toBe(true);

  const lost = expect(answer).rejects.toMatchObject({ code: "BROKER_LOST" });
  await broker.kill("SIGKILL");
  await abortOf(reply);
  expect(reply.active()).toBe(false);
  await lost;
});

test("a long stream stops when its client has canceled it", async () => {
  const stopped = new Promise<number>((resolve) => {
    const handler = async (_data: unknown, reply: Reply): Promise<void> => {
      let sent = 0;
      while (reply.active()) {
        if (!reply.write(++sent)) await once(reply, "drain");
        await setImmediate();
      }
      resolve(sent);
    };
    void startWorker(address, "endless", handler, BRISK);
  });
  const client = await connected(address);

  const seen: unknown[] = [];
  for await (const part of client.request("endless")) {
    seen.push(part);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(await stopped).toBeGreaterThanOrEqual(3);
});

/** A worker that never replies. @returns takes its first reply */
async function held(broker: string): Promise<() => Promise<Reply>> {
  let onRequest: (reply: Reply) => void = () => {};
  const first = new Promise<Reply>((resolve) => {
    onRequest = resolve;
  });
  await startWorker(broker, "held", (_data, reply) => onRequest(reply), BRISK);
  return () => first;
}

function connected(broker: string): Promise<Client> {
  return startClient(broker, BRISK);
}

async function abortOf({ signal }: Reply): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
