import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a rejected request goes to a worker that has not rejected it", () => {
  const sim = scenario();
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

test("a request that every worker has rejected fails, and its delivery class says that it did not run", () => {
  const sim = scenario();
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.worker("w2").reject("r1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
});

test("a sole worker does not get a request again that it rejected", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.advance(500);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
});

test("a rejected request waits for a busy worker without blocking other requests", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.worker("w2").ready("echo", { concurrency: 1 });
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.worker("w1").reject("r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r3"]);
  sim.worker("w2").final("r2");
  expect(sim.requestsSentTo("w2")).toEqual(["r2", "r1"]);
});

test("a request that waits for the last worker that may take it fails when that worker leaves", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  expect(sim.sentTo("c1")).toEqual([]);
  sim.worker("w2").disconnect();
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
});

test("a request that the last worker rejected before it left waits for a new one", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1").disconnect();
  sim.worker("w2").disconnect();
  sim.worker("w3").ready("echo");
  expect(sim.requestsSentTo("w3")).toEqual(["r1"]);
});

test("a worker that registers again may get a request that it rejected before", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1").disconnect().ready("echo");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r1"]);
});

test("the failure of a rejected request that expires says that it did not run", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo", { concurrency: 0 });
  sim.client("c1").offer().request("echo", "r1", { timeoutMs: 50 });
  sim.worker("w1").reject("r1");
  sim.advance(50);
  expect(sim.sentTo("c1")).toContain("failure r1 DEADLINE_EXCEEDED (dispatched)");
});

test("the broker does not send the reason of a reject to the client", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  const { address, message } = sim.worker("w1").receivedAs("r1");
  sim.worker("w1").sends({ type: "reject", address, requestId: message.requestId, reason: message.body[0] });
  expect(sim.client("c1").received).toMatchObject([
    {
      type: "failure",
      requestId: "r1",
      failure: {
        code: "REJECTED",
        message: 'request r1 to "echo" was rejected by every worker of the service',
        delivery: "dispatched",
      },
    },
  ]);
});

test("a worker that rejects everything gets each request once, and so does a busy worker later", () => {
  const count = 20_000;
  const sim = scenario({ isChecked: false });
  sim.worker("w1").ready("echo", { concurrency: 10 });
  sim.worker("busy").ready("echo", { concurrency: 0 });
  for (let id = 0; id < count; id++) sim.client("c1").request("echo", `r${id}`);
  const { received } = sim.worker("w1");
  for (let next = 0; next < received.length; next++) {
    const request = received[next];
    if (request) sim.worker("w1").reject(request);
  }
  expect(received).toHaveLength(count);
  sim.worker("busy").heartbeat(Number.POSITIVE_INFINITY);
  expect(sim.requestsSentTo("busy")).toEqual(sim.requestsSentTo("w1"));
  sim.assertConsistent();
});

test("a request that a stopping worker rejects waits for the next worker", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").heartbeat(0);
  sim.worker("w1").reject("r1");
  expect(sim.sentTo("c1")).toEqual([]);
  sim.worker("w1").disconnect();
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});

test("the broker does not requeue a rejected request whose reply has begun", () => {
  const sim = scenario();
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").partial("r1", '"part"');
  sim.worker("w1").reject("r1");
  expect(sim.requestsSentTo("w2")).toEqual([]);
  expect(sim.sentTo("c1").at(-1)).toBe("failure r1 REJECTED (maybe-executed)");
});

test("with whenDeclined 'wait' a request that every worker has rejected goes to the next new worker", () => {
  const sim = scenario({ whenDeclined: "wait" });
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.advance(500);
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  sim.worker("w2").ready("echo");
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
  sim.worker("w2").reject("r1").disconnect();
  sim.worker("w3").ready("echo");
  expect(sim.requestsSentTo("w3")).toEqual(["r1"]);
});

test("with whenDeclined 'wait' a request for one worker fails when that worker rejects it", () => {
  const sim = scenario({ whenDeclined: "wait" });
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.worker("w1").reject("r1");
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
});
