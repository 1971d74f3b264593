import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("a request goes to the service of exactly its name, else to a version, else to a wildcard", () => {
  const sim = scenario();
  for (const name of ["*", "echo@*", "echo@1.0.0", "echo@^1"]) sim.worker(name).ready(name);
  const ask = (id: string): void => void sim.client("c1").request("echo@^1", id);
  ask("r1");
  sim.worker("echo@^1").disconnect();
  ask("r2");
  sim.worker("echo@1.0.0").disconnect();
  ask("r3");
  sim.worker("echo@*").disconnect();
  ask("r4");
  const served = ["echo@^1", "echo@1.0.0", "echo@*", "*"].map((name) => sim.requestsSentTo(name));
  expect(served).toEqual([["r1"], ["r2"], ["r3"], ["r4"]]);
});

test("a worker gets the service name as the client wrote it, not its own", () => {
  const sim = scenario();
  sim.worker("w1").ready("ech*");
  sim.worker("w2").ready("sum@1.4.0");
  sim.client("c1").request("echo", "r1").request("sum@1.x", "r2");
  expect(sim.sentTo("w1").at(-1)).toBe("request r1 to echo");
  expect(sim.sentTo("w2").at(-1)).toBe("request r2 to sum@1.x");
});

test("a range leads to the highest version within it, as long as a worker offers that version", () => {
  const sim = scenario();
  for (const version of ["1.2.0", "1.10.0", "1.9.0", "2.0.0"]) sim.worker(version).ready(`echo@${version}`);
  sim.client("c1").request("echo@^1", "r1").request("echo@>=1 <1.10 || <1", "r2").request("echo@*", "r3");
  sim.worker("1.10.0").disconnect();
  sim.client("c1").request("echo@^1", "r4");
  expect(sim.requestsSentTo("1.10.0")).toEqual(["r1"]);
  expect(sim.requestsSentTo("1.9.0")).toEqual(["r2", "r4"]);
  expect(sim.requestsSentTo("2.0.0")).toEqual(["r3"]);
});

test("a request waits for a busy version, and for a busy service of exactly its name", () => {
  const sim = scenario();
  sim.worker("high").ready("echo@1.3.0", { concurrency: 1 });
  sim.worker("low").ready("echo@1.2.0");
  sim.worker("any").ready("*");
  sim.client("c1").request("echo@^1", "r1").request("echo@^1", "r2");
  expect(sim.requestsSentTo("low")).toEqual([]);
  sim.worker("high").final("r1");
  expect(sim.requestsSentTo("high")).toEqual(["r1", "r2"]);
  expect(sim.requestsSentTo("any")).toEqual([]);
});

test("a name leads to the longest wildcard, in whichever order they register", () => {
  const sim = scenario();
  for (const name of ["ec*", "*", "echo-*", "echo-fast-*"]) sim.worker(name).ready(name);
  const names = ["echo-fast-1", "echo-1", "echo-", "echo", "else"];
  for (const name of names) sim.client("c1").request(name, `for ${name}`);
  expect(sim.requestsSentTo("echo-fast-*")).toEqual(["for echo-fast-1"]);
  expect(sim.requestsSentTo("echo-*")).toEqual(["for echo-1", "for echo-"]);
  expect(sim.requestsSentTo("ec*")).toEqual(["for echo"]);
  expect(sim.requestsSentTo("*")).toEqual(["for else"]);
});

test("the first worker that covers a name gets the waiting requests in order of arrival", () => {
  const sim = scenario();
  const names = ["echo-b", "other", "echo-a", "echo-b", "echo-c"];
  for (const [index, name] of names.entries()) sim.client("c1").request(name, `r${index}`);
  sim.worker("w1").ready("echo-*", { concurrency: 1 });
  for (const id of ["r0", "r2", "r3"]) sim.worker("w1").final(id);
  expect(sim.requestsSentTo("w1")).toEqual(["r0", "r2", "r3", "r4"]);
});

test("the first worker with a version within a range gets the waiting requests", () => {
  const sim = scenario();
  sim.client("c1").request("echo@^2", "r1").request("echo@^1", "r2").request("echo@~1.2", "r3");
  sim.worker("w1").ready("echo@1.2.9", { concurrency: 1 }).final("r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r2", "r3"]);
});

test("requests that wait at a busy wildcard go to a worker of exactly their name as soon as one registers", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo-*", { concurrency: 1 });
  for (const name of ["echo-a", "echo-a", "echo-b", "echo-a"])
    sim.client("c1").request(name, `r${sim.stats().accepted}`);
  sim.worker("w2").ready("echo-a");
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r3"]);
  sim.worker("w1").final("r0");
  expect(sim.requestsSentTo("w1")).toEqual(["r0", "r2"]);
});

test("requests that wait at a busy wildcard or version go to a longer wildcard or a higher version", () => {
  const sim = scenario();
  sim.worker("w1").ready("e*", { concurrency: 0 });
  sim.worker("w2").ready("sum@1.0.0", { concurrency: 0 });
  sim.client("c1").request("echo", "r1").request("sum@1", "r2").request("else", "r3");
  sim.worker("w3").ready("ec*");
  sim.worker("w4").ready("sum@1.0.1");
  expect(sim.requestsSentTo("w3")).toEqual(["r1"]);
  expect(sim.requestsSentTo("w4")).toEqual(["r2"]);
});

test("when the last worker of a service leaves, its requests go to the next service that covers them, in order", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo-a", { concurrency: 1 });
  sim.worker("w2").ready("echo-*", { concurrency: 1 });
  sim.client("c1").request("echo-b", "r0");
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo-a", id, { retry: true });
  sim.client("c1").request("echo-b", "r4");
  sim.worker("w1").disconnect();
  for (const id of ["r0", "r1", "r2", "r3"]) sim.worker("w2").final(id);
  expect(sim.requestsSentTo("w2")).toEqual(["r0", "r1", "r2", "r3", "r4"]);
});

test("free workers share the requests of a service that closes", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo-a", { concurrency: 1 });
  for (const name of ["w2", "w3"]) sim.worker(name).ready("echo-*", { concurrency: 2 });
  for (let id = 1; id <= 5; id++) sim.client("c1").request("echo-a", `r${id}`, { retry: true });
  sim.worker("w1").disconnect();
  expect(sim.requestsSentTo("w2")).toEqual(["r1", "r3"]);
  expect(sim.requestsSentTo("w3")).toEqual(["r2", "r4"]);
});

test("a requeued request goes to the service that its name leads to now", () => {
  const sim = scenario();
  sim.worker("w1").ready("*");
  sim.worker("w2").ready("*");
  sim.client("c1").request("echo", "r1", { retry: true });
  sim.worker("w3").ready("echo");
  sim.worker("w1").disconnect();
  expect(sim.requestsSentTo("w3")).toEqual(["r1"]);
});

test("a request that every worker of its name rejected goes to a wildcard when these workers are gone", () => {
  const sim = scenario();
  for (const name of ["w1", "w2"]) sim.worker(name).ready("echo", { concurrency: 1 });
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  sim.worker("w1").reject("r1");
  sim.worker("w3").ready("*");
  sim.worker("w2").disconnect();
  // The worker that rejected it is the only one of its name, so no other worker is left to wait for.
  expect(sim.sentTo("c1")).toEqual(["failure r2 WORKER_LOST (maybe-executed)", "failure r1 REJECTED (dispatched)"]);
  sim.client("c1").request("echo", "r3").request("echo", "r4");
  sim.worker("w1").disconnect();
  expect(sim.requestsSentTo("w3")).toEqual(["r4"]);
});

test("a rejected request follows its name to another service, and a worker that rejected it never gets it again", () => {
  const sim = scenario();
  sim.worker("w1").ready("*");
  sim.worker("w2").ready("*", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.worker("w3").ready("echo", { concurrency: 1 });
  sim.worker("w3").reject("r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
  sim.client("c1").request("sum", "r2");
  sim.worker("w1").reject("r2");
  sim.worker("w4").ready("sum", { concurrency: 0 });
  sim.worker("w4").disconnect();
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  sim.worker("w2").heartbeat(1);
  expect(sim.requestsSentTo("w2")).toEqual(["r2"]);
});

test("a request fails when it returns to a wildcard whose workers have all rejected it", () => {
  const sim = scenario();
  sim.worker("w1").ready("*");
  sim.worker("w2").ready("*", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.worker("w3").ready("echo", { concurrency: 0 });
  sim.worker("w2").disconnect();
  expect(sim.sentTo("c1")).toEqual([]);
  sim.worker("w3").disconnect();
  expect(sim.sentTo("c1")).toEqual(["failure r1 REJECTED (dispatched)"]);
});

test("a request may name any worker that covers its name, also one that it would not go to", () => {
  const sim = scenario();
  for (const name of ["echo@1.2.0", "echo@1.3.0", "e*", "sum"]) sim.worker(name).ready(name);
  const ask = (id: string, worker: string): void => void sim.client("c1").request("echo@^1", id, { worker });
  ask("r1", "echo@1.2.0");
  ask("r2", "echo@1.3.0");
  ask("r3", "e*");
  ask("r4", "sum");
  expect(sim.requestsSentTo("echo@1.2.0")).toEqual(["r1"]);
  expect(sim.requestsSentTo("echo@1.3.0")).toEqual(["r2"]);
  expect(sim.requestsSentTo("e*")).toEqual(["r3"]);
  expect(sim.sentTo("c1")).toEqual(["failure r4 UNAVAILABLE (not-sent)"]);
});

test("a request that names its worker waits for it, whatever its name resolves to in the meantime", () => {
  const sim = scenario();
  sim.worker("w1").ready("e*", { concurrency: 0 });
  sim.client("c1").request("echo", "r1", { worker: "w1" });
  sim.worker("w2").ready("echo");
  sim.worker("w1").heartbeat(1);
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  expect(sim.requestsSentTo("w2")).toEqual([]);
});

test("a failFast request fails only if no worker covers its name", () => {
  const sim = scenario();
  sim.worker("w1").ready("e*", { concurrency: 0 });
  sim.client("c1").request("echo", "r1", { failFast: true }).request("sum", "r2", { failFast: true });
  expect(sim.sentTo("c1")).toEqual(["failure r2 UNAVAILABLE (not-sent)"]);
});

test("maxQueuedPerService holds for each name that clients ask for", () => {
  const sim = scenario({ maxQueuedPerService: 1 });
  sim.worker("w1").ready("e*", { concurrency: 0 });
  sim.client("c1").request("ea", "r1").request("ea", "r2").request("eb", "r3");
  expect(sim.sentTo("c1")).toEqual(["failure r2 BUSY (not-sent)"]);
});

test("a draining broker fails waiting requests when the last worker that covers their name is gone", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.worker("w2").ready("e*", { concurrency: 1 });
  sim.client("c1").request("echo", "r1").request("echo", "r2").request("else", "r3").request("sum", "r4");
  sim.client("c1").request("else", "r5");
  sim.drain(10_000);
  expect(sim.sentTo("c1")).toEqual(["failure r4 CLOSED (queued)"]);
  sim.forget();
  sim.worker("w1").disconnect();
  sim.worker("w2").final("r3").disconnect();
  expect(sim.sentTo("c1")).toEqual([
    "failure r1 WORKER_LOST (maybe-executed)",
    'final r3 "done"',
    "failure r2 WORKER_LOST (maybe-executed)",
    "failure r5 CLOSED (queued)",
  ]);
});

test("a name without a valid version or range is a plain name", () => {
  const sim = scenario();
  for (const name of ["echo@1.0.0", "echo@1.0.0-beta", "echo@01.2.3", "@1.0.0", "echo@"]) sim.worker(name).ready(name);
  sim.worker("*").ready("*");
  for (const name of ["echo@1.0.0-beta", "echo@01.2.3", "@1.0.0", "echo@"]) sim.client("c1").request(name, "r1");
  for (const name of ["echo@>=1.0.0-alpha <1.0.0", "echo@no range", "@^1", "echo", "other@^1"]) {
    sim.client("c2").request(name, `for ${name}`);
  }
  for (const name of ["echo@1.0.0-beta"]) expect(sim.requestsSentTo(name)).toEqual(["r1"]);
  expect(sim.requestsSentTo("echo@1.0.0")).toEqual([]);
  expect(sim.requestsSentTo("*")).toHaveLength(5);
});

test("a base may contain an @, and a base or prefix may be named __proto__", () => {
  const sim = scenario();
  for (const base of ["@scope/echo", "__proto__", "a@b", "constructor"]) {
    sim.worker(base).ready(`${base}@1.2.3`);
    sim.client(base).request(`${base}@^1`, "r1");
    expect(sim.requestsSentTo(base)).toEqual(["r1"]);
  }
  sim.worker("w1").ready("__proto__*");
  sim.client("c1").request("__proto__", "r1").request("__proto__x", "r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
});

test("a name that leads to a wildcard counts while its requests are open, and leaves nothing behind", () => {
  const sim = scenario();
  sim.worker("w1").ready("*");
  sim.client("c1").request("echo", "r1");
  expect(sim.stats().services).toBe(2);
  sim.worker("w1").final("r1");
  expect(sim.stats().services).toBe(1);
  sim.worker("w1").disconnect();
  expect(sim.stats().services).toBe(0);
});

test("the broker remembers which workers rejected a request while its name leads elsewhere", () => {
  const sim = scenario();
  sim.worker("w1").ready("*");
  sim.worker("w2").ready("*", { concurrency: 0 });
  sim.client("c1").request("echo", "r1");
  sim.worker("w1").reject("r1");
  sim.worker("w3").ready("echo");
  sim.worker("w4").ready("echo", { concurrency: 0 });
  sim.worker("w3").reject("r1");
  for (const name of ["w3", "w4"]) sim.worker(name).disconnect();
  expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  sim.worker("w2").heartbeat(1);
  expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
});
