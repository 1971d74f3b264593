// A broker and a client for one failure, and the requests that must fail.

import type { BrokerOptions } from "@pigato/broker";
import type { CallOptions, Client } from "@pigato/client";
import type { Worker } from "@pigato/worker";
import { newClient, type RunningBroker, startBroker, startWorker } from "../support/start.ts";

export const SERVICE = "echo";

export interface FailingRequest {
  /** Resolves when the broker has reported that the request is queued. */
  readonly queued: Promise<unknown>;
  readonly failure: Promise<unknown>;
}

export interface BrokerAndClient extends RunningBroker {
  readonly client: Client;
}

/** @param options of the broker, whose clock is also that of the client */
export async function startBrokerAndClient(options: BrokerOptions = {}): Promise<BrokerAndClient> {
  const running = await startBroker(options);
  const client = newClient(running.address, { clock: options.clock });
  await client.start();
  return { ...running, client };
}

export function send(client: Client, options: CallOptions = {}): FailingRequest {
  const stream = client.request(SERVICE, "data", { notices: true, ...options });
  return {
    queued: new Promise((resolve) => stream.once("queued", resolve)),
    failure: new Promise((resolve) => stream.once("error", resolve)),
  };
}

/** The first request to a worker with concurrency 1 that never replies. */
export async function sendToBusyWorker(
  { address, client }: BrokerAndClient,
  options: CallOptions = {},
): Promise<FailingRequest & { readonly worker: Worker }> {
  let onRequest: () => void = () => {};
  const dispatched = new Promise<void>((resolve) => {
    onRequest = resolve;
  });
  const worker = await startWorker(address, SERVICE, () => onRequest(), { concurrency: 1 });
  const request = send(client, options);
  await dispatched;
  return { ...request, worker };
}

/** A request that one worker has rejected and that waits again, because the other worker is busy. */
export async function sendAndReject(around: BrokerAndClient, options: CallOptions = {}): Promise<FailingRequest> {
  await sendToBusyWorker(around);
  await startWorker(around.address, SERVICE, (_data, reply) => reply.reject());
  const request = send(around.client, options);
  await request.queued;
  return request;
}
