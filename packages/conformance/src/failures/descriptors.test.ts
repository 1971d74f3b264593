// Processes that may open few files. A broker with more idle connections than that serves a new client, and its log names the cause.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newCurveKeyPair } from "@pigato/broker";
import { Client } from "@pigato/client";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { argumentsFor } from "@pigato/testkit/programs";
import { describe, expect, onTestFinished, test } from "vitest";
import { LOOPBACK, startBroker, startClient, startWorker } from "../support/start.ts";

const BROKER = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const CLIENT = fileURLToPath(new URL("./scarce-main.ts", import.meta.url));
/** Node must have enough to load the program, which opens many at once. */
const MAX_FILES = 512;
/** For programs that take all. */
const MANY_FILES = 4096;

/** The log may come later than a reply. */
const PATIENTLY = { timeout: 10_000, interval: 20 };
/** Fewer than a listener lets wait. */
const BATCH = 128;

/** Runs a program that may open so many files. */
function limited(files: number, source: string, ...args: readonly string[]): PeerProcess {
  const command = `ulimit -n ${files}; exec "$0" "$@"`;
  const program = PeerProcess.program("sh", ["-c", command, process.execPath, ...argumentsFor(source), ...args]);
  onTestFinished(async () => {
    await program.kill();
  });
  return program;
}

/** @returns a broker and its addresses */
async function limitedBroker(...binds: readonly string[]): Promise<{ broker: PeerProcess; addresses: string[] }> {
  const broker = limited(MAX_FILES, BROKER, "--log-format", "json", ...binds);
  const line = await broker.ready(broker.nextLine((text) => text.includes("ready at ")));
  return { broker, addresses: /ready at (.*)/.exec(line)?.[1]?.split(/[\s,]+/) ?? [] };
}

/** Connects, and sends nothing. The connections end after ten seconds, the limit of a handshake. */
async function connectIdle(address: string, count: number): Promise<void> {
  const { hostname, port } = new URL(address);
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let start = 0; start < count; start += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - start) }, () =>
      connect(Number(port), hostname).on("error", () => {}),
    );
    sockets.push(...batch);
    await Promise.all(batch.map((socket) => once(socket, "connect")));
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
    await expect
      .poll(() => rejections(broker, "TOO_MANY_FROM_ADDRESS"), PATIENTLY)
      .toMatchObject([
        { level: 40, msg: "connection rejected", listener: "bind", detail: expect.stringContaining("(ulimit -n)") },
      ]);
  }, 90_000);

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
    await expect
      .poll(() => rejections(broker, "OUT_OF_DESCRIPTORS")[0], PATIENTLY)
      .toMatchObject({
        level: 40,
        detail: expect.stringMatching(/^descriptor \d+ is one of the last: .*\(ulimit -n\)/),
      });
    const listeners = rejections(broker, "OUT_OF_DESCRIPTORS").map(({ listener }) => listener);
    expect(listeners).toEqual([...new Set(listeners)]);
  }, 90_000);
});

test("a broker reports that other code of its process has taken all file descriptors", async () => {
  const broker = limited(MANY_FILES, fileURLToPath(new URL("./scarce-broker-main.ts", import.meta.url)));
  const address = await broker.ready(broker.nextLine());
  await broker.nextLine((line) => line.endsWith(" files"));
  const line = await broker.nextLine((text) => text.startsWith(`rejected OUT_OF_DESCRIPTORS ${address} `));
  expect(line).toMatch(/EMFILE.*\(ulimit -n\)/);
  broker.writeLine("go");
  const client = await startClient(address);
  expect(await client.call("mmi.service", "echo")).toBe("404");
}, 90_000);

test.runIf(process.platform === "linux")(
  "a secured broker without a file descriptor logs the cause, and serves a new client when it has some",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pigato-keys-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { publicKey: serverKey, secretKey } = newCurveKeyPair();
    await writeFile(join(folder, "key"), `${secretKey}\n`, { mode: 0o600 });
    const { broker, addresses } = await limitedBroker(
      "--bind",
      "tcp://127.0.0.1:*",
      "--curve-secret-key-file",
      join(folder, "key"),
    );
    const [address = ""] = addresses;
    const curve = { serverKey, secretKey: newCurveKeyPair().secretKey };
    await startWorker(address, "echo", (data, reply) => reply.end(data), { curve });
    await connectIdle(address, MAX_FILES);
    await using client = new Client(address, { curve });
    await client.start();
    expect(await client.call("echo", "hi", { timeout: 30_000 })).toBe("hi");
    await expect
      .poll(() => rejections(broker, "OUT_OF_DESCRIPTORS"), PATIENTLY)
      .toMatchObject([{ level: 40, listener: "bind", detail: expect.stringContaining("(ulimit -n)") }]);
  },
  90_000,
);

describe.runIf(process.platform === "linux").each([
  { where: "tcp", address: (tcp: string) => tcp, reason: /connect EMFILE 127\.0\.0\.1:\d+: .*\(ulimit -n\)/ },
  { where: "a name", address: (tcp: string) => tcp.replace("127.0.0.1", "localhost"), reason: /EMFILE.*\(ulimit -n\)/ },
  { where: "ipc", address: (_tcp: string, ipc: string) => ipc, reason: /connect EMFILE \/.*\(ulimit -n\)/ },
  { where: "libzmq", address: (tcp: string) => tcp, reason: /EMFILE.*\(ulimit -n\)/, transport: "libzmq" },
  {
    where: "libzmq, which needs several",
    address: (tcp: string) => tcp,
    reason: /EMFILE.*\(ulimit -n\)/,
    transport: "libzmq",
    left: 3,
  },
])("a client without a file descriptor, over $where", ({ address, reason, transport, left }) => {
  test("names the cause, and connects when there is one", async () => {
    const path = `ipc://${join(tmpdir(), `pigato-${randomUUID()}.sock`)}`;
    const { addresses } = await startBroker({}, [LOOPBACK, path]);
    const [tcp = ""] = addresses;
    await startWorker(tcp, "echo", (data, reply) => reply.end(data));
    const settings = { address: address(tcp, path), transport, left };
    const client = limited(MANY_FILES, CLIENT, JSON.stringify(settings));
    await client.ready(client.nextLine((line) => line.endsWith(" files")));
    expect(await client.nextLine((line) => line.startsWith("warning: a client is not connected"))).toMatch(reason);
    client.writeLine("go");
    expect(await client.nextLine((line) => /^(reply|call|start)/.test(line))).toBe("reply: hi");
  }, 90_000);
});
