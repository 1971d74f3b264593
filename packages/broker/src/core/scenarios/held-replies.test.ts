import { describe, expect, test } from "vitest";
import { BrokerCore } from "../core.ts";
import type { Effect, Input } from "../effects.ts";
import { mdp02 } from "../testing/dialects.ts";
import { SCENARIO_OPTIONS, type Scenario, type ScenarioOptions, scenario } from "../testing/scenario.ts";

const PERSISTENT = { persist: true };
/** How long a client that reconnected has to repeat its requests. */
const SETTLE_MS = 100;

/** A broker whose worker `w1` runs the persistent requests of `c1` with these ids. */
function running(ids: readonly string[], options: ScenarioOptions = {}, timeoutMs = 60_000): Scenario {
  const sim = scenario(options);
  sim.worker("w1").ready("echo", { heartbeatMs: 60_000 });
  sim.client("c1").offer();
  for (const id of ids) {
    sim.client("c1").request("echo", id, { ...PERSISTENT, timeoutMs });
    sim.storeFinishes();
  }
  sim.forget();
  return sim;
}

/** The same, with the client away. */
function runningWithoutClient(ids: readonly string[], options: ScenarioOptions = {}, timeoutMs = 60_000): Scenario {
  const sim = running(ids, options, timeoutMs);
  sim.peerDown("c1");
  sim.forget();
  return sim;
}

/** The client reconnects, offers its capabilities, and waits. */
function reconnect(sim: Scenario, name = "c1"): string[] {
  sim.client(name).offer();
  sim.advance(SETTLE_MS);
  return sim.sentTo(name).filter((line) => !line.startsWith("heartbeat"));
}

function finishStore(sim: Scenario): void {
  for (let call = 0; call < 10; call++) sim.storeFinishes();
}

describe("the reply to a persistent request", () => {
  test("the broker holds it for an away client, and deletes the request when the client has the reply", () => {
    const sim = runningWithoutClient(["r1"]);
    sim.worker("w1").final("r1");
    finishStore(sim);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.stored.size).toBe(1);
    expect(sim.stats()).toMatchObject({ heldReplies: 1, open: 1, inFlight: 0, finished: 0 });
    expect(reconnect(sim)).toEqual(['final r1 "done"']);
    finishStore(sim);
    expect(sim.stored.size).toBe(0);
    expect(sim.stats()).toMatchObject({ heldReplies: 0, open: 0, finished: 1 });
    expect(sim.events).toEqual(["reply-held c1/r1", "client-up c1", "reply-delivered c1/r1"]);
  });

  test.each([
    ["is complete", (sim: Scenario) => sim.worker("w1").partial("r1", "1").final("r1", "x".repeat(1_001)), () => {}],
    [
      "is not",
      (sim: Scenario) => sim.worker("w1").partial("r1", "x".repeat(1_001)),
      (sim: Scenario) => sim.worker("w1").final("r1", "end"),
    ],
  ])("a client that accepts less when it returns gets a failure in place of a reply that %s", (_, before, after) => {
    const sim = runningWithoutClient(["r1", "r2"], { isChecked: false });
    before(sim);
    sim.worker("w1").final("r2");
    finishStore(sim);
    sim.client("c1").offer({ maxFrameBytes: 1_000 });
    sim.advance(SETTLE_MS);
    after(sim);
    finishStore(sim);
    const lines = sim.sentTo("c1").filter((line) => !line.startsWith("heartbeat"));
    expect(lines.toSorted()).toEqual(["failure r1 INVALID (maybe-executed)", 'final r2 "done"']);
    expect(sim.stats()).toMatchObject({ heldReplies: 0, open: 0, answered: 1, failures: { INVALID: 1 } });
    expect(sim.stored.size).toBe(0);
  });

  test("the client gets all partials in order, also those that the worker sends after it reconnected", () => {
    const sim = runningWithoutClient(["r1"]);
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

  test("the client gets its replies in the order of its requests, and no replies of another client", () => {
    const sim = runningWithoutClient(["r1", "r2", "r3"]);
    sim.client("c2").request("echo", "r1", PERSISTENT);
    finishStore(sim);
    sim.peerDown("c2");
    const [first, , , others] = sim.worker("w1").received;
    sim.worker("w1").final("r3").final("r2");
    if (others) sim.worker("w1").final(others, "for c2");
    if (first) sim.worker("w1").final(first, "for c1");
    expect(reconnect(sim)).toEqual(['final r1 "for c1"', 'final r2 "done"', 'final r3 "done"']);
    expect(reconnect(sim, "c2")).toEqual(['final r1 "for c2"']);
  });

  test("the broker holds a failure like a reply", () => {
    const sim = runningWithoutClient(["r1", "r2"]);
    sim.worker("w1").reject("r1").disconnect();
    expect(sim.events).toContain("request-failed c1/r2 WORKER_LOST");
    expect(reconnect(sim)).toEqual(["failure r1 REJECTED (dispatched)", "failure r2 WORKER_LOST (maybe-executed)"]);
    expect(sim.stats()).toMatchObject({ failed: 2, open: 0 });
  });

  test("a client that repeats its requests in time gets the held replies, and they do not run again", () => {
    const sim = runningWithoutClient(["r1", "r2"]);
    sim.worker("w1").final("r1").final("r2");
    sim.client("c1").heartbeat();
    sim.client("c1").request("echo", "r1", PERSISTENT).request("echo", "r2", PERSISTENT);
    sim.advance(SETTLE_MS);
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    expect(sim.events).toContain("dropped c1 duplicate-id r2");
    expect(sim.sentTo("c1")).toEqual(["heartbeat", 'final r1 "done"', 'final r2 "done"']);
  });

  test("a client that repeats its request too late runs it again", () => {
    const sim = runningWithoutClient(["r1"]);
    sim.worker("w1").final("r1");
    reconnect(sim);
    sim.client("c1").request("echo", "r1", PERSISTENT);
    sim.storeFinishes();
    finishStore(sim);
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r1"]);
  });

  test("the broker drops it when its client reconnects and cancels", () => {
    const sim = runningWithoutClient(["r1"]);
    sim.worker("w1").final("r1");
    sim.client("c1").cancel("r1");
    sim.advance(SETTLE_MS);
    finishStore(sim);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.stored.size).toBe(0);
    expect(sim.stats()).toMatchObject({ canceled: 1, heldReplies: 0 });
  });

  test("a classic client that reconnects does not get the null partial, which would end its stream", () => {
    const sim = runningWithoutClient(["r1", "r2"]);
    sim.worker("w1").partial("r1", "null").final("r1");
    sim.client("c1").heartbeat();
    sim.advance(SETTLE_MS);
    expect(sim.sentTo("c1")).toEqual(["heartbeat", 'final r1 "done"']);
    expect(sim.events).toContain("dropped c1 null-partial r1");
    sim.peerDown("c1");
    sim.forget();
    sim.worker("w1").partial("r2", "null").final("r2");
    expect(reconnect(sim)).toEqual(['partial r2 "null"', 'final r2 "done"']);
  });

  test("a peer under the same id in another dialect does not get it", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", PERSISTENT);
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

describe("a client that disconnects", () => {
  test("while its reply is sent gets the reply when it reconnects", () => {
    const sim = running(["r1"]);
    sim.cutOff("c1");
    sim.worker("w1").partial("r1", "null").final("r1");
    finishStore(sim);
    expect(sim.stored.size).toBe(1);
    sim.peerDown("c1");
    expect(reconnect(sim)).toEqual(["failure r1 BROKER_LOST (maybe-executed)"]);

    const other = running(["r1"]);
    other.cutOff("c1");
    other.worker("w1").final("r1");
    finishStore(other);
    expect(other.stored.size).toBe(1);
    expect(reconnect(other)).toEqual(['final r1 "done"']);
  });

  test("between two partials gets BROKER_LOST instead of the rest when it reconnects", () => {
    const sim = running(["r1"]);
    sim.worker("w1").partial("r1", "1");
    sim.peerDown("c1");
    sim.worker("w1").partial("r1", "2");
    expect(reconnect(sim)).toEqual(['partial r1 "1"']);
    sim.worker("w1").partial("r1", "3").final("r1", "4");
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 BROKER_LOST (maybe-executed)");
    expect(sim.events).toContain("request-failed c1/r1 BROKER_LOST");
  });

  test("again before it got its held reply gets the reply the next time", () => {
    const sim = runningWithoutClient(["r1"]);
    sim.worker("w1").partial("r1", "1").final("r1", "2");
    sim.client("c1").offer();
    sim.peerDown("c1");
    sim.advance(SETTLE_MS);
    sim.forget();
    expect(reconnect(sim)).toEqual(['partial r1 "1"', 'final r1 "2"']);
  });

  test("while its held reply goes out gets the whole reply the next time", () => {
    const sim = runningWithoutClient(["r1"]);
    sim.worker("w1").partial("r1", "1").final("r1", "2");
    sim.client("c1").offer();
    sim.cutOff("c1");
    sim.advance(SETTLE_MS);
    expect(sim.events).toContain("client-down c1 gone");
    sim.forget();
    expect(reconnect(sim)).toEqual(['partial r1 "1"', 'final r1 "2"']);
  });
});

test("a client that reconnects and does not read gets one failure for its lost reply", () => {
  const sim = runningWithoutClient(["r1"]);
  sim.worker("w1").partial("r1", "1").partial("r1", "2").final("r1", "3");
  sim.client("c1").offer();
  sim.fillUp("c1");
  sim.advance(SETTLE_MS);
  expect(sim.sentTo("c1").slice(1)).toEqual(["failure r1 BUSY (maybe-executed)"]);
  expect(sim.stats()).toMatchObject({ open: 0, heldReplies: 0 });
});

describe("the time for which the broker holds a reply", () => {
  test("it ends with the timeout of the request", () => {
    const sim = runningWithoutClient(["r1"], {}, 5_000);
    sim.advance(3_000);
    sim.worker("w1").partial("r1");
    sim.advance(2_000);
    sim.worker("w1").final("r1");
    sim.advance(2_999);
    expect(sim.stats().heldReplies).toBe(1);
    sim.advance(1);
    finishStore(sim);
    expect(sim.stats()).toMatchObject({ heldReplies: 0, open: 0, expired: 1 });
    expect(sim.stored.size).toBe(0);
    expect(sim.events.at(-1)).toBe("dropped c1 undelivered r1");
    expect(reconnect(sim)).toEqual([]);
  });

  test("it ends with the timeout even while the client may still repeat its request, and the reply goes out", () => {
    const sim = runningWithoutClient(["r1"], {}, 1_000);
    sim.worker("w1").final("r1");
    sim.advance(950);
    sim.client("c1").offer();
    sim.advance(50);
    expect(sim.sentTo("c1").at(-1)).toBe('final r1 "done"');
  });

  test.each<[string, (sim: Scenario) => void]>([
    ["the timeout passes", () => {}],
    ["the broker reaches its drain limit", (sim) => sim.drain(500)],
  ])("a sent reply counts as delivered even if %s before the connection confirms it", (_what, happen) => {
    const inputs: Input[] = [];
    const sim = scenario({ record: (input) => inputs.push(input) });
    sim.worker("w1").ready("echo");
    sim
      .client("c1")
      .offer()
      .request("echo", "r1", { ...PERSISTENT, timeoutMs: 500 });
    sim.storeFinishes();
    happen(sim);
    sim.worker("w1").final("r1");
    const core = new BrokerCore(SCENARIO_OPTIONS);
    const effects: Effect[] = [];
    for (const input of inputs) effects.push(...core.handle(input, input.type === "handed-over" ? 1_000 : 0));
    expect(effects.map((effect) => (effect.type === "to-client" ? effect.message.type : ""))).not.toContain("failure");
    expect(core.stats()).toMatchObject({ finished: 1, failed: 0 });
  });

  test("it ends when the broker stops, which leaves the request to the next one", () => {
    const sim = runningWithoutClient(["r1", "r2", "r3"]);
    sim.client("c2").request("echo", "r4", PERSISTENT);
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

describe("the broker at its bounds of held replies", () => {
  test("drops the reply that was complete first at maxHeldReplies", () => {
    const sim = runningWithoutClient(["r1", "r2", "r3"], { maxHeldReplies: 2 });
    sim.worker("w1").final("r2").final("r1").final("r3");
    expect(sim.events).toContain("dropped c1 undelivered r2");
    expect(reconnect(sim)).toEqual(['final r1 "done"', 'final r3 "done"']);
    finishStore(sim);
    expect(sim.stored.size).toBe(0);
  });

  test("drops as many replies as the bytes of the new one need at maxHeldBytes", () => {
    const sim = runningWithoutClient(["r1", "r2", "r3"], { maxHeldBytes: 3_000 });
    sim.worker("w1").final("r1").final("r2").final("r3", "x".repeat(1_500));
    expect(reconnect(sim)).toEqual([expect.stringMatching(/^final r3 "x+"$/)]);
  });

  test("drops the new reply instead if its client holds more than the client of the first one", () => {
    for (const bound of [{ maxHeldReplies: 3 }, { maxHeldBytes: 4_500 }]) {
      const sim = runningWithoutClient(["r1"], bound);
      sim.client("greedy").request("echo", "g1", PERSISTENT).request("echo", "g2", PERSISTENT);
      sim.client("greedy").request("echo", "g3", PERSISTENT);
      finishStore(sim);
      sim.peerDown("greedy");
      for (const id of ["r1", "g1", "g2", "g3"]) sim.worker("w1").final(id, "x".repeat(700));
      expect(sim.events).toContain("dropped greedy undelivered g3");
      expect(reconnect(sim)).toEqual([expect.stringMatching(/^final r1 "x+"$/)]);
    }
  });

  test("makes room for a client that holds less", () => {
    const sim = runningWithoutClient(["r1", "r2"], { maxHeldReplies: 2 });
    sim.client("c2").request("echo", "r3", PERSISTENT);
    finishStore(sim);
    sim.peerDown("c2");
    sim.worker("w1").final("r1").final("r2").final("r3");
    expect(sim.events).toContain("dropped c1 undelivered r1");
    expect(reconnect(sim, "c2")).toEqual(['final r3 "done"']);
  });

  test("drops further replies of that client only at maxHeldRepliesPerClient", () => {
    const sim = runningWithoutClient(["r1", "r2"], { maxHeldRepliesPerClient: 1 });
    sim.client("c2").request("echo", "r3", PERSISTENT);
    finishStore(sim);
    sim.peerDown("c2");
    sim.worker("w1").final("r1").final("r2").final("r3");
    expect(sim.events).toContain("dropped c1 undelivered r2");
    expect(reconnect(sim)).toEqual(['final r1 "done"']);
    expect(reconnect(sim, "c2")).toEqual(['final r3 "done"']);
  });

  test("replaces a reply that is too long by a failure at maxHeldBytesPerClient", () => {
    const sim = runningWithoutClient(["r1", "r2"], { maxHeldBytesPerClient: 3_000 });
    sim.worker("w1").partial("r1", "x".repeat(2_000)).partial("r1", "x".repeat(2_000)).partial("r1", "y");
    sim.worker("w1").final("r1").final("r2");
    expect(reconnect(sim)).toEqual(["failure r1 BUSY (maybe-executed)", 'final r2 "done"']);
    expect(sim.events).toContain("request-failed c1/r1 BUSY");
  });

  test("drops and reports replies when maxHeldReplies is 0", () => {
    const sim = runningWithoutClient(["r1"], { maxHeldReplies: 0 });
    sim.worker("w1").final("r1");
    expect(sim.events).toContain("dropped c1 undelivered r1");
    expect(sim.stats()).toMatchObject({ open: 0, heldReplies: 0 });
  });
});
