import { describe, expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("the broker drops a queued request that its client cancels, and sends no reply", () => {
  const sim = scenario();
  sim.client("c1").offer().request("echo", "r1").cancel("r1");
  sim.forget();
  sim.worker("w1").ready("echo");
  expect(sim.requestsSentTo("w1")).toEqual([]);
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.stats()).toMatchObject({ accepted: 1, canceled: 1, open: 0 });
});

test("the broker cancels a running request at its worker, and the slot is free at once", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  sim.client("c1").offer().request("echo", "r1").request("echo", "r2").cancel("r1");
  expect(sim.sentTo("w1").slice(1)).toEqual(["request r1 to echo", "cancel r1", "request r2 to echo"]);
});

test("the broker drops replies to a canceled request", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1").cancel("r1");
  sim.forget();
  sim.worker("w1").partial("r1").final("r1").reject("r1");
  expect(sim.sentTo("c1")).toEqual([]);
  expect(sim.events).toEqual(["dropped w1 not-held r1", "dropped w1 not-held r1", "dropped w1 not-held r1"]);
});

test("the broker drops a cancel for a request that is not open", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").offer().request("echo", "r1");
  sim.worker("w1").final("r1");
  sim.client("c1").cancel("r1").cancel("never was");
  sim.client("c2").cancel("r1");
  expect(sim.events).toContain("dropped c1 not-open r1");
  expect(sim.events).toContain("dropped c1 not-open never was");
  expect(sim.events).toContain("dropped c2 not-open r1");
});

test("a client cannot cancel the request of another", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.client("c2").offer().cancel("r1");
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
});

test("a DISCONNECT of a client cancels its open requests, and the broker dispatches none of them", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { concurrency: 1 });
  for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
  sim.client("c2").request("echo", "other");
  sim.client("c1").disconnect();
  expect(sim.sentTo("w1").slice(1)).toEqual(["request r1 to echo", "cancel r1", "request other to echo"]);
  expect(sim.stats()).toMatchObject({ canceled: 3, open: 1, clients: 1 });
});

test("the broker cancels the requests of a client whose connection is gone", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.peerDown("c1");
  expect(sim.sentTo("w1")).toContain("cancel r1");
  expect(sim.events).toContain("client-down c1 gone");
  sim.forget();
  sim.worker("w1").final("r1");
  expect(sim.sentTo("c1")).toEqual([]);
});

test("the broker loses a peer as client and as worker when its connection is gone", () => {
  const sim = scenario();
  sim.worker("both").ready("echo");
  sim.client("both").request("sum", "r1");
  sim.peerDown("both");
  expect(sim.stats()).toMatchObject({ workers: 0, clients: 0, open: 0, services: 0 });
});

describe("P-CANCEL-2: the broker states why it ends a running request", () => {
  function running() {
    const sim = scenario();
    sim.worker("w1").ready("echo", { cancel: true, error: true });
    sim.client("c1").offer().request("echo", "r1", { timeoutMs: 500 });
    sim.forget();
    return sim;
  }

  test("that its client canceled: without a reason", () => {
    const sim = running();
    sim.client("c1").cancel("r1");
    expect(sim.sentTo("w1")).toEqual(["cancel r1"]);
  });

  test("that exceeded its timeout", () => {
    const sim = running();
    sim.advance(500);
    const why = 'request r1 to "echo" exceeded its 500 ms timeout: its worker did not reply';
    expect(sim.sentTo("w1")).toEqual([`cancel r1 DEADLINE_EXCEEDED: ${why}`]);
  });

  test.each(["left", "lost"])("whose client is gone: %s", (how) => {
    const sim = running();
    if (how === "left") sim.client("c1").disconnect();
    else sim.peerDown("c1");
    expect(sim.sentTo("w1")).toEqual(['cancel r1 CLOSED: request r1 to "echo" ended because its client is gone']);
  });

  test("that is open when the broker stops", () => {
    const sim = running();
    sim.drain(100);
    sim.advance(100);
    expect(sim.sentTo("w1")[0]).toBe('cancel r1 CLOSED: request r1 to "echo" was open when the broker stopped');
  });
});

test("P-CANCEL-2: a worker that did not negotiate typed errors gets no reason", () => {
  const sim = scenario();
  sim.worker("w1").ready("echo", { cancel: true });
  sim.client("c1").offer().request("echo", "r1");
  sim.peerDown("c1");
  expect(sim.sentTo("w1")).toContain("cancel r1");
});
