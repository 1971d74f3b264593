// The programs of the slow reader, by the role in their settings: `sender` writes a long reply, `reader` reads it, and `requester`
// sends short requests meanwhile.

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@pigato/client";
import { serve, settingsText, type Tasks } from "@pigato/testkit/serve";
import { Worker } from "@pigato/worker";
import { numberOf, part } from "./parts.ts";

export interface RoleSettings {
  readonly role: "sender" | "reader" | "requester";
  readonly address: string;
}

/** The number of chunks of the whole reply, and their size in bytes. */
export interface ReplySize {
  readonly parts: number;
  readonly bytes: number;
}

const { role, address }: RoleSettings = JSON.parse(settingsText());
const ROLES: Readonly<Record<RoleSettings["role"], () => Promise<Tasks>>> = { sender, reader, requester };
serve(await ROLES[role]());

/** Sends the reply and pauses when `write` returns false. */
async function sender(): Promise<Tasks> {
  const worker = new Worker(address, "rows");
  let written = 0;
  let isWaiting = false;
  worker.on("request", async (data: unknown, reply) => {
    const { parts, bytes } = sizeOf(data);
    for (; written < parts; ) {
      const goesOn = reply.write(part(written, bytes));
      written += 1;
      isWaiting = !goesOn;
      if (isWaiting) await once(reply, "drain");
    }
    isWaiting = false;
    reply.end("last");
  });
  await worker.start();
  return { progress: () => ({ written, isWaiting }) };
}

/** Reads as many chunks as each task requests; the first task starts the stream. */
async function reader(): Promise<Tasks> {
  const client = new Client(address);
  await client.start();
  let iterator: AsyncIterator<unknown> | undefined;
  let read = 0;
  let wrong = 0;
  let isDone = false;
  return {
    read: async (argument) => {
      const { count, ...size }: ReplySize & { readonly count: number } = JSON.parse(String(argument));
      iterator ??= client.request("rows", size, { timeout: 600_000 })[Symbol.asyncIterator]();
      for (let number = 0; number < count && !isDone; number++) {
        const { value } = await iterator.next();
        isDone = value === "last" || value === undefined;
        if (isDone) break;
        if (numberOf(value) !== read || String(value).length !== size.bytes) wrong += 1;
        read += 1;
      }
      return { read, wrong, isDone };
    },
  };
}

/** Sends short requests for this many milliseconds, four at a time. */
async function requester(): Promise<Tasks> {
  const client = new Client(address);
  await client.start();
  return {
    ask: async (ms) => {
      const tookMs: number[] = [];
      const end = performance.now() + Number(ms);
      const ask = async (): Promise<void> => {
        while (performance.now() < end) {
          const start = performance.now();
          await client.call("echo", start);
          tookMs.push(performance.now() - start);
          await pause(5);
        }
      };
      await Promise.all([ask(), ask(), ask(), ask()]);
      tookMs.sort((left, right) => left - right);
      const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? 0;
      return { answered: tookMs.length, medianMs: at(0.5), p99Ms: at(0.99) };
    },
  };
}

function sizeOf(data: unknown): ReplySize {
  const size: ReplySize = JSON.parse(JSON.stringify(data));
  return size;
}
