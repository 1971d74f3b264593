import { MAX_CREDIT } from "@pigato/protocol/internal";
import { expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

/** A client and a worker that have both negotiated credit. */
function paced(): Scenario {
  const sim = scenario();
  sim.worker("w1").ready("rows", { credit: true });
  sim.client("c1").offer({ credit: true });
  sim.forget();
  return sim;
}

test("a worker gets the first grant with the request, and each later grant when its client sends it", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 16 });
  sim.worker("w1").partial("r1");
  sim.client("c1").grant("r1", 8).grant("r1", 1);
  expect(sim.sentTo("w1")).toEqual(["request r1 to rows credit 16", "credit r1 8", "credit r1 1"]);
});

test("a worker that did not negotiate credit gets no grants", () => {
  const sim = paced();
  sim.worker("w2").ready("old", { credit: false });
  sim.worker("w3").ready("classic", "classic").heartbeat();
  sim.forget();
  sim.client("c1").request("old", "r1", { credit: 16 }).request("classic", "r2", { credit: 16 });
  sim.client("c1").grant("r1", 8).grant("r2", 8);
  expect(sim.sentTo("w2")).toEqual(["request r1 to old"]);
  expect(sim.sentTo("w3")).toEqual(["request r2 to classic"]);
  expect(sim.events).toEqual([]);
});

test("the worker that gets a requeued request starts with the first grant", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 16, retry: true });
  sim.worker("w2").ready("rows", { credit: true });
  sim.forget();
  sim.worker("w1").disconnect();
  expect(sim.sentTo("w2")).toEqual(["request r1 to rows credit 16"]);
});

test("grants for a waiting request add up with its first grant, up to the maximum", () => {
  const sim = paced();
  sim.client("c1").request("later", "r1", { credit: 16 }).grant("r1", 8);
  sim.client("c1").request("later", "r2", { credit: 16 }).grant("r2", MAX_CREDIT).grant("r2", MAX_CREDIT);
  sim.worker("w2").ready("later", { credit: true });
  expect(sim.sentTo("w2").slice(1)).toEqual(["request r1 to later credit 24", "request r2 to later"]);
});

test("a grant restarts the timeout of a running request, because it shows that the client reads", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 2, timeoutMs: 100 }).request("unserved", "r2", { timeoutMs: 100 });
  sim.advance(99);
  sim.client("c1").grant("r1", 1).grant("r2", 1);
  sim.advance(99);
  expect(sim.sentTo("c1")).toEqual(["failure r2 DEADLINE_EXCEEDED (queued)"]);
  sim.advance(1);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});

test("a grant does not restart the timeout of a waiting request", () => {
  const sim = paced();
  sim.client("c1").request("unserved", "r1", { credit: 2, timeoutMs: 100 });
  sim.advance(99);
  sim.client("c1").grant("r1", 1);
  sim.advance(1);
  expect(sim.sentTo("c1")).toEqual(["failure r1 DEADLINE_EXCEEDED (queued)"]);
});

test("a client cannot grant credit for the request of another client", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 16 });
  sim.client("c2").offer({ credit: true });
  sim.forget();
  sim.client("c2").grant("r1", 8);
  expect(sim.sentTo("w1")).toEqual([]);
  expect(sim.events).toEqual(["dropped c2 not-open r1"]);
});

test("the broker drops and reports a grant of 0 chunks, without flow control, or for a request that is not open", () => {
  const sim = paced();
  sim.client("c1").grant("r1", 8).request("rows", "r1", { credit: 16 }).request("rows", "r2").grant("r1", 0);
  sim.client("c1").grant("r2", 8);
  sim.worker("w1").final("r1");
  sim.client("c1").grant("r1", 8);
  expect(sim.sentTo("w1")).toEqual(["request r1 to rows credit 16", "request r2 to rows"]);
  expect(sim.events).toEqual([
    "dropped c1 not-open r1",
    "dropped c1 void-credit r1",
    "dropped c1 void-credit r2",
    "dropped c1 not-open r1",
  ]);
});

test("a first grant of the maximum turns flow control off", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: MAX_CREDIT });
  expect(sim.sentTo("w1")).toEqual(["request r1 to rows"]);
});

test("the broker grants a chunk again that it dropped", () => {
  const sim = scenario();
  sim.worker("w1").ready("rows", { credit: true });
  sim.client("c1").offer({ credit: true, error: false }).request("rows", "r1", { credit: 16 });
  sim.forget();
  sim.worker("w1").partial("r1", "null").partial("r1", "one");
  expect(sim.sentTo("c1")).toEqual(['partial r1 "one"']);
  expect(sim.sentTo("w1")).toEqual(["credit r1 1"]);
});

test("a persistent request runs without flow control when its client is gone, queued or in flight", () => {
  const sim = paced();
  sim
    .client("c1")
    .request("rows", "r1", { credit: 16, persist: true })
    .request("later", "r2", { credit: 16, persist: true });
  sim.storeFinishes();
  sim.storeFinishes();
  sim.forget();
  sim.peerDown("c1");
  sim.worker("w2").ready("later", { credit: true });
  expect(sim.sentTo("w1")).toEqual([`credit r1 ${MAX_CREDIT}`]);
  expect(sim.sentTo("w2").slice(1)).toEqual(["request r2 to later"]);
});

test("a request fails when a grant does not reach its worker, because the rest of the reply would never come", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 16 });
  const { address } = sim.worker("w1").receivedAs("r1");
  sim.worker("w1").partial("r1").partial("r1");
  sim.client("c1").grant("r1", 8);
  sim.forget();
  sim.streamUndelivered("w1", address, "grant");
  expect(sim.sentTo("c1")).toEqual(["failure r1 BUSY (maybe-executed)"]);
  expect(sim.sentTo("w1")).toEqual(["cancel r1"]);
  sim.streamUndelivered("w1", address, "grant");
  expect(sim.sentTo("c1")).toHaveLength(1);
});

test("the broker sends a whole reply from the cache, without waiting for grants", () => {
  const sim = paced();
  sim.client("c1").request("rows", "r1", { credit: 1, body: "all" });
  sim.worker("w1").partial("r1", "one", 1_000).partial("r1", "two", 1_000).final("r1", "three", 0, 1_000);
  sim.forget();
  sim.client("c1").request("rows", "r2", { credit: 1, body: "all" });
  expect(sim.sentTo("c1")).toEqual(['partial r2 "one"', 'partial r2 "two"', 'final r2 "three"']);
});
