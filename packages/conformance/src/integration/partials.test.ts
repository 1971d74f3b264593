// Several partials in one message (P-REP-9), over tcp: raw sockets with our client or worker.

import type { RawPeer } from "@pigato/testkit/raw-peer";
import { beforeEach, expect, test } from "vitest";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";

let address = "";

beforeEach(async () => {
  ({ address } = await startBroker({ intch: false }));
});

/** A raw worker that replies to one request with three partials in one message, and a final. */
async function rawWorker(): Promise<void> {
  const worker = connectRawPeer(address, "a-worker");
  await worker.send("W", "1", "count", "pigato/1 partials");
  expect((await worker.receive("W", "1"))[2]).toMatch(/^pigato\/1 partials( |$)/);
  void worker.receive("W", "2").then(async ([, , token = "", , , id = ""]) => {
    await worker.send("W", "13", token, "", id, "{}", "1", "2", "3");
    await worker.send("W", "3", token, "", id, "0", "null", "{}");
  });
}

/** Our worker, which counts to three. */
async function ourWorker(): Promise<void> {
  await startWorker(address, "count", (_, reply) => {
    for (const number of [1, 2, 3]) reply.write(number);
    reply.end(null);
  });
}

async function rawClient(...greeting: string[]): Promise<RawPeer> {
  const client = connectRawPeer(address, "a-client");
  await client.send("C", "4", ...greeting);
  await client.receive("C", "4");
  await client.send("C", "2", "count", "r1", "null", "{}");
  return client;
}

test.each([
  ["a raw worker", rawWorker],
  ["ours", ourWorker],
])("batched partials of %s reach a raw client that negotiated them as one message", async (_, start) => {
  await start();
  const client = await rawClient("pigato/1 partials error cancel");
  expect(await client.receive("C", "13")).toEqual(["C", "13", "", "r1", "{}", "1", "2", "3"]);
  expect(await client.receive("C", "3")).toEqual(["C", "3", "", "r1", "0", "null", "{}"]);
});

test.each([
  ["a raw worker", rawWorker],
  ["ours", ourWorker],
])("batched partials of %s reach an old client one by one", async (_, start) => {
  await start();
  const client = await rawClient();
  for (const number of ["1", "2", "3"]) {
    expect(await client.receive("C", "*")).toEqual(["C", "6", "", "r1", "0", number, "{}"]);
  }
  expect(await client.receive("C", "*")).toEqual(["C", "3", "", "r1", "0", "null", "{}"]);
});

test("batched partials of a raw worker reach our client, which cancels the request when its caller stops reading", async () => {
  await rawWorker();
  const client = await startClient(address);
  const seen: unknown[] = [];
  for await (const part of client.request("count")) {
    seen.push(part);
    if (part === 2) break;
  }
  expect(seen).toEqual([1, 2]);
});
