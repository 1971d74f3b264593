// A worker and the broker that it talks to, for the tests of the worker's shell.

import { FakeClock, MemoryNetwork } from "@pigato/testkit";
import { onTestFinished } from "vitest";
import type { WorkerOptions } from "../options.ts";
import { Worker } from "../worker.ts";
import { FakeBroker } from "./fake-broker.ts";
import { turn } from "./recording-port.ts";

export const ADDRESS = "inproc://broker";

export interface SetUp {
  readonly network: MemoryNetwork;
  readonly clock: FakeClock;
  readonly broker: FakeBroker;
  readonly worker: Worker;
  /** The errors and the other events that the worker emitted. */
  readonly errors: Error[];
  readonly events: string[];
  /** Starts the worker and waits until the broker has answered. */
  connect(): Promise<void>;
  /** Delivers messages in transit and those that the worker sends in response. */
  settle(): Promise<void>;
  advance(ms: number): void;
  stop(): Promise<void>;
}

/** A worker and a broker on a network and a clock that the test controls. */
export async function setUp(
  options: WorkerOptions = {},
  addresses: string | string[] = ADDRESS,
  network: MemoryNetwork = new MemoryNetwork(),
): Promise<SetUp> {
  const clock = new FakeClock();
  const broker = await FakeBroker.at(ADDRESS, network);
  const worker = new Worker(addresses, "echo", { transport: network, clock, random: () => 0, ...options });
  const errors: Error[] = [];
  worker.on("error", (error) => errors.push(error));
  const events: string[] = [];
  for (const event of ["start", "stop", "connect", "disconnect"] as const) worker.on(event, () => events.push(event));
  onTestFinished(async () => {
    const stopped = worker.stop();
    clock.advance(10_000);
    await stopped;
  });
  return {
    network,
    clock,
    broker,
    worker,
    errors,
    events,
    async connect(): Promise<void> {
      const ready = worker.start();
      await turn();
      network.deliver();
      await ready;
      broker.takeMessages();
    },
    async settle(): Promise<void> {
      network.deliver();
      await turn();
      network.deliver();
    },
    advance(ms: number): void {
      clock.advance(ms);
      network.deliver();
    },
    async stop(): Promise<void> {
      const stopped = worker.stop();
      network.deliver();
      await stopped;
      network.deliver();
    },
  };
}
