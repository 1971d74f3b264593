// A host in a process of its own, which tests kill in the middle of a request. It reports the requests that it ran.

import { Host, service, unary } from "@pigato/service";
import { serve, settingsText } from "@pigato/testkit/serve";

export interface PaymentSettings {
  readonly address: string;
  /** Ends each reply. */
  readonly name: string;
  /** Replies to nothing before the task `release`. */
  readonly holds: boolean;
}

const PAYMENTS = service("payments", { read: unary<string, string>(), send: unary<string, string>() });
const { address, name, holds }: PaymentSettings = JSON.parse(settingsText());
const runs: string[] = [];
const started = newSignal();
const released = newSignal();
if (!holds) released.resolve();

const host = new Host(address, { heartbeat: 200 });
host.serve(PAYMENTS, { read: (input) => run("read", input), send: (input) => run("send", input) });
await host.start();
serve({ started: () => started.promise, release: () => released.resolve(), runs: () => runs });

async function run(method: string, input: string): Promise<string> {
  runs.push(`${method} ${input}`);
  started.resolve();
  await released.promise;
  return `${method} ${input} at ${name}`;
}

function newSignal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((onResolved) => {
    resolve = onResolved;
  });
  return { promise, resolve: () => resolve() };
}
