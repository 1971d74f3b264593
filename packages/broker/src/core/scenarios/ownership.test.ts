import { requestId } from "@pigato/protocol";
import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("two clients may use the same id, and each gets its own reply", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.client("c2").request("echo", "r1");
  const [first, second] = sim.worker("w1").received;
  if (second) sim.worker("w1").final(second, "for c2");
  if (first) sim.worker("w1").final(first, "for c1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "for c1"']);
  expect(sim.sentTo("c2")).toEqual(['final r1 "for c2"']);
});

test("the broker drops a second request under the id of an open one, which stays open", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { body: "first" }).request("echo", "r1", { body: "second" });
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  expect(sim.events).toContain("dropped c1 duplicate-id r1");
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("a late reply to the first request of an id does not answer the second one", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { timeoutMs: 10 });
  sim.advance(10);
  sim.client("c1").request("echo", "r1");
  const [first, second] = sim.worker("w1").received;
  if (first) sim.worker("w1").final(first, "late");
  expect(sim.sentTo("c1")).toEqual([]);
  if (second) sim.worker("w1").final(second, "right");
  expect(sim.sentTo("c1")).toEqual(['final r1 "right"']);
});

test("the broker drops a reply to a request that another worker holds, and keeps the sender's own requests", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w2").ready("echo");
  sim.client("c1").request("echo", "r2");
  const stolen = sim.worker("w1").receivedAs("r1").message;
  sim.worker("w2").final(stolen, "stolen").partial(stolen).reject(stolen).requestHeartbeat(stolen);
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.sentTo("w2")).not.toContain("disconnect");
  sim.worker("w2").final("r2", "own");
  sim.worker("w1").final("r1", "right");
  expect(sim.sentTo("c1")).toEqual(['final r2 "own"', 'final r1 "right"']);
});

test("the broker drops replies after the final reply", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").final("r1").partial("r1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  expect(sim.stats()).toMatchObject({ workers: 1, finished: 1 });
});

test("the broker finds a request by its id if the worker does not echo the address token", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").sends(replyUnder("c1", "r1"));
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("the broker drops a reply without the address token if two clients use its id", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.client("c2").request("echo", "r1");
  sim.worker("w1").sends(replyUnder("c1", "r1"));
  expect([...sim.sentTo("c1"), ...sim.sentTo("c2")]).toEqual([]);
  expect(sim.events).toContain("dropped w1 not-held r1");
});

test("the broker drops a reply with a made-up address token, even if the id is right", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").sends(replyUnder("~zz", "r1"));
  expect(sim.sentTo("c1")).toEqual([]);
});

test("the broker drops a null partial for a classic client, which would take it for the end", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.client("c2").offer().request("echo", "r2");
  sim.forget();
  sim.worker("w1").partial("r1", "null").partial("r1", "").final("r1", "null");
  sim.worker("w1").partial("r2", "null");
  expect(sim.sentTo("c1")).toEqual(['final r1 "null"']);
  expect(sim.sentTo("c2")).toEqual(['partial r2 "null"']);
  expect(sim.events).toEqual(["dropped c1 null-partial r1", "dropped c1 null-partial r1"]);
});

test("a request whose partials were all dropped may still start over with another worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w1").partial("r1", "null").disconnect();
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("the broker drops and reports credit that was not negotiated or comes from a worker, and streamed input", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { credit: true });
  sim.client("c1").request("echo", "r1", { credit: 2 });
  const { address } = sim.worker("w1").receivedAs("r1");
  expect(sim.sentTo("w1").at(-1)).toBe("request r1 to echo");
  sim.forget();
  sim.client("c1").grant("r1", 3);
  sim.client("c1").sends({ type: "input-end", requestId: requestId("r1") });
  sim.worker("w1").sends({ type: "credit", address, requestId: requestId("r1"), chunks: 3 });
  expect(sim.sentTo("w1")).toEqual([]);
  expect(sim.events).toEqual(["dropped c1 unsupported r1", "dropped c1 unsupported r1", "dropped w1 unsupported r1"]);
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

function replyUnder(address: string, id: string) {
  return { type: "final", address, requestId: requestId(id), status: 0, body: [DONE], trailer: [] } as const;
}

const DONE = Uint8Array.from("done", (letter) => letter.charCodeAt(0));
