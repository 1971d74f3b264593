// One client reads a very long reply slowly, while others send short requests. The broker must hold almost nothing of it, the
// latency of the others must not rise, and no partial may be lost. Each peer has its own process. The short form is a test;
// `pnpm slow-reader` runs the long form.

import { setTimeout as pause } from "node:timers/promises";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { type BrokerProcess, spawnBroker, spawnProgram, spawnWorker } from "../support/spawn.ts";
import type { ReplySize, RoleSettings } from "./role-main.ts";

export const PART_BYTES: number = 64 * 1024;

interface Sent {
  readonly written: number;
  readonly isWaiting: boolean;
}

interface Read {
  readonly read: number;
  /** Partials that arrived out of order or incomplete. */
  readonly wrong: number;
  readonly isDone: boolean;
}

export interface Latency {
  readonly answered: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

export interface SlowReading {
  readonly broker: BrokerProcess;
  readonly sender: PeerProcess;
  readonly reader: PeerProcess;
  readonly requester: PeerProcess;
  close(): Promise<void>;
}

export async function startSlowReading(): Promise<SlowReading> {
  const broker = await spawnBroker("--log-level", "fatal");
  const { address } = broker;
  const starting = Promise.all([
    spawnRole({ role: "sender", address }),
    spawnRole({ role: "reader", address }),
    spawnRole({ role: "requester", address }),
    spawnWorker({ address, service: "echo" }),
  ]);
  const [sender, reader, requester, echo] = await starting.catch(async (error: unknown) => {
    await broker.kill("SIGKILL");
    throw error;
  });
  return {
    broker,
    sender,
    reader,
    requester,
    async close() {
      await Promise.all([sender.kill(), reader.kill(), requester.kill(), echo.kill()]);
      await broker.kill("SIGKILL");
    },
  };
}

export interface Progress {
  readonly read: number;
  /** Chunks that the handler has sent and the reader has not read. */
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
 * Makes the reader read the whole reply, `step` chunks at a time.
 * @param rest called before each step, with the progress so far
 */
export async function readInSteps(
  { broker, sender, reader }: SlowReading,
  parts: number,
  step: number,
  rest: (progress: Progress) => Promise<void>,
): Promise<Outcome> {
  const size: ReplySize = { parts, bytes: PART_BYTES };
  const readOn = (count: number): Promise<Read> => reader.request("read", JSON.stringify({ ...size, count }));
  let state = await readOn(1);
  let [mostAhead, brokerMiB, readerMiB] = [0, 0, 0];
  while (!state.isDone) {
    const { written } = await untilWaiting(sender, parts);
    const ahead = written - state.read;
    const now = { read: state.read, ahead, brokerMiB: broker.residentMiB, readerMiB: reader.residentMiB };
    mostAhead = Math.max(mostAhead, ahead);
    brokerMiB = Math.max(brokerMiB, now.brokerMiB);
    readerMiB = Math.max(readerMiB, now.readerMiB);
    await rest(now);
    state = await readOn(step);
  }
  return { parts, read: state.read, wrong: state.wrong, mostAhead, brokerMiB, readerMiB };
}

/** The sender has sent everything, or pauses: it sends no more by itself. */
async function untilWaiting(sender: PeerProcess, parts: number): Promise<Sent> {
  for (;;) {
    const sent = await sender.request<Sent>("progress");
    if (sent.isWaiting || sent.written >= parts) return sent;
    await pause(5);
  }
}

function spawnRole(settings: RoleSettings): Promise<PeerProcess> {
  return spawnProgram(new URL("./role-main.ts", import.meta.url), settings);
}
