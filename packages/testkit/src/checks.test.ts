// The checks that run within other tests: each must fail for what it forbids.

import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { CheckFailure } from "./invariants.ts";
import { LinkChecks } from "./link-checks.ts";
import { watchStreams } from "./stream-checks.ts";

describe("a stream", () => {
  const failure = new CheckFailure();
  class Stream extends EventEmitter {}
  watchStreams(Stream.prototype, failure);

  test.each([
    ["data data end close", undefined],
    ["drain finish close", undefined],
    ["data error close", undefined],
    ["error close drain", undefined],
    ["finish finish", "emits finish after finish"],
    ["finish drain", "emits drain after finish"],
    ["end data", "emits data after end"],
    ["error end", "emits end after error"],
    ["error error", "emits an error after error"],
    ["close error", "emits an error after close"],
    ["finish close close", "closes twice"],
  ])("that emits %j", (events, broken) => {
    const stream = new Stream().on("error", () => {});
    for (const event of events.split(" ")) stream.emit(event);
    if (broken === undefined) expect(() => failure.throw()).not.toThrow();
    else expect(() => failure.throw()).toThrow(broken);
  });
});

describe("a session", () => {
  /** Inputs and, with a dash before them, effects. */
  function run(steps: string): void {
    const link = new LinkChecks();
    for (const step of steps.split(" ")) {
      if (!step.startsWith("-")) {
        link.after();
        link.before({ type: step });
      } else link.see({ type: step.slice(1) });
    }
    link.after();
  }

  test.each([
    "start -open link-up -send -connected link-lost -close -disconnected -open stop -close -stopped",
    "start -open stop -close -stopped start -open",
  ])("may do this: %s", (steps) => {
    expect(() => run(steps)).not.toThrow();
  });

  test.each([
    ["-open", "a second link is opened, or one after the end"],
    ["start -open -open", "a second link is opened, or one after the end"],
    ["start -open -send", "a message is sent while the link is opening"],
    ["start -open link-up -close -send", "a message is sent while the link is closed"],
    ["start -open -connected", "connected while opening, or twice"],
    ["start -open link-up -connected -connected", "connected while up, or twice"],
    ["start -close", "a link is closed that is not open"],
    ["start -open link-up -connected -close tick", "the loss of the connection is not reported"],
    ["start -open link-up -close -disconnected", "the loss of a connection is reported that was not lost, or twice"],
    ["start -open -stopped", "stopped with a link"],
  ])("must not do this: %s", (steps, broken) => {
    expect(() => run(steps)).toThrow(broken);
  });
});
