import { describe, expect, test } from "vitest";
import { BrokerCore } from "../core.ts";
import type { Effect, Input } from "../effects.ts";
import { mdp02 } from "../testing/dialects.ts";
import { SCENARIO_OPTIONS, type Scenario, type ScenarioOptions, scenario } from "../testing/scenario.ts";

const KEPT = { persist: true };
/** How long a client that is back has to ask again. */
const SETTLE_MS = 100;

/** A broker whose worker `w1` runs the stored requests of `c1` with these ids. */
function running(ids: readonly string[], options: ScenarioOptions = {}, timeoutMs = 60_000): Scenario {
  const sim = scenario(options);
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer();
  for (const id of ids) {
    sim.client("c1").request("echo", id, { ...KEPT, timeoutMs });
    sim.storeFinishes();
  }
  sim.forget();
  return sim;
}

/** The same, with the client away. */
function abandoned(ids: readonly string[], options: ScenarioOptions = {}, timeoutMs = 60_000): Scenario {
  const sim = running(ids, options, timeoutMs);
  sim.peerDown("c1");
  sim.forget();
  return sim;
}

/** The client is back, says what it can, and waits. */
function comeBack(sim: Scenario, name = "c1"): string[] {
  sim.client(name).offer();
  sim.advance(SETTLE_MS);
  return sim.sentTo(name).filter((line) => !line.startsWith("heartbeat"));
}

function finishStore(sim: Scenario): void {
  for (let call = 0; call < 10; call++) sim.storeFinishes();
}

describe("the answer to a stored request", () => {
  test("waits for its client that is away, in the store as well, and is forgotten when that has it", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").final("r1");
    finishStore(sim);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.stored.size).toBe(1);
    expect(sim.stats()).toMatchObject({ heldAnswers: 1, open: 1, inFlight: 0, finished: 0 });
    expect(comeBack(sim)).toEqual(['final r1 "done"']);
    finishStore(sim);
    expect(sim.stored.size).toBe(0);
    expect(sim.stats()).toMatchObject({ heldAnswers: 0, open: 0, finished: 1 });
    expect(sim.events).toEqual(["answer-held c1/r1", "client-up c1", "answer-delivered c1/r1"]);
  });

  test("comes with all its parts and in order, also those that come when the client is back", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").partials("r1", ["1", "2"]);
    sim.client("c1").offer({ partials: true });
    sim.worker("w1").partials("r1", ["3"]);
    sim.advance(SETTLE_MS);
    sim.worker("w1").partial("r1", "4").final("r1", "5");
    expect(sim.sentTo("c1").slice(1)).toEqual([
      ...["1", "2", "3", "4"].map((part) => `partial r1 "${part}"`),
      'final r1 "5"',
    ]);
  });

  test("comes with those to the client's others, in the order in which it asked, and to no other client", () => {
    const sim = abandoned(["r1", "r2", "r3"]);
    sim.client("c2").request("echo", "r1", KEPT);
    finishStore(sim);
    sim.peerDown("c2");
    const [first, , , others] = sim.worker("w1").received;
    sim.worker("w1").final("r3").final("r2");
    if (others) sim.worker("w1").final(others, "for c2");
    if (first) sim.worker("w1").final(first, "for c1");
    expect(comeBack(sim)).toEqual(['final r1 "for c1"', 'final r2 "done"', 'final r3 "done"']);
    expect(comeBack(sim, "c2")).toEqual(['final r1 "for c2"']);
  });

  test("is a failure as well as a reply, as the client wants to be told when it is back", () => {
    const sim = abandoned(["r1", "r2"]);
    sim.worker("w1").reject("r1").disconnect();
    expect(sim.events).toContain("request-failed c1/r2 WORKER_LOST");
    expect(comeBack(sim)).toEqual(["failure r1 REJECTED (dispatched)", "failure r2 WORKER_LOST (maybe-executed)"]);
    expect(sim.stats()).toMatchObject({ failed: 2, open: 0 });
  });

  test("is what a client gets that asks again, in time: nothing is run twice", () => {
    const sim = abandoned(["r1", "r2"]);
    sim.worker("w1").final("r1").final("r2");
    sim.client("c1").heartbeat();
    sim.client("c1").request("echo", "r1", KEPT).request("echo", "r2", KEPT);
    sim.advance(SETTLE_MS);
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    expect(sim.events).toContain("dropped c1 duplicate-id r2");
    expect(sim.sentTo("c1")).toEqual(["heartbeat", 'final r1 "done"', 'final r2 "done"']);
  });

  test("is run for again by a client that asks again too late", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").final("r1");
    comeBack(sim);
    sim.client("c1").request("echo", "r1", KEPT);
    sim.storeFinishes();
    finishStore(sim);
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r1"]);
  });

  test("is not wanted by a client that comes back and cancels", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").final("r1");
    sim.client("c1").cancel("r1");
    sim.advance(SETTLE_MS);
    finishStore(sim);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.stored.size).toBe(0);
    expect(sim.stats()).toMatchObject({ canceled: 1, heldAnswers: 0 });
  });

  test("leaves out for an old client, when it is back, the part that would end its stream", () => {
    const sim = abandoned(["r1", "r2"]);
    sim.worker("w1").partial("r1", "null").final("r1");
    sim.client("c1").heartbeat();
    sim.advance(SETTLE_MS);
    expect(sim.sentTo("c1")).toEqual(["heartbeat", 'final r1 "done"']);
    expect(sim.events).toContain("dropped c1 null-partial r1");
    sim.peerDown("c1");
    sim.forget();
    sim.worker("w1").partial("r2", "null").final("r2");
    expect(comeBack(sim)).toEqual(['partial r2 "null"', 'final r2 "done"']);
  });

  test("is not for a peer under the same id that speaks another dialect", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", KEPT);
    sim.storeFinishes();
    sim.peerDown("c1");
    sim.worker("w1").final("r1");
    sim.fromClient("c1", { type: "heartbeat", offer: undefined }, mdp02);
    sim.advance(SETTLE_MS);
    expect(sim.sentTo("c1")).toEqual(["heartbeat"]);
    sim.peerDown("c1");
    sim.client("c1").heartbeat();
    sim.advance(SETTLE_MS);
    expect(sim.sentTo("c1")).toEqual(["heartbeat", "heartbeat", 'final r1 "done"']);
  });
});

describe("a client that goes away", () => {
  test("as its answer is sent gets it when it is back", () => {
    const sim = running(["r1"]);
    sim.cutOff("c1");
    sim.worker("w1").partial("r1", "null").final("r1");
    finishStore(sim);
    expect(sim.stored.size).toBe(1);
    sim.peerDown("c1");
    expect(comeBack(sim)).toEqual(["failure r1 BROKER_LOST (maybe-executed)"]);

    const other = running(["r1"]);
    other.cutOff("c1");
    other.worker("w1").final("r1");
    finishStore(other);
    expect(other.stored.size).toBe(1);
    expect(comeBack(other)).toEqual(['final r1 "done"']);
  });

  test("between two parts of a reply is told when it is back that it lost some, and not given the rest", () => {
    const sim = running(["r1"]);
    sim.worker("w1").partial("r1", "1");
    sim.peerDown("c1");
    sim.worker("w1").partial("r1", "2");
    expect(comeBack(sim)).toEqual(['partial r1 "1"']);
    sim.worker("w1").partial("r1", "3").final("r1", "4");
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BROKER_LOST (maybe-executed)");
    expect(sim.events).toContain("request-failed c1/r1 BROKER_LOST");
  });

  test("again before it got what was held gets it the next time", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").partial("r1", "1").final("r1", "2");
    sim.client("c1").offer();
    sim.peerDown("c1");
    sim.advance(SETTLE_MS);
    sim.forget();
    expect(comeBack(sim)).toEqual(['partial r1 "1"', 'final r1 "2"']);
  });

  test("as what was held goes out gets it the next time, whole", () => {
    const sim = abandoned(["r1"]);
    sim.worker("w1").partial("r1", "1").final("r1", "2");
    sim.client("c1").offer();
    sim.cutOff("c1");
    sim.advance(SETTLE_MS);
    expect(sim.events).toContain("client-down c1 gone");
    sim.forget();
    expect(comeBack(sim)).toEqual(['partial r1 "1"', 'final r1 "2"']);
  });
});

test("a client that is back and does not read is told once that it lost its answer", () => {
  const sim = abandoned(["r1"]);
  sim.worker("w1").partial("r1", "1").partial("r1", "2").final("r1", "3");
  sim.client("c1").offer();
  sim.fillUp("c1");
  sim.advance(SETTLE_MS);
  expect(sim.sentTo("c1").slice(1)).toEqual(["failure r1 BUSY (maybe-executed)"]);
  expect(sim.stats()).toMatchObject({ open: 0, heldAnswers: 0 });
});

describe("an answer is held no longer", () => {
  test("than the timeout of its request, which counts on", () => {
    const sim = abandoned(["r1"], {}, 5_000);
    sim.advance(3_000);
    sim.worker("w1").partial("r1");
    sim.advance(2_000);
    sim.worker("w1").final("r1");
    sim.advance(2_999);
    expect(sim.stats().heldAnswers).toBe(1);
    sim.advance(1);
    finishStore(sim);
    expect(sim.stats()).toMatchObject({ heldAnswers: 0, open: 0, finished: 1 });
    expect(sim.stored.size).toBe(0);
    expect(sim.events.at(-1)).toBe("dropped c1 undelivered r1");
    expect(comeBack(sim)).toEqual([]);
  });

  test("and goes out at once, if the time is over while its client may still ask again", () => {
    const sim = abandoned(["r1"], {}, 1_000);
    sim.worker("w1").final("r1");
    sim.advance(950);
    sim.client("c1").offer();
    sim.advance(50);
    expect(sim.sentTo("c1").at(-1)).toBe('final r1 "done"');
  });

  test.each<[string, (sim: Scenario) => void]>([
    ["its time is over", () => {}],
    ["its broker must close", (sim) => sim.drain(500)],
  ])("nor shorter, if %s between its being sent and its being taken", (_what, happen) => {
    const inputs: Input[] = [];
    const sim = scenario({ record: (input) => inputs.push(input) });
    sim.worker("w1").ready("echo");
    sim
      .client("c1")
      .offer()
      .request("echo", "r1", { ...KEPT, timeoutMs: 500 });
    sim.storeFinishes();
    happen(sim);
    sim.worker("w1").final("r1");
    const core = new BrokerCore(SCENARIO_OPTIONS);
    const effects: Effect[] = [];
    for (const input of inputs) effects.push(...core.handle(input, input.type === "handed-over" ? 1_000 : 0));
    expect(effects.map((effect) => (effect.type === "to-client" ? effect.message.type : ""))).not.toContain("failure");
    expect(core.stats()).toMatchObject({ finished: 1, failed: 0 });
  });

  test("than its broker runs, which leaves the request to the next one", () => {
    const sim = abandoned(["r1", "r2", "r3"]);
    sim.client("c2").request("echo", "r4", KEPT);
    finishStore(sim);
    sim.peerDown("c2");
    sim.worker("w1").final("r1").final("r4");
    sim.client("c2").heartbeat();
    sim.drain(1_000);
    expect(sim.sentTo("c2")).toEqual(["heartbeat", 'final r4 "done"']);
    sim.worker("w1").final("r2").final("r3");
    expect(sim.isDrained).toBe(true);
    finishStore(sim);
    expect([...sim.stored.values()].map(({ requestId }) => requestId)).toEqual(["r1", "r2", "r3"]);
  });
});

describe("at the bounds", () => {
  test("of all answers, the one goes whose client has been away for longest", () => {
    const sim = abandoned(["r1", "r2", "r3"], { maxHeldAnswers: 2 });
    sim.worker("w1").final("r2").final("r1").final("r3");
    expect(sim.events).toContain("dropped c1 undelivered r2");
    expect(comeBack(sim)).toEqual(['final r1 "done"', 'final r3 "done"']);
    finishStore(sim);
    expect(sim.stored.size).toBe(0);
  });

  test("of all bytes, as many go as take the room", () => {
    const sim = abandoned(["r1", "r2", "r3"], { maxHeldBytes: 3_000 });
    sim.worker("w1").final("r1").final("r2").final("r3", "x".repeat(1_500));
    expect(comeBack(sim)).toEqual([expect.stringMatching(/^final r3 "x+"$/)]);
  });

  test("of one client, its next ones are given up, and others are not", () => {
    const sim = abandoned(["r1", "r2"], { maxHeldAnswersPerClient: 1 });
    sim.client("c2").request("echo", "r3", KEPT);
    finishStore(sim);
    sim.peerDown("c2");
    sim.worker("w1").final("r1").final("r2").final("r3");
    expect(sim.events).toContain("dropped c1 undelivered r2");
    expect(comeBack(sim)).toEqual(['final r1 "done"']);
    expect(comeBack(sim, "c2")).toEqual(['final r3 "done"']);
  });

  test("of one client's bytes, a reply that is too long ends as a failure, with no part of it", () => {
    const sim = abandoned(["r1", "r2"], { maxHeldBytesPerClient: 3_000 });
    sim.worker("w1").partial("r1", "x".repeat(2_000)).partial("r1", "x".repeat(2_000)).partial("r1", "y");
    sim.worker("w1").final("r1").final("r2");
    expect(comeBack(sim)).toEqual(["failure r1 BUSY (maybe-executed)", 'final r2 "done"']);
    expect(sim.events).toContain("request-failed c1/r1 BUSY");
  });

  test("of nothing at all, all of it is given up, and reported", () => {
    const sim = abandoned(["r1"], { maxHeldAnswers: 0 });
    sim.worker("w1").final("r1");
    expect(sim.events).toContain("dropped c1 undelivered r1");
    expect(sim.stats()).toMatchObject({ open: 0, heldAnswers: 0 });
  });
});
