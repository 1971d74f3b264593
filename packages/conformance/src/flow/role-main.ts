// The processes of the slow reader, by the role on the command line: whoever sends the long reply, whoever reads it, and
// others who ask short questions meanwhile. Each does what it is told by a message, and answers it when it is done.

import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import type { Order, RoleSettings } from "./role-process.ts";
import { numberOf, part } from "./stage.ts";

const { role, address }: RoleSettings = JSON.parse(process.argv[2] ?? "{}");

const ROLES = { sender, reader, asker };
const perform = await ROLES[role]();
process.on("message", (order: Order) => {
  void perform(order).then((answer) => process.send?.(answer));
});
process.send?.("ready");

/** Sends `parts` of `bytes` each and waits whenever it is asked to. @returns on any order, how far it has come */
async function sender(): Promise<(order: Order) => Promise<object>> {
  const worker = new Worker(address, "rows");
  let written = 0;
  let isWaiting = false;
  worker.on("request", async (data: unknown, reply) => {
    const { parts = 0, bytes = 0 } = asked(data);
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
  return async () => ({ written, isWaiting });
}

/** Reads as many parts as it is told, of a stream that the first order begins. */
async function reader(): Promise<(order: Order) => Promise<object>> {
  const client = new Client(address);
  await client.start();
  let iterator: AsyncIterator<unknown> | undefined;
  let read = 0;
  let wrong = 0;
  let isDone = false;
  return async ({ count = 0, parts = 0, bytes = 0 }) => {
    iterator ??= client.request("rows", { parts, bytes }, { timeout: 600_000 })[Symbol.asyncIterator]();
    for (let number = 0; number < count && !isDone; number++) {
      const { value } = await iterator.next();
      isDone = value === "last" || value === undefined;
      if (isDone) break;
      if (numberOf(value) !== read || String(value).length !== bytes) wrong += 1;
      read += 1;
    }
    return { read, wrong, isDone };
  };
}

/** Asks one short question after another, some at once, for so many `ms`. */
async function asker(): Promise<(order: Order) => Promise<object>> {
  const client = new Client(address);
  await client.start();
  return async ({ ms = 0 }) => {
    const tookMs: number[] = [];
    const end = performance.now() + ms;
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
  };
}

function asked(data: unknown): Order {
  return typeof data === "object" && data !== null ? data : {};
}
