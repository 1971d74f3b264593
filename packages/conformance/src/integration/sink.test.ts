// Sinks and pushers with the sockets of libzmq, from Node and from Python.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { Pusher, Sink } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { Push } from "zeromq";
import { runPython } from "../support/spawn.ts";

const PEER = new URL("./sink-peer.py", import.meta.url);

async function startedSink(): Promise<Sink> {
  const sink = new Sink("tcp://127.0.0.1:*");
  await sink.start();
  onTestFinished(() => sink.stop());
  return sink;
}

async function take(sink: Sink, count: number): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of sink) if (messages.push(message) === count) break;
  return messages;
}

test("a sink receives what a PUSH socket of libzmq sends, over tcp and ipc", async () => {
  const sink = await startedSink();
  const path = `ipc:///tmp/pigato-sink-${process.pid}.sock`;
  const local = new Sink(path);
  await local.start();
  onTestFinished(() => local.stop());
  for (const [address, target] of [
    [sink.address, sink],
    [path, local],
  ] as const) {
    const push = new Push();
    push.connect(address);
    await push.send('{"task":1}');
    await push.send(["a", "b"]);
    expect(await take(target, 2)).toEqual([{ task: 1 }, ["a", "b"]]);
    push.close();
  }
});

describe.skipIf(foreignPeers.python.isMissing)("with Python", () => {
  test("a sink receives what butler's workers push", async () => {
    const sink = await startedSink();
    const peer = runPython(PEER, ["push", sink.address]);
    peer.writeLine("task received");
    peer.writeLine('{"task":2}');
    expect(await take(sink, 2)).toEqual(["task received", { task: 2 }]);
    peer.signal("SIGKILL");
  });

  test("a pusher sends text and JSON to butler's sink", async () => {
    const peer = runPython(PEER, ["pull", "tcp://127.0.0.1:*"]);
    const [, address = ""] = (await peer.nextLine()).split(" ");
    const pusher = new Pusher(address);
    onTestFinished(() => pusher.stop());
    await pusher.push(Buffer.from("task received"));
    await pusher.push({ task: 2 });
    expect([await peer.nextLine(), await peer.nextLine()]).toEqual(["task received", '{"task":2}']);
    peer.signal("SIGKILL");
  });
});
