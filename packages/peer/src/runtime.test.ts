import { dealersOnly, uncaughtErrors } from "@pigato/testkit";
import { type Alarm, type Clock, type DealerHandlers, LinkError } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { PeerRuntime, type RuntimeNotice } from "./runtime.ts";
import type { RuntimeInput } from "./session/effects.ts";

/** A clock that a test advances, with a single alarm. */
class OneAlarmClock implements Clock {
  /** Whether every call throws. */
  isBroken = false;
  #now = 1_000;
  #at = Number.POSITIVE_INFINITY;
  #ring: () => void = () => {};

  now(): number {
    if (this.isBroken) throw new Error("no time");
    return this.#now;
  }

  alarm(ring: () => void): Alarm {
    this.#ring = ring;
    return {
      set: (at = Number.POSITIVE_INFINITY) => {
        if (this.isBroken) throw new Error("no alarm");
        this.#at = at;
      },
    };
  }

  advance(ms: number): void {
    this.#now += ms;
    if (this.#now < this.#at) return;
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}

/** A runtime whose logger throws, on a link without a network. @param connect may throw */
function setUp(connect: () => void = () => {}) {
  const inputs: RuntimeInput[] = [];
  const notices: RuntimeNotice[] = [];
  const links: DealerHandlers[] = [];
  const clock = new OneAlarmClock();
  const warnings: string[] = [];
  const log = (): never => {
    throw new Error("logger threw");
  };
  const transport = dealersOnly((handlers) => {
    links.push(handlers);
    return { connect, send: () => "queued", close: async () => {} };
  });
  const runtime = new PeerRuntime(
    { apply: (input) => inputs.push(input), notify: (notice) => notices.push(notice) },
    {
      kind: "client",
      name: "a client",
      addresses: ["tcp://broker:1"],
      transport,
      security: undefined,
      clock,
      warnings: { warn: (code, text, { address }) => warnings.push(`${code} ${text} [${address}]`), onUnheard() {} },
      logger: { debug: log, info: log, warn: log, error: log },
      newSocketId: () => "id",
    },
    {
      events: { start() {}, stop() {}, connecting() {}, connect() {}, disconnect() {}, error() {} },
      onMessage() {},
      onOversized() {},
      onUndelivered() {},
      onDrain() {},
    },
  );
  return { runtime, inputs, notices, links, clock, warnings };
}

test.each([
  ["ENOENT", true],
  ["EMFILE", false],
  ["ENFILE", false],
])("a link that cannot be opened because of %s fails for good: %s", (code, isFinal) => {
  uncaughtErrors();
  const { runtime, inputs, notices } = setUp(() => {
    throw Object.assign(new Error("cannot connect"), { code });
  });
  runtime.perform({ type: "open", address: "tcp://broker:1" });
  expect(inputs).toEqual([{ type: "link-lost", reason: "unreachable" }]);
  expect(notices[0]).toMatchObject({ type: "error", error: { code: "FAILED" }, isFinal });
});

test("a logger that throws suppresses no input and no notice", async () => {
  const uncaught = uncaughtErrors();
  const { runtime, inputs, notices, links } = setUp();
  runtime.perform({ type: "open", address: "tcp://broker:1" });
  links[0]?.onUp?.({});
  runtime.perform({ type: "connected" });
  runtime.perform({ type: "disconnected", reason: "silence" });
  links[0]?.onRejected?.({ code: "ROUTING_ID", detail: "taken" });
  links[0]?.onError?.(new LinkError("FAILED", "broken"));
  expect(links).toHaveLength(1);
  expect(inputs).toEqual([{ type: "link-up" }, { type: "link-lost", reason: "link-down" }]);
  expect(notices.map(({ type }) => type)).toEqual(["connecting", "connected", "disconnected", "error", "error"]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught.map(String)).toEqual(Array.from({ length: 5 }, () => "Error: logger threw"));
});

test("a clock that throws suppresses no input and no notice", async () => {
  const uncaught = uncaughtErrors();
  const { runtime, inputs, notices, clock } = setUp();
  clock.isBroken = true;
  void runtime.lifecycle.start();
  runtime.perform({ type: "connected" });
  runtime.perform({ type: "disconnected", reason: "silence" });
  runtime.perform({ type: "stopped" });
  await new Promise((resolve) => setImmediate(resolve));
  expect(inputs).toEqual([{ type: "start" }]);
  expect(notices.map(({ type }) => type)).toEqual(["connected", "disconnected", "stopped"]);
  expect(uncaught.filter(({ message }) => message.includes("no "))).toHaveLength(4);
});

test("a failed attempt is an input, and its reason stays until the link is up", () => {
  uncaughtErrors();
  const { runtime, inputs, links } = setUp();
  runtime.perform({ type: "open", address: "tcp://broker:1" });
  expect(runtime.link.lastFailure).toBeUndefined();
  const failure = new LinkError("UNREACHABLE", "cannot connect to tcp://broker:1: connect ECONNREFUSED");
  links[0]?.onAttemptFailed?.(failure);
  expect(inputs).toEqual([{ type: "attempt-failed" }]);
  expect(runtime.link.lastFailure).toBe(failure);
  runtime.perform({ type: "close", flush: false });
  runtime.perform({ type: "open", address: "tcp://broker:2" });
  links[0]?.onAttemptFailed?.(new LinkError("UNREACHABLE", "late"));
  expect(runtime.link.lastFailure).toBe(failure);
  expect(inputs).toHaveLength(1);
  links[1]?.onUp?.({});
  expect(runtime.link.lastFailure).toBeUndefined();
  links[1]?.onReceiving?.();
  links[0]?.onReceiving?.();
  expect(inputs.slice(1)).toEqual([{ type: "link-up" }, { type: "receiving" }]);
});

describe("a runtime without a connection", () => {
  test("warns once after three seconds, with the address and the reason", () => {
    uncaughtErrors();
    const { runtime, links, clock, warnings } = setUp();
    void runtime.lifecycle.start();
    runtime.perform({ type: "open", address: "tcp://broker:1" });
    links[0]?.onAttemptFailed?.(
      new LinkError("UNREACHABLE", "cannot connect to tcp://broker:1: connect ECONNREFUSED", {
        address: "tcp://broker:1",
      }),
    );
    clock.advance(2_999);
    expect(warnings).toEqual([]);
    clock.advance(60_000);
    expect(warnings).toEqual([
      "PIGATO_NOT_CONNECTED a client is not connected after 3 s: no broker reached at tcp://broker:1: connect ECONNREFUSED [tcp://broker:1]",
    ]);
    expect(runtime.obstacle).toBe("no broker reached at tcp://broker:1: connect ECONNREFUSED");
  });

  test("says that it was not started, or that no broker answered", () => {
    uncaughtErrors();
    const { runtime, links } = setUp();
    expect(runtime.obstacle).toBe("the client was not started");
    void runtime.lifecycle.start();
    runtime.perform({ type: "open", address: "tcp://broker:1" });
    expect(runtime.obstacle).toBe("no broker reached at tcp://broker:1: it did not answer");
    links[0]?.onUp?.({});
    expect(runtime.obstacle).toMatch(/^tcp:\/\/broker:1 accepted the connection and did not answer: .*"id"$/);
    runtime.perform({ type: "connected" });
    expect(runtime.obstacle).toBeUndefined();
  });

  test("says that the connection was lost, until a new one is tried", () => {
    uncaughtErrors();
    const { runtime, links } = setUp();
    void runtime.lifecycle.start();
    runtime.perform({ type: "open", address: "tcp://broker:1" });
    links[0]?.onUp?.({});
    runtime.perform({ type: "connected" });
    runtime.perform({ type: "close", flush: false });
    runtime.perform({ type: "disconnected", reason: "disconnected" });
    const lost = "no broker reached at tcp://broker:1: the connection was lost, and a new one was not tried yet";
    expect(runtime.obstacle).toBe(lost);
    runtime.perform({ type: "open", address: "tcp://broker:1" });
    expect(runtime.obstacle).toBe("no broker reached at tcp://broker:1: it did not answer");
  });

  test("counts the three seconds from the start, whatever is lost meanwhile", () => {
    uncaughtErrors();
    const { runtime, clock, warnings } = setUp();
    void runtime.lifecycle.start();
    clock.advance(2_000);
    runtime.perform({ type: "disconnected", reason: "unreachable" });
    clock.advance(1_000);
    expect(warnings).toHaveLength(1);
  });

  test("warns again three seconds after a loss, and not once it has stopped", () => {
    uncaughtErrors();
    const { runtime, clock, warnings } = setUp();
    void runtime.lifecycle.start();
    runtime.perform({ type: "open", address: "tcp://broker:1" });
    runtime.perform({ type: "connected" });
    clock.advance(10_000);
    expect(warnings).toEqual([]);
    runtime.perform({ type: "disconnected", reason: "silence" });
    clock.advance(3_000);
    expect(warnings).toHaveLength(1);
    runtime.perform({ type: "connected" });
    runtime.perform({ type: "disconnected", reason: "silence" });
    runtime.perform({ type: "stopped" });
    clock.advance(3_000);
    expect(warnings).toHaveLength(1);
  });
});
