// Peers that begin messages and never end them, against a broker whose memory is limited by the system.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { argumentsFor } from "@pigato/testkit/programs";
import { expect, onTestFinished, test } from "vitest";
import { startClient, startWorker } from "../support/start.ts";

const BROKER = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const MIB = 1024 * 1024;
/** Of memory that the broker's process writes to. */
const LIMIT_MIB = 1500;
const PEERS = 14;
const FRAMES_PER_PEER = 8;
const FRAME = Buffer.alloc(20 * MIB, "x");

test.runIf(process.platform === "linux")(
  "a broker of limited memory outlives peers that send 2,240 MiB of messages without an end, and serves others",
  { timeout: 120_000 },
  async () => {
    const broker = await startLimitedBroker();
    await startWorker(broker.address, "echo", (data, reply) => reply.end(data));
    const client = await startClient(broker.address);
    const attackers = Array.from({ length: PEERS }, (_, index) => attack(broker.address, `attacker ${index}`));
    let answers = 0;
    const attacked = Promise.allSettled(attackers);
    let isOver = false;
    void attacked.then(() => {
      isOver = true;
    });
    while (!isOver) {
      expect(await client.call("echo", answers, { timeout: 30_000 })).toBe(answers);
      answers += 1;
    }
    expect(answers).toBeGreaterThan(10);
    expect(await client.call("echo", "after")).toBe("after");
    expect(broker.process.isRunning).toBe(true);
    expect(broker.process.stderr).toContain("TOO_MUCH_UNFINISHED");
    expect(broker.process.residentMiB).toBeLessThan(LIMIT_MIB);
  },
);

/** The command, under a limit of its data segment. */
async function startLimitedBroker(): Promise<{ readonly process: PeerProcess; readonly address: string }> {
  const command = [process.execPath, ...argumentsFor(BROKER), "--bind", "tcp://127.0.0.1:*"].map((word) => `'${word}'`);
  const broker = PeerProcess.program("sh", ["-c", `ulimit -d ${LIMIT_MIB * 1024} && exec ${command.join(" ")}`]);
  onTestFinished(async () => {
    await broker.kill();
  });
  const line = await broker.ready(broker.nextLine((text) => text.includes("ready at ")));
  return { process: broker, address: /ready at ([^\s,]+)/.exec(line)?.[1] ?? "" };
}

/** Sends whole frames of a message that never ends. Resolves when all are written, or the broker has closed the connection. */
async function attack(address: string, routingId: string): Promise<void> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.resume();
  socket.write(handshake(routingId));
  const header = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(FRAME.length, 5);
  for (let sent = 0; sent < FRAMES_PER_PEER && !socket.destroyed; sent++) {
    socket.write(header);
    await Promise.race([written(socket, FRAME), closed]);
  }
}

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()));
}

/** The greeting of ZMTP 3.0 with NULL, and READY. */
function handshake(routingId: string): Buffer {
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
  greeting.write("NULL", 12, "latin1");
  const body = Buffer.concat([
    Buffer.from("\u0005READY", "latin1"),
    property("Socket-Type", "DEALER"),
    property("Identity", routingId),
  ]);
  return Buffer.concat([greeting, Buffer.from([4, body.length]), body]);
}

function property(name: string, value: string): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)]);
}
