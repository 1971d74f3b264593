// Deadlines, headers and acceptTimeout over sockets, with peers of ours and of npm `pigato@0.0.46`.

import { once } from "node:events";
import { FakeClock, Inbox } from "@pigato/testkit";
import type { Reply } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicBroker, startClassicWorker } from "../classic/peers.ts";
import { connectRawPeer, newClient, startBroker, startClient, startWorker } from "../support/start.ts";

test("a deadline reaches the handler, ends the call at the client and aborts the handler", async () => {
  const clock = new FakeClock();
  const { address } = await startBroker({ clock });
  const replies = new Inbox<Reply>();
  await startWorker(address, "slow", (_data, reply) => replies.add(reply), { clock });
  const client = await startClient(address, { clock });
  const failed = expect(client.call("slow", 1, { deadline: 200 })).rejects.toMatchObject({
    code: "DEADLINE_EXCEEDED",
    message: expect.stringContaining("exceeded its deadline of 200 ms"),
  });
  const { info, signal } = await replies.take();
  expect([info.deadline instanceof Date, info.timeLeft()]).toEqual([true, 200]);
  const aborted = once(signal, "abort");
  clock.advance(200);
  await failed;
  await aborted;
  expect([info.timeLeft(), signal.reason.code]).toEqual([0, "DEADLINE_EXCEEDED"]);
});

test("a deadline is enforced by the client alone at a broker of npm pigato", async () => {
  const broker = await startClassicBroker();
  const client = newClient(await broker.address());
  void client.start();
  await expect(client.call("unserved", 1, { deadline: 300 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
});

test("headers reach workers of ours and of npm pigato, with names in lower case", async () => {
  const { address } = await startBroker({ intch: false });
  await startWorker(address, "own", (_data, reply, opts) => [reply.info.headers, opts.headers]);
  const old = connectRawPeer(address);
  await old.send("W", "1", "old");
  await old.send("W", "4", "", '{"concurrency":1}');
  const client = await startClient(address);
  expect(await client.call("own", 1, { headers: { Trace: "1-2" } })).toEqual([{ trace: "1-2" }, { trace: "1-2" }]);
  const called = client.call("old", 1, { headers: { Trace: "1-2" }, deadline: 60_000, timeout: 1_000, retry: 0 });
  const [, , requestAddress = "", , , id = "", ...rest] = await old.nextThat((frames) => frames[1] === "2");
  expect(rest).toEqual(["1", '{"timeout":1000,"retry":0,"headers":{"trace":"1-2"}}']);
  await old.send("W", "3", requestAddress, "", id, "0", "2", "{}");
  expect(await called).toBe(2);
});

test("a worker of npm pigato serves a request with a deadline, headers and a method", async () => {
  const { address } = await startBroker({ intch: false });
  const library = await LibraryProcess.start("classic");
  await startClassicWorker(library, { address, service: "echo", behavior: "echo" });
  const client = await startClient(address);
  const options = { deadline: 10_000, headers: { a: "b" }, acceptTimeout: 5_000 };
  expect(await client.call("echo", 1, options)).toBe(1);
  expect(await client.call("echo", 1, { ...options, method: "m" })).toEqual({ args: [1], kwargs: {}, method: "m" });
});

test("acceptTimeout ends a call that no worker takes, and one without a connection", async () => {
  const { address, broker } = await startBroker();
  const client = await startClient(address);
  const unavailable = { code: "UNAVAILABLE", isRetrySafe: true };
  await expect(client.call("unserved", 1, { acceptTimeout: 100 })).rejects.toMatchObject({
    ...unavailable,
    delivery: "queued",
  });
  await broker.stop();
  const offline = newClient(address);
  void offline.start();
  onTestFinished(() => offline.stop());
  await expect(offline.call("unserved", 1, { acceptTimeout: 100 })).rejects.toMatchObject({
    ...unavailable,
    delivery: "not-sent",
  });
});

test("P-TAG-3: a worker answers headers of another form with INVALID, and stays connected", async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data) => data);
  const raw = connectRawPeer(address);
  await raw.send("C", "4", "pigato/1 headers error heartbeat=60000");
  for (const [id, headers] of [
    ["r1", "headers=[1]"],
    ["r2", 'headers={"a":1}'],
    ["r3", "headers={"],
    ["r3b", 'headers={"a":"1\\u0000"}'],
    ["r3c", 'headers={"a":"1\\r\\nb: 2"}'],
  ]) {
    await raw.send("C", "2", "echo", id ?? "", "1", "{}", headers ?? "");
    const reply = await raw.nextThat((frames) => frames[1] === "3");
    expect(reply.slice(3, 5)).toEqual([id, "-1"]);
    expect(JSON.parse(reply[5] ?? "")).toMatchObject({ code: "INVALID" });
  }
  await raw.send("C", "2", "echo", "r4", "1", "{}", `headers={"a":"${"x".repeat(9_000)}"}`);
  expect((await raw.nextThat((frames) => frames[1] === "3"))[5]).toContain("INVALID");
  await raw.send("C", "2", "echo", "r5", "1", "{}", 'headers={"a":"b"}');
  expect((await raw.nextThat((frames) => frames[3] === "r5")).slice(4, 6)).toEqual(["0", "1"]);
});
