// The programs of a transfer of bytes, by the role in their settings: `sender` is a worker that sends files, `reader` is a client that
// reads them. Both compute the checksum of what passes, and note their longest event-loop stall.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@pigato/client";
import { RequestError } from "@pigato/protocol";
import { serve, settingsText, type Tasks } from "@pigato/testkit/serve";
import { Worker } from "@pigato/worker";

export interface RoleSettings {
  readonly role: "sender" | "reader";
  readonly address: string;
}

export interface Download {
  readonly chunks: number;
  /** Milliseconds that the reader pauses after so many chunks, and that the sender pauses likewise. */
  readonly readerPauseMs?: number;
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
serve({ ...(await (role === "sender" ? sender() : reader())), stall });

/** The longest stall since the last call. */
function stall(): Stall {
  const maxMs = delay.max / 1e6;
  delay.reset();
  return { maxMs };
}

async function sender(): Promise<Tasks> {
  const worker = new Worker(address, "file");
  let lastFailure: unknown;
  let sent = 0;
  worker.on("request", async (data: unknown, reply) => {
    const { chunks, senderPauseMs = 0 } = downloadOf(data);
    const { signal } = reply;
    signal.addEventListener("abort", () => {
      lastFailure = signal.reason;
    });
    const hash = createHash("sha256");
    for (let number = 0; number < chunks && reply.active(); number++) {
      const chunk = Buffer.alloc(CHUNK_BYTES, `chunk ${number} `);
      hash.update(chunk);
      sent += 1;
      if (!reply.write(chunk)) await once(reply, "drain");
      if (senderPauseMs > 0 && number % CHUNKS_BETWEEN_PAUSES === 0) await pause(senderPauseMs);
    }
    reply.end({ sha256: hash.digest("hex") });
  });
  await worker.start();
  return {
    sent: () => sent,
    failure: () => (lastFailure instanceof RequestError ? lastFailure.code : null),
  };
}

async function reader(): Promise<Tasks> {
  const client = new Client(address);
  await client.start();
  return { download: (argument) => download(client, downloadOf(argument)) };
}

async function download(client: Client, wanted: Download): Promise<Received> {
  const hash = createHash("sha256");
  let bytes = 0;
  let sentSha256 = "";
  try {
    for await (const chunk of client.request<Buffer | { sha256: string }>("file", wanted, { codec: "raw" })) {
      if (!Buffer.isBuffer(chunk)) {
        sentSha256 = chunk.sha256;
        continue;
      }
      hash.update(chunk);
      bytes += chunk.length;
      const isPauseDue = (bytes / CHUNK_BYTES) % CHUNKS_BETWEEN_PAUSES === 0;
      if (wanted.readerPauseMs !== undefined && isPauseDue) await pause(wanted.readerPauseMs);
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { bytes, sha256: "", sentSha256, failure: error.code };
  }
  return { bytes, sha256: hash.digest("hex"), sentSha256 };
}

function downloadOf(data: unknown): Download {
  const wanted: Download = JSON.parse(JSON.stringify(data));
  return wanted;
}
