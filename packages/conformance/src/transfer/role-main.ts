// The programs of a transfer of bytes, by the role in their settings: a worker that sends and stores files, and a client that
// downloads and uploads them. Both compute the checksum of what passes, and note their longest event-loop stall.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@pigato/client";
import { RequestError } from "@pigato/protocol";
import { serve, settingsText, type Tasks } from "@pigato/testkit/serve";
import { Worker } from "@pigato/worker";

export interface RoleSettings {
  readonly role: "worker" | "client";
  readonly address: string;
}

export interface File {
  readonly chunks: number;
  readonly isUpload?: boolean;
  /** Milliseconds that its reader pauses once, after some chunks. */
  readonly readerPauseMs?: number;
  /** Milliseconds that its sender pauses each time after so many chunks. */
  readonly senderPauseMs?: number;
}

export interface Received {
  readonly bytes: number;
  readonly sha256: string;
  /** The checksum of the sender. */
  readonly sentSha256: string;
  /** The code of its failure, if it failed. */
  readonly failure?: string;
}

export interface Stall {
  readonly maxMs: number;
}

const CHUNK_BYTES = 64 * 1024;
const CHUNKS_BETWEEN_PAUSES = 40;

const { role, address }: RoleSettings = JSON.parse(settingsText());
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
serve({ ...(await (role === "worker" ? server() : caller())), stall });

/** The longest stall since the last call. */
function stall(): Stall {
  const maxMs = delay.max / 1e6;
  delay.reset();
  return { maxMs };
}

async function server(): Promise<Tasks> {
  const worker = new Worker(address, "file");
  let lastFailure: unknown;
  let passed = 0;
  const onPassed = (): void => {
    passed += 1;
  };
  worker.on("request", async (data: unknown, reply) => {
    const file = fileOf(data);
    const { signal } = reply;
    signal.addEventListener("abort", () => {
      lastFailure = signal.reason;
    });
    if (file.isUpload) return reply.end(await read(reply.input, file, onPassed));
    const source = new Source(file, onPassed);
    for await (const chunk of source.chunks()) if (!reply.write(chunk)) await once(reply, "drain");
    reply.end(source.sha256);
  });
  await worker.start();
  return {
    passed: () => passed,
    failure: () => (lastFailure instanceof RequestError ? lastFailure.code : null),
  };
}

async function caller(): Promise<Tasks> {
  const client = new Client(address);
  await client.start();
  return { transfer: (argument) => transfer(client, fileOf(argument)).catch(failed) };
}

async function transfer(client: Client, file: File): Promise<Received> {
  if (!file.isUpload) {
    const chunks = client.request<unknown>("file", file, { codec: "raw" });
    return read(chunks, file);
  }
  const source = new Source(file);
  const received = await client.call<Received>("file", file, { codec: "raw", input: source.chunks() });
  return { ...received, sentSha256: source.sha256 };
}

function failed(error: unknown): Received {
  if (!(error instanceof RequestError)) throw error;
  return { bytes: 0, sha256: "", sentSha256: "", failure: error.code };
}

/** The chunks of a file, and its checksum when all have been read. */
class Source {
  sha256 = "";
  readonly #file: File;
  readonly #onChunk: () => void;

  constructor(file: File, onChunk: () => void = () => {}) {
    this.#file = file;
    this.#onChunk = onChunk;
  }

  async *chunks(): AsyncGenerator<Buffer, undefined, undefined> {
    const { chunks, senderPauseMs = 0 } = this.#file;
    const hash = createHash("sha256");
    for (let number = 0; number < chunks; number++) {
      const chunk = Buffer.alloc(CHUNK_BYTES, `chunk ${number} `);
      hash.update(chunk);
      this.#onChunk();
      yield chunk;
      if (senderPauseMs > 0 && number % CHUNKS_BETWEEN_PAUSES === 0) await pause(senderPauseMs);
    }
    this.sha256 = hash.digest("hex");
  }
}

/** Reads chunks, and the checksum of the sender behind them if there is one. */
async function read(chunks: AsyncIterable<unknown>, { readerPauseMs }: File, onChunk = () => {}): Promise<Received> {
  const hash = createHash("sha256");
  let bytes = 0;
  let sentSha256 = "";
  for await (const chunk of chunks) {
    if (!Buffer.isBuffer(chunk)) {
      sentSha256 = String(chunk);
      continue;
    }
    hash.update(chunk);
    bytes += chunk.length;
    onChunk();
    const isPauseDue = bytes / CHUNK_BYTES === CHUNKS_BETWEEN_PAUSES;
    if (readerPauseMs !== undefined && isPauseDue) await pause(readerPauseMs);
  }
  return { bytes, sha256: hash.digest("hex"), sentSha256 };
}

function fileOf(data: unknown): File {
  const file: File = JSON.parse(JSON.stringify(data));
  return file;
}
