// The broker of a host, without sockets.

import { LinkError } from "@pigato/transport";
import { expect, test } from "vitest";
import { LocalBroker } from "./local-broker.ts";

/** A local broker whose starts fail as given, one after the other. */
function failing(...failures: readonly Error[]): { readonly local: LocalBroker; readonly errors: Error[] } {
  const errors: Error[] = [];
  let starts = 0;
  const newBroker = () => ({
    start: () => Promise.reject(failures[starts++]),
    stop: () => Promise.resolve(),
  });
  return { local: new LocalBroker(4, (error) => errors.push(error), newBroker), errors };
}

async function tryAgain(local: LocalBroker, times: number): Promise<void> {
  for (let count = 0; count < times; count++) {
    local.takeOver();
    // Another attempt starts only after the one in progress.
    await new Promise(setImmediate);
  }
  await local.stop();
}

test("a host reports once why it cannot run a broker", async () => {
  const address = "tcp://127.0.0.1:4";
  const denied = () => new LinkError("FAILED", "permission denied", { address });
  const { local, errors } = failing(denied(), denied(), new LinkError("FAILED", "out of memory", { address }));
  await tryAgain(local, 3);
  expect(errors.map(({ message }) => message)).toEqual([
    `cannot run a broker at ${address}: permission denied`,
    `cannot run a broker at ${address}: out of memory`,
  ]);
});

test("a host reports nothing where another process runs a broker", async () => {
  const { local, errors } = failing(new LinkError("ADDRESS_IN_USE", "in use", { address: "tcp://127.0.0.1:4" }));
  await tryAgain(local, 1);
  expect(errors).toEqual([]);
});
