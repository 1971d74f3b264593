import { describe, expect, test } from "vitest";
import type { RequestFields } from "../testing/actors.ts";
import { type Scenario, type ScenarioOptions, scenario } from "../testing/scenario.ts";

/** A broker that has cached the reply "this" of `w1` to "what?" for a second. */
function withReply(options: ScenarioOptions = {}, fields: RequestFields = {}): Scenario {
  const sim = scenario(options);
  sim.worker("w1").ready("echo");
  sim.client("c1").offer();
  sim.client("c1").request("echo", "r1", { body: "what?", ...fields });
  sim.worker("w1").final("r1", "this", 0, 1_000);
  sim.forget();
  return sim;
}

describe("a cached reply", () => {
  test("the broker answers an equal request of any client from the cache, without a worker", () => {
    const sim = withReply();
    sim.client("c2").request("echo", "r9", { body: "what?" });
    expect(sim.sentTo("c2")).toEqual(['final r9 "this"']);
    expect(sim.sentTo("w1")).toEqual([]);
    expect(sim.events).toEqual(["client-up c2", "request-cached c2/r9"]);
    expect(sim.stats()).toMatchObject({ accepted: 2, finished: 2, cached: 1, cachedReplies: 1, open: 0 });
  });

  test("the broker answers from the cache until cacheMs have passed since the final reply", () => {
    const sim = withReply();
    sim.advance(999);
    sim.client("c1").request("echo", "r2", { body: "what?" });
    sim.advance(1);
    sim.client("c1").request("echo", "r3", { body: "what?" });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r3"]);
    expect(sim.sentTo("c1")).toEqual(['final r2 "this"']);
    expect(sim.stats().cachedReplies).toBe(0);
  });

  test("the broker answers from the cache after the last worker is gone, also a failFast request", () => {
    const sim = withReply();
    sim.worker("w1").disconnect();
    sim.client("c1").request("echo", "r2", { body: "what?", failFast: true });
    expect(sim.sentTo("c1")).toEqual(['final r2 "this"']);
  });

  test("the broker answers from the cache at maxRequests", () => {
    const sim = withReply({ maxRequests: 1 });
    sim.client("c1").request("echo", "r2", { body: "another" });
    sim.client("c1").request("echo", "r3", { body: "what?" });
    expect(sim.sentTo("c1")).toEqual(['final r3 "this"']);
  });

  test.each([
    ["is too large", { cacheMaxReplyBytes: 1_000 }, 1_000, "x".repeat(1_000)],
    ["has a partial that is not cacheable", {}, undefined, "this"],
  ])(
    "the broker evicts it when a newer reply passes that cannot be cached because it %s",
    (_, options, cacheMs, part) => {
      const sim = withReply(options);
      sim.client("c1").request("echo", "r2", { body: "what?", noCache: true });
      sim.worker("w1").partial("r2", part, cacheMs).final("r2", "that", 0, 1_000);
      sim.client("c1").request("echo", "r3", { body: "what?" });
      expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3"]);
      expect(sim.stats()).toMatchObject({ cached: 0, cachedReplies: 0 });
    },
  );

  test("a newer reply replaces it", () => {
    const sim = withReply();
    sim.client("c1").request("echo", "r2", { body: "what?", noCache: true });
    sim.advance(500);
    sim.worker("w1").final("r2", "that", 0, 1_000);
    sim.advance(900);
    sim.client("c1").request("echo", "r3", { body: "what?" });
    expect(sim.sentTo("c1")).toEqual(['final r2 "that"', 'final r3 "that"']);
  });

  test("the broker does not answer a request from the cache under the id of an open one", () => {
    const sim = withReply();
    sim.client("c1").request("echo", "r2", { body: "another" });
    sim.client("c1").request("echo", "r2", { body: "what?" });
    expect(sim.events).toEqual(["dropped c1 duplicate-id r2"]);
  });

  test("a draining broker does not answer from the cache", () => {
    const sim = withReply();
    sim.client("c1").request("echo", "r2", { body: "another" });
    sim.drain(1_000);
    sim.client("c1").request("echo", "r3", { body: "what?" });
    expect(sim.sentTo("c1")).toEqual(["failure r3 CLOSED (not-sent)"]);
  });
});

describe("a cached reply to a name that several services cover", () => {
  /** The reply of `w1`, which offers one service, to a request for the name is cached. */
  function answered(offered: string, wanted: string): Scenario {
    const sim = scenario();
    sim.worker("w1").ready(offered);
    sim.client("c1").request(wanted, "r1", { body: "what?" });
    sim.worker("w1").final("r1", "this", 0, 10_000);
    return sim;
  }

  test.each([
    ["a higher version within the range", "echo@1.1.0", "echo@^1", "echo@1.2.0"],
    ["a longer wildcard", "e*", "echo", "ec*"],
    ["a service of exactly this name", "ech*", "echo", "echo"],
    ["a version, when a wildcard answered the range", "ech*", "echo@^1", "echo@1.0.0"],
  ])("the broker does not send it once there is %s", (_what, offered, wanted, better) => {
    const sim = answered(offered, wanted);
    sim.worker("w2").ready(better);
    sim.client("c1").request(wanted, "r2", { body: "what?" });
    expect(sim.requestsSentTo("w2")).toEqual(["r2"]);
    sim.worker("w2").final("r2", "that", 0, 10_000);
    sim.client("c1").request(wanted, "r3", { body: "what?" });
    expect(sim.sentTo("c1")).toEqual(['final r1 "this"', 'final r2 "that"', 'final r3 "that"']);
  });

  test.each([
    ["a lower version registers", "echo@1.1.0", "echo@^1", "echo@1.0.0"],
    ["a version beyond the range registers", "echo@1.1.0", "echo@^1", "echo@2.0.0"],
    ["a wildcard registers", "echo", "echo", "echo*"],
  ])("the broker sends it after %s", (_what, offered, wanted, other) => {
    const sim = answered(offered, wanted);
    sim.worker("w2").ready(other);
    sim.client("c1").request(wanted, "r2", { body: "what?" });
    expect(sim.sentTo("c1")).toEqual(['final r1 "this"', 'final r2 "this"']);
  });

  test("the broker sends it again when the better service, or the last one, is gone", () => {
    const sim = answered("echo@1.1.0", "echo@^1");
    sim.worker("w2").ready("echo@1.2.0").disconnect();
    sim.client("c1").request("echo@^1", "r2", { body: "what?" });
    sim.worker("w1").disconnect();
    sim.client("c1").request("echo@^1", "r3", { body: "what?" });
    expect(sim.stats().cached).toBe(2);
  });

  test("the broker does not send it if the name leads elsewhere before the worker replies", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo@1.1.0");
    sim.client("c1").request("echo@^1", "r1", { body: "what?" });
    sim.worker("w2").ready("echo@1.2.0");
    sim.worker("w1").final("r1", "this", 0, 10_000);
    sim.client("c1").request("echo@^1", "r2", { body: "what?" });
    expect(sim.requestsSentTo("w2")).toEqual(["r2"]);
  });
});

describe("the broker dispatches a request despite a cached reply", () => {
  test.each<[string, string, RequestFields]>([
    ["for another payload", "echo", { body: "what" }],
    ["for no payload", "echo", { body: "" }],
    ["for another service", "sum", { body: "what?" }],
    ["if it has noCache", "echo", { body: "what?", noCache: true }],
    ["if it names a worker", "echo", { body: "what?", worker: "w1" }],
  ])("%s", (_why, service, fields) => {
    const sim = withReply();
    sim.worker("w2").ready("sum");
    sim.client("c1").request(service, "r2", fields);
    expect([...sim.requestsSentTo("w1"), ...sim.requestsSentTo("w2")]).toEqual(["r1", "r2"]);
    expect(sim.stats().cached).toBe(0);
  });

  test("the broker expires a request without time left, despite a cached reply", () => {
    const sim = withReply();
    sim.client("c1").request("echo", "r2", { body: "what?", timeoutMs: 0 });
    expect(sim.sentTo("c1")).toEqual(["failure r2 DEADLINE_EXCEEDED (queued)"]);
  });
});

describe("the broker does not cache a reply", () => {
  test.each<[string, (sim: Scenario) => void, RequestFields]>([
    ["if its worker did not mark it", (sim) => sim.worker("w1").final("r1", "this"), {}],
    ["if it is an error", (sim) => sim.worker("w1").final("r1", "this", -1, 1_000), {}],
    ["if its status is an error", (sim) => sim.worker("w1").final("r1", "this", 404, 1_000), {}],
    ["if the request named a worker", (sim) => sim.worker("w1").final("r1", "this", 0, 1_000), { worker: "w1" }],
    [
      "if its request was canceled",
      (sim) => {
        sim.client("c1").cancel("r1");
        sim.worker("w1").final("r1", "this", 0, 1_000);
      },
      {},
    ],
  ])("%s", (_why, answer, fields) => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim
      .client("c1")
      .offer()
      .request("echo", "r1", { body: "what?", ...fields });
    answer(sim);
    expect(sim.stats().cachedReplies).toBe(0);
    sim.client("c1").request("echo", "r2", { body: "what?" });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  });
});

describe("a reply with partials", () => {
  function running(options: ScenarioOptions = {}): Scenario {
    const sim = scenario(options);
    sim.worker("w1").ready("echo");
    sim.client("c1").offer().request("echo", "r1", { body: "what?" });
    return sim;
  }

  test("the broker sends it whole and in order", () => {
    const sim = running();
    sim.worker("w1").partial("r1", "1", 500).partial("r1", "2", 500).final("r1", "3", 0, 1_000);
    sim.client("c2").request("echo", "r2", { body: "what?" });
    expect(sim.sentTo("c2")).toEqual(['partial r2 "1"', 'partial r2 "2"', 'final r2 "3"']);
  });

  test("the broker does not send it before it is complete", () => {
    const sim = running();
    sim.worker("w1").partial("r1", "1", 1_000);
    sim.client("c2").request("echo", "r2", { body: "what?" });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  });

  test.each<[string, (sim: Scenario) => void]>([
    [
      "its first partial is not marked",
      (sim) => sim.worker("w1").partial("r1").partial("r1", "2", 9).final("r1", "3", 0, 9),
    ],
    [
      "a later partial is not marked",
      (sim) => sim.worker("w1").partial("r1", "1", 9).partial("r1").final("r1", "3", 0, 9),
    ],
    ["its final reply is not marked", (sim) => sim.worker("w1").partial("r1", "1", 9).final("r1", "3")],
    ["it ends with an error", (sim) => sim.worker("w1").partial("r1", "1", 9).final("r1", "3", -1, 9)],
    ["its worker is lost", (sim) => sim.worker("w1").partial("r1", "1", 9).disconnect()],
  ])("the broker does not cache it if %s", (_why, answer) => {
    const sim = running();
    answer(sim);
    expect(sim.stats()).toMatchObject({ cachedReplies: 0, open: 0 });
  });

  test("the broker does not cache it above cacheMaxReplyBytes, and caches the next one", () => {
    const sim = running({ cacheMaxReplyBytes: 2_000 });
    const worker = sim.worker("w1");
    for (let part = 0; part < 10; part++) worker.partial("r1", `part ${part}`, 1_000);
    worker.final("r1", "end", 0, 1_000);
    expect(sim.stats().cachedReplies).toBe(0);
    sim.client("c1").request("echo", "r2", { body: "what?" });
    worker.partial("r2", "1", 1_000).final("r2", "2", 0, 1_000);
    expect(sim.stats().cachedReplies).toBe(1);
  });

  test("the broker does not cache it while collected partials of other replies fill cacheMaxBytes", () => {
    const sim = running({ cacheMaxBytes: 2_000 });
    const worker = sim.worker("w1");
    sim.client("c1").request("echo", "r2", { body: "and?" });
    for (let part = 0; part < 5; part++) worker.partial("r1", `part ${part}`, 1_000);
    for (let part = 0; part < 5; part++) worker.partial("r2", `part ${part}`, 1_000);
    worker.final("r2", "end", 0, 1_000);
    expect(sim.stats().cachedReplies).toBe(0);
    worker.final("r1", "end", 0, 1_000);
    sim.client("c1").request("echo", "r3", { body: "and?" });
    worker.partial("r3", "1", 1_000).final("r3", "2", 0, 1_000);
    expect(sim.stats().cachedReplies).toBeGreaterThan(0);
  });

  test("the broker drops its null partials for a classic client, and does not cache a reply that lost some", () => {
    const sim = running();
    sim.worker("w1").partial("r1", "null", 1_000).partial("r1", "1", 1_000).final("r1", "2", 0, 1_000);
    sim.client("old").request("echo", "r2", { body: "what?" });
    expect(sim.sentTo("old")).toEqual(['partial r2 "1"', 'final r2 "2"']);
    expect(sim.events).toContain("dropped old null-partial r2");
    sim.client("old").request("echo", "r3", { body: "other" });
    sim.worker("w1").partial("r3", "null", 1_000).partial("r3", "1", 1_000).final("r3", "2", 0, 1_000);
    expect(sim.stats().cachedReplies).toBe(1);
  });
});

describe("at the bounds of the cache", () => {
  function ask(sim: Scenario, body: string): void {
    const id = `r${sim.stats().accepted}`;
    sim.client("c1").request("echo", id, { body });
    if (sim.requestsSentTo("w1").includes(id)) sim.worker("w1").final(id, `${body}!`, 0, 60_000);
  }

  test("the broker evicts the least recently used reply", () => {
    const sim = scenario({ cacheMaxEntries: 2 });
    sim.worker("w1").ready("echo");
    for (const body of ["a", "b", "a", "c", "a", "b"]) ask(sim, body);
    expect(sim.requestsSentTo("w1")).toEqual(["r0", "r1", "r3", "r5"]);
    expect(sim.stats()).toMatchObject({ cachedReplies: 2, cached: 2 });
  });

  test("the broker evicts as many replies as the bytes of the new one need", () => {
    const sim = scenario({ cacheMaxBytes: 10_000 });
    sim.worker("w1").ready("echo");
    for (const body of ["a", "b", "c"]) ask(sim, body);
    expect(sim.stats().cachedReplies).toBe(3);
    ask(sim, "x".repeat(4_400));
    expect(sim.stats().cachedReplies).toBe(1);
  });

  test("the broker caches nothing with cacheMaxEntries 0", () => {
    const sim = scenario({ cacheMaxEntries: 0 });
    sim.worker("w1").ready("echo");
    for (const body of ["a", "a"]) ask(sim, body);
    expect(sim.stats()).toMatchObject({ cachedReplies: 0, cached: 0 });
  });
});

describe("a large payload", () => {
  const LARGE = 100_000;

  test("the broker compares every byte of it", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    const same = "x".repeat(LARGE);
    const middle = `${"x".repeat(LARGE / 2)}y${"x".repeat(LARGE / 2 - 1)}`;
    sim.client("c1").request("echo", "r1", { body: same });
    sim.worker("w1").final("r1", "this", 0, 1_000);
    sim.client("c1").request("echo", "r2", { body: middle });
    sim.client("c1").request("echo", "r3", { body: same });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    expect(sim.sentTo("c1")).toEqual(['final r1 "this"', 'final r3 "this"']);
  });
});
