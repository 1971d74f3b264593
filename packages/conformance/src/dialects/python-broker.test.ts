// Our client and worker with a Majordomo broker in Python: an independent stack. foreign-broker.test.ts tests every case in
// detail; this file tests that another implementation understands our peers.

import { Client } from "@pigato/client";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { type Reply, UsageError, Worker } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { runPython } from "../support/spawn.ts";
import { LOOPBACK } from "../support/start.ts";
import type { Version } from "./foreign-broker.ts";

const BROKER = new URL("./python/broker.py", import.meta.url);
const VERSIONS: readonly Version[] = ["mdp01", "mdp02"];
/** Tolerates a test machine that pauses, and reconnects quickly. */
const CALM = { heartbeat: 50, heartbeatLiveness: 60, reconnect: 10, reconnectMaxMs: 20, connectTimeoutMs: 200 };

class PythonBroker {
  readonly address: string;
  readonly process: PeerProcess;

  /** @param liveness silent intervals after which the broker loses a worker; many by default */
  static async start(version: Version, address = LOOPBACK, liveness?: number): Promise<PythonBroker> {
    const args = [version, address, ...(liveness === undefined ? [] : [String(liveness)])];
    const process = runPython(BROKER, args);
    onTestFinished(() => void process.kill());
    const [, bound] = JSON.parse(await process.nextLine());
    return new PythonBroker(process, bound);
  }

  private constructor(process: PeerProcess, address: string) {
    this.process = process;
    this.address = address;
  }

  /** The peer of the next such event. Skips other events, but no worker may have expired. */
  async next(event: string): Promise<string> {
    for (;;) {
      const [happened, peer] = JSON.parse(await this.process.nextLine());
      if (happened === event) return peer;
      expect(happened).not.toBe("expired");
    }
  }
}

async function startPeers(
  version: Version,
  handle: (data: unknown, reply: Reply) => unknown,
  options: object = {},
  liveness?: number,
) {
  const broker = await PythonBroker.start(version, LOOPBACK, liveness);
  const worker = new Worker(broker.address, "echo", { dialect: version, ...CALM, ...options });
  worker.on("request", handle);
  onTestFinished(() => worker.stop());
  const client = new Client(broker.address, { dialect: version, reconnect: 10, reconnectMaxMs: 20, stopTimeoutMs: 0 });
  onTestFinished(() => client.stop());
  await Promise.all([worker.start(), client.start()]);
  expect(await broker.next("ready")).toBe(worker.socketId);
  return { broker, worker, client };
}

const echo = (data: unknown, reply: Reply): Reply => reply.end(data);

describe.skipIf(foreignPeers.python.isMissing).each(VERSIONS)("%s: with a broker in Python", (version) => {
  test("D-PEER-1, D-PEER-4: requests are answered one after the other, in JSON and in bytes", async () => {
    const { client } = await startPeers(version, echo);
    const values = Array.from({ length: 100 }, (_, index) => ({ index, text: "ö" }));
    expect(await Promise.all(values.map((value) => client.call("echo", value)))).toEqual(values);
    expect(await client.call("echo", [Buffer.from("one"), Buffer.from(""), Buffer.from("2")])).toEqual(["one", "", 2]);
    expect(await client.call("mmi.service", Buffer.from("echo"))).toBe(200);
    expect(await client.call("mmi.service", Buffer.from("nothing"))).toBe(404);
    expect(await client.call("mmi.other", Buffer.from("x"))).toBe(501);
  });

  test("D-PEER-3: partials arrive if the version has them, and are a UsageError if not", async () => {
    const thrown: unknown[] = [];
    const { client } = await startPeers(version, (_data, reply) => {
      try {
        for (const part of [1, "two", [3]]) reply.write(part);
      } catch (error) {
        thrown.push(error);
      }
      reply.end("last");
    });
    const hasParts = version === "mdp02";
    expect(await client.collect("echo")).toEqual(hasParts ? [1, "two", [3], "last"] : ["last"]);
    expect(thrown).toEqual(hasParts ? [] : [expect.any(UsageError)]);
  });

  test("D-PEER-6: the worker's heartbeats keep it registered, and its DISCONNECT removes it", async () => {
    const { broker, worker, client } = await startPeers(version, echo);
    const { socketId } = worker;
    for (let beat = 0; beat < 10; beat++) expect(await broker.next("heartbeat")).toBe(socketId);
    expect(await client.call("echo", 1)).toBe(1);
    await worker.stop();
    expect(await broker.next("disconnect")).toBe(socketId);
  });

  test("D-PEER-6: both reconnect to a broker that was killed and restarts", async () => {
    const { broker, worker, client } = await startPeers(version, echo);
    expect(await client.call("echo", 1)).toBe(1);
    await broker.process.kill();
    const again = await PythonBroker.start(version, broker.address);
    expect(await client.call("echo", 2)).toBe(2);
    expect(await again.next("ready")).toBe(worker.socketId);
  });

  test("D-PEER-6: a worker that the broker dropped learns that from the reply to its next message, and registers again", async () => {
    // Its heartbeat interval is five times as long as the broker waits for one.
    const { broker, worker, client } = await startPeers(version, echo, { heartbeat: 1_000 }, 4);
    const before = worker.socketId;
    expect(await broker.next("expired")).toBe(before);
    const answer = client.call("echo", 1);
    const after = await broker.next("ready");
    expect(after).not.toBe(before);
    expect(await answer).toBe(1);
    expect(worker.socketId).toBe(after);
  });

  test("D-PEER-6: the worker disconnects from a frozen broker, and reconnects under a new id", async () => {
    const { broker, worker } = await startPeers(version, echo, { heartbeatLiveness: 10 });
    const before = worker.socketId;
    const lost = new Promise((resolve) => worker.once("disconnect", resolve));
    broker.process.signal("SIGSTOP");
    expect(await lost).toBe("silence");
    broker.process.signal("SIGCONT");
    expect(await broker.next("ready")).not.toBe(before);
  });
});
