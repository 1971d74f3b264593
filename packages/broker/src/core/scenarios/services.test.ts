// A worker that offers several services on one connection (P-READY-4 to P-READY-6).

import { NO_CAPABILITIES, serviceName } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

const SERVICES = { services: true } as const;

/** A worker that offers these services, in this order. */
function offering(sim: Scenario, name: string, services: readonly string[], offer: object = {}): void {
  for (const service of services) sim.worker(name).ready(service, { ...SERVICES, ...offer });
}

/** Requests `r1` to `rN` for a service, under ids that start with its name. */
function ask(sim: Scenario, service: string, count: number, fields: object = {}): void {
  for (let id = 1; id <= count; id++) sim.client("c1").request(service, `${service}${id}`, fields);
}

describe("P-READY-4: a worker that negotiated `services` offers several", () => {
  test("gets an answer and a request for each of them", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"]);
    sim.client("c1").request("echo", "r1").request("sum", "r2");
    expect(sim.sentTo("w1")).toEqual([
      "ready [pigato/1 cancel services heartbeat=1000]",
      "service sum",
      "request r1 to echo",
      "request r2 to sum",
    ]);
    expect(sim.events).toEqual(["worker-up w1 echo", "worker-up w1 sum", "client-up c1"]);
    expect(sim.stats()).toMatchObject({ workers: 1, services: 2 });
  });

  test("gets an answer for a service that it offers already, and nothing changes", () => {
    const sim = scenario({ announces: true });
    offering(sim, "w1", ["echo", "sum"]);
    sim.advance(10);
    sim.forget();
    offering(sim, "w1", ["echo", "sum", "echo"], { concurrency: 1 });
    sim.advance(10);
    expect(sim.sentTo("w1")).toEqual(["service echo", "service sum", "service echo"]);
    expect(sim.events).toEqual([]);
    expect(sim.announced).toHaveLength(1);
    ask(sim, "echo", 2);
    expect(sim.requestsSentTo("w1")).toHaveLength(2);
  });

  test("takes the requests that wait for a further service at once", () => {
    const sim = scenario();
    ask(sim, "sum", 3);
    offering(sim, "w1", ["echo", "sum"], { concurrency: 2 });
    expect(sim.requestsSentTo("w1")).toEqual(["sum1", "sum2"]);
    sim.worker("w1").final("sum1");
    expect(sim.requestsSentTo("w1")).toEqual(["sum1", "sum2", "sum3"]);
  });

  test("gets requests for versions, ranges and wildcards that it offers", () => {
    const sim = scenario();
    offering(sim, "w1", ["sum@1.2.0", "sum@2.0.0", "s*"]);
    sim.client("c1").request("sum@^1", "r1").request("sum@>=1", "r2").request("some", "r3").request("sum@3.0.0", "r4");
    sim.client("c1").request("other", "r5", { failFast: true });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3", "r4"]);
  });

  test("is listed in the directory under each service", () => {
    const sim = scenario({ announces: true });
    offering(sim, "w1", ["echo", "sum"]);
    offering(sim, "w2", ["sum"]);
    sim.advance(10);
    expect(sim.announced.at(-1)).toEqual(["echo: w1", "sum: w1 w2"]);
    sim.worker("w1").disconnect();
    sim.advance(10);
    expect(sim.announced.at(-1)).toEqual(["sum: w2"]);
  });

  test("is disconnected from all of them at once when the broker drains", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"]);
    ask(sim, "sum", 1);
    sim.forget();
    sim.drain(5_000);
    sim.worker("w1").final("sum1");
    expect(sim.sentTo("w1")).toEqual(["disconnect"]);
    expect(sim.isDrained).toBe(true);
  });
});

describe("P-READY-3: another worker", () => {
  test("keeps its one service", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo").ready("sum", SERVICES);
    expect(sim.events).toEqual(["worker-up w1 echo", "dropped w1 already-registered"]);
    expect(sim.sentTo("w1")).toHaveLength(1);
  });
});

describe("P-READY-5: the services of a worker share", () => {
  test("its concurrency", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"], { concurrency: 3 });
    ask(sim, "echo", 2);
    ask(sim, "sum", 2);
    expect(sim.requestsSentTo("w1")).toEqual(["echo1", "echo2", "sum1"]);
    sim.worker("w1").heartbeat(4);
    expect(sim.requestsSentTo("w1")).toEqual(["echo1", "echo2", "sum1", "sum2"]);
    expect(sim.stats()).toMatchObject({ inFlight: 4 });
  });

  test("its load: the less loaded worker gets a request, whatever the other one runs", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"]);
    offering(sim, "w2", ["sum"]);
    ask(sim, "echo", 5);
    ask(sim, "sum", 5);
    expect(sim.requestsSentTo("w2")).toEqual(["sum1", "sum2", "sum3", "sum4", "sum5"]);
    for (let id = 1; id <= 5; id++) sim.worker("w1").final(`echo${id}`);
    for (let id = 6; id <= 9; id++) sim.client("c1").request("sum", `sum${id}`);
    expect(sim.requestsSentTo("w1").slice(5)).toEqual(["sum6", "sum7", "sum8", "sum9"]);
  });

  test("its free slots in turn, so that a queue of one service does not delay another", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum", "stock"], { concurrency: 1 });
    ask(sim, "echo", 50);
    ask(sim, "sum", 2);
    ask(sim, "stock", 2);
    for (let turn = 0; turn < 8; turn++) sim.worker("w1").final(sim.requestsSentTo("w1").at(-1) ?? "");
    expect(sim.requestsSentTo("w1")).toEqual([
      ...["echo1", "echo2", "sum1", "stock1", "echo3", "sum2", "stock2", "echo4", "echo5"],
    ]);
  });

  test("its loss: all requests of all services are requeued or fail, in order of arrival", () => {
    const sim = scenario();
    sim.client("c1").offer();
    offering(sim, "w1", ["echo", "sum"]);
    sim.client("c1").request("sum", "r1", { retry: true }).request("echo", "r2", { retry: true });
    sim.client("c1").request("sum", "r3", { retry: true }).request("echo", "r4");
    sim.advance(3_000, { keepAlive: ["c1"] });
    expect(sim.sentTo("c1").slice(1)).toEqual(["failure r4 WORKER_LOST (maybe-executed)"]);
    expect(sim.events.filter((line) => line === "worker-down w1 silent")).toHaveLength(2);
    offering(sim, "w2", ["sum", "echo"], { concurrency: 2 });
    expect(sim.requestsSentTo("w2")).toEqual(["r1", "r3"]);
    expect(sim.stats()).toMatchObject({ workers: 1, open: 3 });
  });

  test("a count of lost workers for each request", () => {
    const sim = scenario({ maxDispatches: 2 });
    sim.client("c1").request("sum", "r1", { retry: true });
    for (const name of ["w1", "w2"]) {
      offering(sim, name, ["echo", "sum"]);
      sim.peerDown(name);
    }
    expect(sim.events).toContain("request-exhausted c1/r1 after 2, the last at w2");
  });
});

describe("a request that names the worker", () => {
  test("goes to it, for any of its services", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"]);
    offering(sim, "w2", ["echo", "sum"]);
    sim.client("c1").request("sum", "r1", { worker: "w2" }).request("echo", "r2", { worker: "w2" });
    sim.client("c1").request("stock", "r3", { worker: "w2" });
    expect(sim.requestsSentTo("w2")).toEqual(["r1", "r2"]);
    expect(sim.sentTo("c1")).toHaveLength(1);
  });

  test("goes to it under a name that leads to another service", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum@1.0.0", "s*"]);
    offering(sim, "w2", ["sum@1.1.0", "suite"]);
    sim.client("c1").request("sum@^1", "r1").request("sum@^1", "r2", { worker: "w1" });
    sim.client("c1").request("suite", "r3", { worker: "w1" });
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r3"]);
  });

  test("waits for it, and gets its turn", () => {
    const sim = scenario();
    sim.client("c1").offer();
    offering(sim, "w1", ["echo", "sum"], { concurrency: 1 });
    ask(sim, "echo", 3);
    sim.client("c1").request("sum", "r1", { worker: "w1" });
    sim.worker("w1").final("echo1").final("echo2");
    expect(sim.requestsSentTo("w1")).toEqual(["echo1", "echo2", "r1"]);
    sim.worker("w1").disconnect();
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 WORKER_LOST (maybe-executed)");
  });

  test("fails when the worker rejects it", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo", "sum"], { concurrency: 1 });
    sim.client("c1").offer().request("sum", "r1", { worker: "w1" });
    sim.worker("w1").reject("r1");
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 REJECTED (dispatched)");
  });
});

test("a rejected request waits for another worker of its service, and the worker's other services go on", () => {
  const sim = scenario();
  offering(sim, "w1", ["echo", "sum"], { concurrency: 1 });
  offering(sim, "w2", ["sum", "stock"], { concurrency: 1 });
  sim.client("c1").request("stock", "busy").request("sum", "r1").request("echo", "r2");
  sim.worker("w1").reject("r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  sim.worker("w2").final("busy");
  expect(sim.requestsSentTo("w2")).toEqual(["busy", "r1"]);
});

test("a worker with a congested connection gets requests for all its services when it reads again", () => {
  const sim = scenario();
  offering(sim, "w1", ["echo", "sum"]);
  ask(sim, "echo", 1);
  sim.undeliveredToWorker("w1", "echo1", "congested");
  ask(sim, "sum", 1);
  expect(sim.requestsSentTo("w1")).toEqual(["echo1"]);
  sim.worker("w1").heartbeat();
  expect(sim.requestsSentTo("w1")).toEqual(["echo1", "echo1", "sum1"]);
});

test("a reply that came through one service is cached for its name", () => {
  const sim = scenario();
  offering(sim, "w1", ["echo", "s*"]);
  sim.client("c1").request("sum", "r1", { body: "1" });
  sim.worker("w1").final("r1", "one", 0, 60_000);
  sim.client("c1").request("sum", "r2", { body: "1" }).request("echo", "r3", { body: "1" });
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r3"]);
});

test("at maxQueuedPerService a request is refused although a worker was free for another service", () => {
  const sim = scenario({ maxQueuedPerService: 1, maxRequests: 1_000 });
  offering(sim, "w1", ["echo", "sum"], { concurrency: 1 });
  sim.client("c2").offer();
  sim.client("c1").request("sum", "r1").request("echo", "r2");
  sim.client("c2").request("echo", "r3");
  sim.worker("w1").final("r1").final("r2");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
  expect(sim.sentTo("c2").at(-1)).toBe("failure r3 BUSY (not-sent)");
});

describe("P-READY-6: the broker refuses a further service", () => {
  const refused = (service: string): string[] => {
    const sim = scenario();
    offering(sim, "w1", ["echo"]);
    sim.forget();
    offering(sim, "w1", [service]);
    sim.client("c1").request("echo", "r1");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    return [...sim.sentTo("w1").slice(0, 1), ...sim.events.slice(0, 1)];
  };

  test("of a name that it serves itself, and of a core service", () => {
    expect(refused("mmi.service")).toEqual([
      'service mmi.service refused INVALID: the broker itself serves "mmi.service": choose another name',
      "dropped w1 reserved-name",
    ]);
    expect(refused("$dir")).toEqual([
      'service $dir refused INVALID: the core service "$dir" needs a connection of its own',
      "dropped w1 reserved-name",
    ]);
  });

  test("beyond 256 of one worker", () => {
    const sim = scenario({ isChecked: false });
    const names = Array.from({ length: 300 }, (_, index) => `s${index}`);
    offering(sim, "w1", names);
    expect(sim.sentTo("w1").slice(255, 257)).toEqual([
      "service s255",
      "service s256 refused BUSY: the worker offers 256 services, the most for one connection",
    ]);
    expect(sim.stats()).toMatchObject({ workers: 1, services: 256 });
    sim.worker("w1").disconnect();
    expect(sim.stats()).toMatchObject({ workers: 0, services: 0 });
  });

  test("beyond maxWorkers, at which each service of a worker counts", () => {
    const sim = scenario({ maxWorkers: 3 });
    offering(sim, "w1", ["echo", "sum"]);
    offering(sim, "w2", ["sum", "stock"]);
    sim.worker("w3").ready("echo", { error: true });
    expect(sim.sentTo("w2").at(-1)).toBe(
      "service stock refused BUSY: workers offer 3 services, the most that maxWorkers allows",
    );
    expect(sim.sentTo("w3")).toEqual(["disconnect BUSY: workers offer 3 services, the most that maxWorkers allows"]);
    sim.worker("w1").disconnect();
    offering(sim, "w2", ["stock"]);
    expect(sim.sentTo("w2").at(-1)).toBe("service stock");
  });

  test("while it stops", () => {
    const sim = scenario();
    offering(sim, "w1", ["echo"]);
    ask(sim, "echo", 1);
    sim.drain(5_000);
    offering(sim, "w1", ["sum"]);
    expect(sim.sentTo("w1").at(-1)).toBe("service sum refused CLOSED: the broker is stopping");
  });
});

test("a worker with many services that change nothing costs no step for each of them", () => {
  const sim = scenario({ isChecked: false });
  const names = Array.from({ length: 256 }, (_, index) => `s${index}`);
  offering(sim, "w1", names, { concurrency: 1 });
  const offer = { ...NO_CAPABILITIES, ...SERVICES };
  for (let turn = 0; turn < 5_000; turn++) {
    sim.worker("w1").sends({ type: "ready", service: serviceName(`more${turn}`), offer });
  }
  ask(sim, "s7", 3);
  sim.worker("w1").final("s71").final("s72");
  expect(sim.requestsSentTo("w1")).toEqual(["s71", "s72", "s73"]);
  expect(sim.stats()).toMatchObject({ services: 256 });
  sim.assertConsistent();
});
