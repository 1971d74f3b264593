// What several tests of this package share. This package does not depend on the testkit.

import type { Transport } from "@pigato/transport";
import { onTestFinished } from "vitest";

/** Collects the uncaught exceptions until the current test has finished, in place of the listeners of the test runner. */
export function uncaughtErrors(): readonly Error[] {
  const uncaught: Error[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return uncaught;
}

/** A transport without a network, for code that creates dealers only. */
export function dealersOnly(dealer: Transport["dealer"]): Transport {
  const unused = (): never => {
    throw new Error("not used here");
  };
  return { router: unused, publisher: unused, subscriber: unused, dealer };
}
