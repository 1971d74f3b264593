import { requestId, writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a request goes to a worker, and its partials and its final reply go to the client", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").partial("r1", "a").partial("r1", "b").final("r1", "c");
  expect(sim.sentTo("w1")).toContain("request r1 to echo");
  expect(sim.sentTo("c1")).toEqual(['partial r1 "a"', 'partial r1 "b"', 'final r1 "c"']);
  expect(sim.stats()).toMatchObject({ accepted: 1, finished: 1, failed: 0, canceled: 0, open: 0, inFlight: 0 });
});

test("the broker forwards the frames of a request and of its reply unchanged", () => {
  const sim = scenario();
  const frames = [writeText("payload"), writeText("options"), writeText("extra")] as const;
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r0");
  const { message: plain } = sim.worker("w1").receivedAs("r0");
  sim.client("c1").sends({ ...plain, requestId: requestId("r1"), body: [frames[0]], trailer: [frames[1], frames[2]] });
  const { address, message } = sim.worker("w1").receivedAs("r1");
  expect(message.body[0]).toBe(frames[0]);
  expect(message.trailer[1]).toBe(frames[2]);
  sim.worker("w1").sends({
    type: "final",
    address,
    requestId: requestId("r1"),
    status: -1,
    body: [frames[0]],
    trailer: [frames[1]],
  });
  const reply = sim.client("c1").received.at(-1);
  expect(reply).toMatchObject({ type: "final", requestId: "r1", status: -1, body: [frames[0]], trailer: [frames[1]] });
});

test("the broker dispatches the requests for one service in order of arrival, from any client", () => {
  const sim = scenario();
  for (let id = 1; id <= 6; id++) sim.client(id % 2 === 0 ? "c1" : "c2").request("echo", `r${id}`);
  sim.worker("w1").ready("echo", { concurrency: 1 });
  for (let id = 1; id <= 6; id++) sim.worker("w1").final(`r${id}`);
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3", "r4", "r5", "r6"]);
});

test("a request for a service without workers waits for the first one", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
  sim.advance(3_600_000);
  sim.worker("w1").ready("echo");
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
});

test("a failFast request does not wait for a first worker but waits for a busy one", () => {
  const sim = scenario();
  sim.client("c1").request("echo", "r1", { failFast: true });
  expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (not-sent)"]);
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r2").request("echo", "r3", { failFast: true });
  sim.worker("w1").final("r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r2", "r3"]);
});

test("a busy service does not block another service", () => {
  const sim = scenario();
  sim.worker("w1").ready("slow", { concurrency: 1 });
  sim.worker("w2").ready("quick", { concurrency: 1 });
  for (const request of ["r1", "r2", "r3"]) sim.client("c1").request("slow", request);
  sim.client("c1").request("quick", "r4");
  expect(sim.requestsSentTo("w2")).toEqual(["r4"]);
});

test("load: the idle worker gets the request, not the one that has sent fewer replies", () => {
  const sim = scenario({ dispatchMode: "load" });
  sim.worker("w1").ready("echo");
  for (let id = 1; id <= 5; id++) sim.client("c1").request("echo", `r${id}`);
  for (let id = 1; id <= 5; id++) sim.worker("w1").final(`r${id}`);
  sim.client("c1").request("echo", "held");
  sim.worker("w2").ready("echo");
  for (let id = 6; id <= 7; id++) sim.client("c1").request("echo", `r${id}`);
  expect(sim.requestsSentTo("w2")).toEqual(["r6"]);
});

test("load: of workers with equal load, the one that has waited longest gets the next request", () => {
  const sim = scenario({ dispatchMode: "load" });
  for (const name of ["w1", "w2", "w3"]) sim.worker(name).ready("echo");
  for (let id = 1; id <= 6; id++) sim.client("c1").request("echo", `r${id}`);
  expect([sim.requestsSentTo("w1"), sim.requestsSentTo("w2"), sim.requestsSentTo("w3")]).toEqual([
    ["r1", "r4"],
    ["r2", "r5"],
    ["r3", "r6"],
  ]);
});

test("lru: workers take turns, however long each takes", () => {
  const sim = scenario({ dispatchMode: "lru" });
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  for (const id of ["r1", "r2"]) sim.client("c1").request("echo", id);
  sim.worker("w2").final("r2");
  for (const id of ["r3", "r4"]) sim.client("c1").request("echo", id);
  expect([sim.requestsSentTo("w1"), sim.requestsSentTo("w2")]).toEqual([
    ["r1", "r3"],
    ["r2", "r4"],
  ]);
});

test("rand: the less loaded of two random workers gets the request", () => {
  const picks: number[] = [];
  const sim = scenario({ dispatchMode: "rand", random: () => picks.shift() ?? 0 });
  picks.push(0, 0.5, 0, 0.5, 0, 0);
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo");
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  expect([sim.requestsSentTo("w1"), sim.requestsSentTo("w2")]).toEqual([["r1", "r3"], ["r2"]]);
});
