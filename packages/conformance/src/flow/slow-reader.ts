// One client reads a very long reply slowly, while others ask short questions: the broker must hold next to nothing of it, the
// others must not notice, and nothing may be lost. All are processes of their own. The short form is a test; `pnpm slow-reader`
// runs the long one.

import { setTimeout as pause } from "node:timers/promises";
import { BrokerProcess } from "../support/broker-process.ts";
import { WorkerProcess } from "../support/worker-process.ts";
import { RoleProcess } from "./role-process.ts";

export const PART_BYTES: number = 64 * 1024;

interface Sent {
  readonly written: number;
  readonly isWaiting: boolean;
}

interface Read {
  readonly read: number;
  /** Parts that came out of order, or not whole. */
  readonly wrong: number;
  readonly isDone: boolean;
}

export interface Latency {
  readonly answered: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface Scene {
  readonly broker: BrokerProcess;
  readonly sender: RoleProcess;
  readonly reader: RoleProcess;
  readonly asker: RoleProcess;
  close(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const broker = await BrokerProcess.start("--log-level", "fatal");
  const { address } = broker;
  const starting = Promise.all([
    RoleProcess.start({ role: "sender", address }),
    RoleProcess.start({ role: "reader", address }),
    RoleProcess.start({ role: "asker", address }),
    WorkerProcess.start({ address, service: "echo" }),
  ]);
  const [sender, reader, asker, echo] = await starting.catch(async (error: unknown) => {
    await broker.kill("SIGKILL");
    throw error;
  });
  return {
    broker,
    sender,
    reader,
    asker,
    async close() {
      await Promise.all([sender.kill(), reader.kill(), asker.kill(), echo.kill()]);
      await broker.kill("SIGKILL");
    },
  };
}

export interface Progress {
  readonly read: number;
  /** Parts that have left the handler and were not read. */
  readonly ahead: number;
  readonly brokerMiB: number;
  readonly readerMiB: number;
}

export interface Outcome {
  readonly parts: number;
  readonly read: number;
  readonly wrong: number;
  readonly mostAhead: number;
  readonly brokerMiB: number;
  readonly readerMiB: number;
}

/**
 * Has the reader read all of a reply, `step` parts at a time.
 * @param rest called before each step, with how far things have come
 */
export async function readInSteps(
  { broker, sender, reader }: Scene,
  parts: number,
  step: number,
  rest: (progress: Progress) => Promise<void>,
): Promise<Outcome> {
  let state: Read = await reader.tell({ parts, bytes: PART_BYTES, count: 1 });
  let [mostAhead, brokerMiB, readerMiB] = [0, 0, 0];
  while (!state.isDone) {
    const { written } = await untilWaiting(sender, parts);
    const ahead = written - state.read;
    const now = { read: state.read, ahead, brokerMiB: broker.residentMiB, readerMiB: reader.residentMiB };
    mostAhead = Math.max(mostAhead, ahead);
    brokerMiB = Math.max(brokerMiB, now.brokerMiB);
    readerMiB = Math.max(readerMiB, now.readerMiB);
    await rest(now);
    state = await reader.tell({ parts, bytes: PART_BYTES, count: step });
  }
  return { parts, read: state.read, wrong: state.wrong, mostAhead, brokerMiB, readerMiB };
}

/** The sender has written all, or has been asked to wait: it goes no further by itself. */
async function untilWaiting(sender: RoleProcess, parts: number): Promise<Sent> {
  for (;;) {
    const sent: Sent = await sender.tell({});
    if (sent.isWaiting || sent.written >= parts) return sent;
    await pause(5);
  }
}
