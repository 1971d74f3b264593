// What hostile peers are sent against: a broker, and a client and a worker that behave. Their calls must succeed throughout.

import type { BrokerOptions } from "@pigato/broker";
import type { RawPeer } from "@pigato/testkit/raw-peer";
import { expect } from "vitest";
import { connectRawPeer, type RunningBroker, startBroker, startClient, startWorker } from "../support/start.ts";

export const TRANSPORTS = ["zmtp", "libzmq"] as const;

export interface Witnessed extends RunningBroker {
  /** Calls the worker that behaves while a hostile peer acts, and once more after that. */
  during<Result>(attack: () => Promise<Result>): Promise<Result>;
}

export async function startWitnessed(options: BrokerOptions = {}): Promise<Witnessed> {
  const running = await startBroker(options);
  await startWorker(running.address, "witness", (data) => data);
  const client = await startClient(running.address);
  let count = 0;
  const call = async (): Promise<void> => {
    count += 1;
    expect(await client.call("witness", count)).toBe(count);
  };
  return {
    ...running,
    async during(attack) {
      const [result] = await Promise.all([attack(), call()]);
      await call();
      return result;
    },
  };
}

/** A raw client that has negotiated these capabilities. */
export async function rawClient(address: string, capabilities: string): Promise<RawPeer> {
  const peer = connectRawPeer(address);
  await peer.send("C", "4", `pigato/1 ${capabilities} heartbeat=60000`);
  await peer.receive("C", "4");
  return peer;
}

/** A raw worker that has negotiated these capabilities. */
export async function rawWorker(address: string, service: string, capabilities: string): Promise<RawPeer> {
  const peer = connectRawPeer(address);
  await peer.send("W", "1", service, `pigato/1 ${capabilities} concurrency=10 heartbeat=60000`);
  await peer.receive("W", "1");
  return peer;
}

/** The end of a raw client's request: its status, and what its body says. */
export async function endOf(peer: RawPeer, id: string): Promise<{ readonly status: string; readonly value: unknown }> {
  const [, , , , status = "", body = ""] = await peer.receive("C", "3", "*", id);
  return { status, value: JSON.parse(body) };
}
