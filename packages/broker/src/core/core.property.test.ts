// Random scripts of inputs. An observer checks each script against a model, and a second core replays the script, which must
// have the same effects.
//
// PIGATO_FUZZ_RUNS and PIGATO_FUZZ_STEPS make it longer, PIGATO_FUZZ_SEED repeats a run; a failure prints its seed, its
// path and the shortest script that shows it.

import { isDeepStrictEqual } from "node:util";
import type { PeerId, ServiceName } from "@pigato/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BrokerCore } from "./core.ts";
import type { CoreOptions } from "./core-options.ts";
import type { Effect, Input } from "./effects.ts";
import { perform, type Step } from "./testing/random-script.ts";
import { SCENARIO_OPTIONS, type Scenario, scenario } from "./testing/scenario.ts";
import { anyOptions, anyStep, seededRandom } from "./testing/step-arbitrary.ts";

const RUNS = Number(process.env.PIGATO_FUZZ_RUNS ?? 250);
const STEPS = Number(process.env.PIGATO_FUZZ_STEPS ?? 120);
const SEED = Number(process.env.PIGATO_FUZZ_SEED);

interface Handled {
  readonly input: Input;
  readonly now: number;
  readonly effects: readonly Effect[];
}

test("the broker keeps every invariant under any script of inputs, and a replay has the same effects", {
  timeout: 3_600_000,
}, () => {
  const reached = new Map<string, number>();
  const script = fc.array(anyStep, { minLength: STEPS / 2, maxLength: STEPS, size: "max" });
  fc.assert(
    fc.property(script, anyOptions, fc.nat(), fc.nat({ max: 2_000 }), (steps, options, seed, limitMs) => {
      const handled: Handled[] = [];
      const record = (input: Input, now: number, effects: readonly Effect[]): void => {
        handled.push({ input, now, effects });
      };
      const sim = scenario({ ...options, announces: true, random: seededRandom(seed), record });
      runScript(sim, steps, limitMs);
      for (const { effects } of handled) for (const effect of effects) count(reached, kindOf(effect));
      countNames(reached, handled);
      expect(
        handled.flatMap(({ effects }) => failuresIn(effects)).filter((one) => !EVERY_FAILURE.includes(one)),
      ).toEqual([]);
      replay(handled, { ...SCENARIO_OPTIONS, ...options, announces: true, random: seededRandom(seed) });
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(EVERY_KIND.filter((kind) => !reached.has(kind))).toEqual([]);
  expect([...reached.keys()].filter((kind) => !EVERY_KIND.includes(kind))).toEqual([]);
});

/** Runs the steps. Then the broker drains and every peer leaves, and no record may be left. */
function runScript(sim: Scenario, steps: readonly Step[], limitMs: number): void {
  for (const step of steps) perform(sim, step);
  sim.drain(limitMs);
  sim.advance(limitMs);
  expect(sim.isDrained).toBe(true);
  expect(sim.stats()).toMatchObject({ open: 0, inFlight: 0, workers: 0, services: 0 });
  sim.advance(200_000);
  expect(sim.stats().clients).toBe(0);
  expect(sim.nextDeadline()).toBeUndefined();
  expect(sim.announced.at(-1) ?? []).toEqual([]);
}

/** Replays without the observer's tick before each input: the input itself handles the timers that are due first. */
function replay(handled: readonly Handled[], options: CoreOptions): void {
  const core = new BrokerCore(options);
  let before: readonly Effect[] = [];
  for (const [index, { input, now, effects }] of handled.entries()) {
    const next = handled[index + 1];
    if (input.type === "tick" && next?.now === now && before.length === 0) {
      before = effects;
      continue;
    }
    const replayed = core.handle(input, now);
    const expected = [...before, ...effects];
    // Much faster than `toEqual`, which then shows the difference.
    if (!isDeepStrictEqual(replayed, expected)) expect(replayed).toEqual(expected);
    before = [];
  }
}

/** Counts how names led to workers: by the exact name, by a range of versions, by a wildcard, or to one of several services. */
function countNames(reached: Map<string, number>, handled: readonly Handled[]): void {
  const offered = new Map<PeerId, ServiceName[]>();
  for (const effect of handled.flatMap(({ effects }) => effects)) {
    if (effect.type === "report" && effect.event.type === "worker-up") {
      const { worker, service } = effect.event;
      offered.set(worker, [...(offered.get(worker) ?? []), service]);
    } else if (effect.type === "report" && effect.event.type === "worker-down") {
      offered.delete(effect.event.worker);
    } else if (effect.type === "to-worker" && effect.message.type === "request") {
      count(reached, `resolved by ${resolvedBy(offered.get(effect.to) ?? [], effect.message.service)}`);
    }
  }
}

function resolvedBy([name, other]: readonly ServiceName[], requested: ServiceName): string {
  if (other !== undefined) return "one of several";
  if (name === requested) return "name";
  return name?.endsWith("*") ? "wildcard" : "range";
}

function count(reached: Map<string, number>, kind: string): void {
  reached.set(kind, (reached.get(kind) ?? 0) + 1);
}

function kindOf(effect: Effect): string {
  switch (effect.type) {
    case "to-client":
      return `to-client ${effect.message.type === "failure" ? effect.message.failure.code : effect.message.type}`;
    case "to-worker":
      return `to-worker ${effect.message.type}`;
    case "report": {
      const { event } = effect;
      return "reason" in event ? `${event.type} ${event.reason}` : event.type;
    }
    case "announce":
    case "confirm":
    case "store":
    case "delete":
    case "drained":
      return effect.type;
    default:
      return effect satisfies never;
  }
}

/** Each failure code with its delivery class. */
function failuresIn(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "to-client" || effect.message.type !== "failure") return [];
    const { code, delivery } = effect.message.failure;
    return [`${code} ${delivery}`];
  });
}

/** The failures of a broker in docs/reference/errors.md. Some are too rare for every run to reach them. */
const EVERY_FAILURE: readonly string[] = [
  ...["not-sent", "queued", "dispatched", "maybe-executed"].map((delivery) => `UNAVAILABLE ${delivery}`),
  ...["not-sent", "maybe-executed"].map((delivery) => `BUSY ${delivery}`),
  ...["queued", "dispatched", "maybe-executed"].map((delivery) => `DEADLINE_EXCEEDED ${delivery}`),
  "WORKER_LOST maybe-executed",
  "BROKER_LOST maybe-executed",
  ...["dispatched", "maybe-executed"].map((delivery) => `REJECTED ${delivery}`),
  ...["not-sent", "queued", "dispatched", "maybe-executed"].map((delivery) => `CLOSED ${delivery}`),
  ...["not-sent", "queued", "dispatched", "maybe-executed"].map((delivery) => `INVALID ${delivery}`),
];

/** Every kind of effect. The test fails if it does not reach one, or reaches another. */
const EVERY_KIND: readonly string[] = [
  ...["heartbeat", "request-heartbeat", "notice", "partial", "partials", "final", "credit"].map(
    (type) => `to-client ${type}`,
  ),
  ...["UNAVAILABLE", "BUSY", "DEADLINE_EXCEEDED", "WORKER_LOST", "REJECTED", "CLOSED", "INVALID", "BROKER_LOST"].map(
    (code) => `to-client ${code}`,
  ),
  ...[
    "ready",
    "service-answer",
    "request",
    "heartbeat",
    "request-heartbeat",
    "cancel",
    "credit",
    "input",
    "input-end",
    "disconnect",
  ].map((type) => `to-worker ${type}`),
  ...["name", "range", "wildcard", "one of several"].map((kind) => `resolved by ${kind}`),
  "worker-up",
  ...["left", "silent", "gone", "violation", "drained"].map((reason) => `worker-down ${reason}`),
  "client-up",
  ...["left", "silent", "gone", "congested", "idle"].map((reason) => `client-down ${reason}`),
  "request-failed",
  "store",
  "delete",
  "request-cached",
  "request-restored",
  "reply-held",
  "reply-delivered",
  "store-failed the disk is full",
  "request-requeued",
  "request-exhausted",
  "violation",
  ...[
    "not-held",
    "duplicate-id",
    "not-open",
    "unsupported",
    "foreign-worker",
    "void-credit",
    "null-partial",
    "too-many-workers",
    "already-registered",
    "reserved-name",
    "undelivered",
  ].map((reason) => `dropped ${reason}`),
  "announce",
  "confirm",
  "drained",
];
