// Brokers and sockets for the suites of the dialects. Every frame is a byte string.

import type { BrokerOptions, ListenerOptions, Listeners } from "@pigato/broker";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { onTestFinished } from "vitest";
import { LOOPBACK, type RunningBroker, startBroker } from "../support/start.ts";
import type { Form } from "./forms.ts";

export interface DialectBroker extends RunningBroker {
  /** @param listener the number of the address, from 0 */
  connect(id?: string, listener?: number): RawPeer;
}

/** The longest allowed interval, so that no test loses a peer by accident. */
const PATIENT: BrokerOptions = { heartbeat: 60_000, intch: false };

export async function startDialectBroker(
  options: BrokerOptions = {},
  where: ListenerOptions | Listeners = LOOPBACK,
): Promise<DialectBroker> {
  const running = await startBroker({ ...PATIENT, ...options }, where);
  const connect = (id?: string, listener = 0): RawPeer => {
    const peer = bytePeer(running.addresses[listener] ?? "", id);
    onTestFinished(() => peer.close());
    return peer;
  };
  return { ...running, connect };
}

/** The caller closes it. */
export function bytePeer(address: string, id?: string): RawPeer {
  return new RawPeer(address, id, { encoding: "latin1", lingerMs: 1_000 });
}

/**
 * Resolves when the broker has handled everything that was sent before, and everything that it sent has arrived: it handles the
 * messages of one connection in order, and replies to this request at once.
 */
export async function settled(peer: RawPeer, form: Form): Promise<void> {
  await peer.send(...form.request, "mmi.settled", "?");
  const reply = [...form.final("mmi.settled"), "501"];
  await peer.nextThat((frames) => isSame(frames, reply));
}

export function isSame(frames: readonly string[], others: readonly string[]): boolean {
  return frames.length === others.length && frames.every((frame, index) => frame === others[index]);
}

/** A worker that is registered: the broker does not reply to READY, so that the worker also sends a request. */
export async function registered(running: DialectBroker, form: Form, service: string): Promise<RawPeer> {
  const worker = running.connect();
  await worker.send(...form.worker.ready, service);
  await settled(worker, form);
  return worker;
}

/** The client address in a request as a worker received it. */
export function addressIn(request: readonly string[], form: Form): string {
  return request[form.worker.request.length] ?? "";
}
