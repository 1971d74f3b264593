// A real broker over tcp for each test, and sockets of whoever comes; all is closed when the test is over.

import { Broker, type BrokerEvents, type BrokerOptions, type Side, type Sides } from "@pigato/broker";
import { onTestFinished } from "vitest";
import type { Form } from "./forms.ts";
import { Socket } from "./socket.ts";

export const ANYWHERE = "tcp://127.0.0.1:*";

export interface Stage {
  readonly broker: Broker;
  readonly address: string;
  readonly addresses: readonly string[];
  readonly violations: BrokerEvents["violation"][0][];
  readonly drops: BrokerEvents["drop"][0][];
  /** @param door the number of the address, from 0 */
  connect(id?: string, door?: number): Socket;
}

/** Liveness that no test waits for by accident: an hour between heartbeats is not allowed, so a minute it is. */
const PATIENT: BrokerOptions = { heartbeat: 60_000, intch: false };

export async function stage(options: BrokerOptions = {}, where: Side | Sides = ANYWHERE): Promise<Stage> {
  const broker = new Broker(where, { ...PATIENT, stopTimeoutMs: 0, ...options });
  const violations: Stage["violations"] = [];
  const drops: Stage["drops"] = [];
  broker.on("violation", (event) => violations.push(event)).on("drop", (event) => drops.push(event));
  await broker.start();
  onTestFinished(() => broker.stop());
  const { addresses } = broker;
  const connect = (id?: string, door = 0): Socket => {
    const socket = new Socket(addresses[door] ?? "", id);
    onTestFinished(() => socket.close());
    return socket;
  };
  return { broker, address: addresses[0] ?? "", addresses, violations, drops, connect };
}

/**
 * All that was sent before has been dealt with, and all that the broker sent for it is there: it answers one connection in
 * order, and this question to itself at once.
 */
export async function settled(socket: Socket, form: Form): Promise<void> {
  await socket.send(...form.request, "mmi.settled", "?");
  const answer = [...form.final("mmi.settled"), "501"];
  await socket.nextThat((frames) => isSame(frames, answer));
}

export function isSame(frames: readonly string[], others: readonly string[]): boolean {
  return frames.length === others.length && frames.every((frame, index) => frame === others[index]);
}

/** A worker that is registered: nothing answers a READY, so it is asked whether it is there. */
export async function registered(stage: Stage, form: Form, service: string): Promise<Socket> {
  const worker = stage.connect();
  await worker.send(...form.worker.ready, service);
  await settled(worker, form);
  return worker;
}

/** The client address in a request as a worker got it. */
export function addressIn(request: readonly string[], form: Form): string {
  return request[form.worker.request.length] ?? "";
}
