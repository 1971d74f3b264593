// Processes that may open few files. A broker with more idle connections than that serves a new client, and its log names the cause.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { Client } from "@pigato/client";
import { PeerProcess, RUN_SOURCES } from "@pigato/testkit/peer-process";
import { describe, expect, onTestFinished, test } from "vitest";
import { startWorker } from "../support/start.ts";

const BROKER = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const MAX_FILES = 256;

/** Runs a program that may open `MAX_FILES` files. */
function limited(...args: readonly string[]): PeerProcess {
  const command = `ulimit -n ${MAX_FILES}; exec "$0" "$@"`;
  const program = PeerProcess.program("bash", ["-c", command, process.execPath, ...RUN_SOURCES, ...args]);
  onTestFinished(async () => {
    await program.kill();
  });
  return program;
}

/** @returns a broker and its addresses */
async function limitedBroker(...binds: readonly string[]): Promise<{ broker: PeerProcess; addresses: string[] }> {
  const broker = limited(BROKER, "--log-format", "json", ...binds);
  const line = await broker.ready(broker.nextLine((text) => text.includes("ready at ")));
  return { broker, addresses: /ready at (.*)/.exec(line)?.[1]?.split(/[\s,]+/) ?? [] };
}

/** Connects, and sends nothing. */
async function connectIdle(address: string, count: number): Promise<void> {
  const { hostname, port } = new URL(address);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let connected = 0; connected < count; connected++) {
    const socket = connect(Number(port), hostname).on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
  }
}

/** The lines of a broker's log about rejected connections with this code. */
function rejections(broker: PeerProcess, code: string): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = broker.stderr
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line));
  return lines.filter((line) => line.code === code);
}

describe.runIf(process.platform === "linux")("a broker that may open few files", () => {
  test("serves a new client with more idle connections than files, and its log names the cause once", async () => {
    const { broker, addresses } = await limitedBroker("--bind", "tcp://127.0.0.1:*");
    const [address = ""] = addresses;
    await startWorker(address, "echo", (data, reply) => reply.end(data));
    await connectIdle(address, 2 * MAX_FILES);
    await using client = new Client(address);
    await client.start();
    expect(await client.call("echo", "hi", { timeout: 20_000 })).toBe("hi");
    expect(rejections(broker, "TOO_MANY_FROM_ADDRESS")).toMatchObject([
      { level: 40, msg: "connection rejected", listener: "bind", detail: expect.stringContaining("(ulimit -n)") },
    ]);
  }, 60_000);

  test("keeps descriptors for itself, whatever its listeners have", async () => {
    const { broker, addresses } = await limitedBroker(
      "--frontend",
      "tcp://127.0.0.1:*",
      "--backend",
      "tcp://127.0.0.1:*",
    );
    const [frontend = "", backend = ""] = addresses;
    await startWorker(backend, "echo", (data, reply) => reply.end(data));
    await connectIdle(frontend, MAX_FILES / 2);
    await connectIdle(backend, MAX_FILES / 2);
    await using client = new Client(frontend);
    await client.start();
    expect(await client.call("echo", "hi", { timeout: 20_000 })).toBe("hi");
    expect(rejections(broker, "OUT_OF_DESCRIPTORS")).toMatchObject([
      { level: 40, detail: expect.stringMatching(/^descriptor \d+ is one of the last: .*\(ulimit -n\)/) },
    ]);
  }, 60_000);
});
