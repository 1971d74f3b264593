import { peerId, pigato, readText, writeText } from "@pigato/protocol";
import { MAX_FRAMES, MAX_REQUEST_FRAMES } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import type { RequestFields } from "../testing/actors.ts";
import { type Scenario, type ScenarioOptions, scenario } from "../testing/scenario.ts";

const FULL = { methods: true, deadline: true, headers: true, error: true };

/** A client and, if `slots` is positive, a worker that negotiated everything. */
function withPeers(slots: number, options: ScenarioOptions = {}): Scenario {
  const sim = scenario(options);
  if (slots > 0) sim.worker("w1").ready("echo", { deadline: true, headers: true, concurrency: slots });
  sim.client("c1").offer(FULL);
  sim.forget();
  return sim;
}

function failure(sim: Scenario, client = "c1"): string {
  const message = sim.client(client).received.at(-1);
  return message?.type === "failure" ? message.failure.message : "no failure";
}

describe("the deadline of a request", () => {
  test("ends a request that runs, and its worker gets a cancel", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500, timeoutMs: 60_000 });
    sim.advance(499);
    expect(sim.sentTo("c1")).toEqual([]);
    sim.advance(1);
    expect(sim.sentTo("c1")).toEqual(["failure r1 DEADLINE_EXCEEDED (maybe-executed)"]);
    expect(failure(sim)).toBe('request r1 to "echo" exceeded its deadline of 500 ms: its worker did not reply');
    expect(sim.sentTo("w1")).toEqual(["request r1 to echo deadline 500", "cancel r1"]);
  });

  test("ends a request that waits, which no worker has run", () => {
    const sim = withPeers(0);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500 });
    sim.advance(500);
    expect(sim.sentTo("c1")).toEqual(["failure r1 DEADLINE_EXCEEDED (queued)"]);
  });

  test("is not restarted by partials, which restart the timeout", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500, timeoutMs: 200 });
    for (const text of ["1", "2"]) {
      sim.advance(190);
      sim.worker("w1").partial("r1", text);
    }
    sim.advance(119);
    expect(sim.stats().open).toBe(1);
    sim.advance(1);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
  });

  test("does not extend the timeout", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500, timeoutMs: 200 });
    sim.advance(200);
    expect(failure(sim)).toMatch("exceeded its 200 ms timeout");
  });

  test("reaches each worker as the time that is left", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500, retry: true });
    sim.advance(100.5);
    sim.worker("w2").ready("echo", { deadline: true });
    sim.worker("w3").ready("echo");
    sim.worker("w1").disconnect();
    expect(sim.sentTo("w2").at(-1)).toBe("request r1 to echo deadline 399");
    sim.advance(100);
    sim.worker("w2").disconnect();
    expect(sim.sentTo("w3").at(-1)).toBe("request r1 to echo");
  });

  test("is any other frame from a client that did not negotiate it", () => {
    const sim = withPeers(1);
    const frames = ["C", "2", "echo", "r1", "1", "{}", "deadline=5", "headers={}"].map(writeText);
    const message = pigato.decodeFromClient(frames);
    if (message.type === "request") sim.client("c2").sends(message);
    sim.advance(1_000);
    const [request] = sim.worker("w1").received;
    expect(request?.trailer.map(readText)).toEqual(["{}", "deadline=5", "headers={}"]);
    expect(request).toMatchObject({ deadlineMs: undefined, hasHeaders: false });
    expect(sim.stats().open).toBe(1);
  });

  test("of a stored request continues over a restart", () => {
    const sim = withPeers(0);
    sim.client("c1").request("echo", "r1", { deadlineMs: 500, persist: true });
    const [[key = "", stored] = []] = sim.stored;
    expect(stored).toMatchObject({ deadlineMs: 500 });
    if (stored === undefined) return;

    const next = withPeers(1);
    next.restore(key, stored, 200);
    expect(next.sentTo("w1")).toEqual(["request r1 to echo deadline 300"]);
    const late = withPeers(0);
    late.restore(key, stored, 500);
    expect(late.events.at(-1)).toBe("request-failed c1/r1 DEADLINE_EXCEEDED");
  });
});

describe("acceptTimeout", () => {
  test("ends a request that no worker takes in time, which is safe to retry", () => {
    const sim = withPeers(0);
    sim.client("c1").request("echo", "r1", { acceptTimeoutMs: 250 });
    sim.advance(249);
    expect(sim.sentTo("c1")).toEqual([]);
    sim.advance(1);
    expect(sim.sentTo("c1")).toEqual(["failure r1 UNAVAILABLE (queued)"]);
    expect(failure(sim)).toBe(
      'request r1 to "echo" was not accepted by a worker in 250 ms (acceptTimeout): its service has no worker',
    );
  });

  test("ends a request behind others, whose worker has no free slot", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1").request("echo", "r2", { acceptTimeoutMs: 250 });
    sim.advance(250);
    expect(failure(sim)).toMatch("no worker was free");
    sim.worker("w1").final("r1");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("does not count while a worker has the request, nor the time before", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r0").request("echo", "r1", { acceptTimeoutMs: 250, timeoutMs: 1_000 });
    sim.advance(200);
    sim.worker("w1").final("r0");
    sim.advance(799);
    expect(sim.stats().open).toBe(1);
    sim.advance(1);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
    expect(failure(sim)).toMatch("exceeded its 1000 ms timeout");
  });

  test("counts anew when the request is queued again", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { acceptTimeoutMs: 250, retry: true });
    sim.advance(1_000);
    sim.worker("w1").disconnect();
    sim.advance(249);
    expect(sim.stats().open).toBe(1);
    sim.advance(1);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 UNAVAILABLE (maybe-executed)");
  });

  test.each([
    ["a timeout that ends first", { acceptTimeoutMs: 250, timeoutMs: 100 }, "DEADLINE_EXCEEDED"],
    ["a deadline that ends first", { acceptTimeoutMs: 250, deadlineMs: 100 }, "DEADLINE_EXCEEDED"],
    ["a timeout that ends at the same time", { acceptTimeoutMs: 250, timeoutMs: 250 }, "DEADLINE_EXCEEDED"],
    ["0, if no worker is free", { acceptTimeoutMs: 0 }, "UNAVAILABLE"],
  ])("respects %s", (_, fields: RequestFields, code) => {
    const sim = withPeers(0);
    sim.client("c1").request("echo", "r1", fields);
    sim.advance(250);
    expect(sim.sentTo("c1")).toEqual([`failure r1 ${code} (queued)`]);
  });

  test("of 0 lets a free worker take the request", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { acceptTimeoutMs: 0 });
    sim.advance(10);
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.stats().open).toBe(1);
  });

  test("ends a stored request whose client is gone, and its failure is held", () => {
    const sim = withPeers(0);
    sim.client("c1").request("echo", "r1", { acceptTimeoutMs: 250, persist: true, timeoutMs: 5_000 });
    sim.storeFinishes();
    sim.peerDown("c1");
    sim.advance(250);
    expect(sim.events.at(-1)).toBe("reply-held c1/r1");
    sim.client("c1").offer(FULL);
    sim.advance(100);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 UNAVAILABLE (queued)");
  });

  test("has no meaning from a client that did not negotiate methods", () => {
    const sim = withPeers(0);
    sim.client("c2").offer().request("echo", "r1", { acceptTimeoutMs: 250 });
    sim.advance(1_000);
    expect(sim.stats().open).toBe(1);
  });
});

describe("the headers of a request", () => {
  const headers = '{"trace":"1-2"}';

  test("reach a worker that negotiated them in their own frame, any other in the options", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { headers });
    expect(sim.worker("w1").received[0]?.trailer.map(readText)).toEqual(["{}", `headers=${headers}`]);
    sim.worker("w2").ready("echo");
    sim.client("c1").request("echo", "r2", { headers });
    expect(sim.worker("w2").received[0]?.trailer.map(readText)).toEqual([`{"headers":${headers}}`]);
    expect(sim.worker("w2").received[0]).toMatchObject({ hasHeaders: false });
  });

  test("are joined to the options behind the others, once for each dispatch", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    const frames = ["C", "2", "echo", "r1", "1", '{"a":1}', `headers=${headers}`, "more"].map(writeText);
    const message = pigato.decodeFromClient(frames);
    if (message.type === "request") sim.client("c1").offer(FULL).sends(message);
    sim.worker("w1").reject("r1");
    sim.worker("w2").ready("echo");
    const expected = [`{"a":1,"headers":${headers}}`, "more"];
    expect(sim.worker("w1").received[0]?.trailer.map(readText)).toEqual(expected);
  });

  test("that are too large end the request with INVALID", () => {
    const sim = withPeers(1);
    sim.client("c1").request("echo", "r1", { headers: `{"a":"${"x".repeat(8_184)}"}` });
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    sim.client("c1").request("echo", "r2", { headers: `{"a":"${"x".repeat(8_185)}"}` });
    expect(sim.sentTo("c1")).toEqual(["failure r2 INVALID (not-sent)"]);
    expect(failure(sim)).toMatch("its headers have 8193 bytes as JSON; the most is 8192");
  });
});

describe("the facts of a request", () => {
  test("are who sent it, and how often it was dispatched", () => {
    const sim = withPeers(0);
    sim.step({ type: "identified", peer: peerId("c2"), identity: "alice" });
    sim.client("c2").request("echo", "r1", { retry: true });
    sim.client("c1").request("echo", "r2");
    for (const name of ["w1", "w2", "w3"]) sim.worker(name).ready("echo", { headers: true, concurrency: 1 });
    sim.worker("w1").disconnect();
    expect(sim.sentTo("w1")[1]).toBe("request r1 to echo caller alice");
    expect(sim.sentTo("w2")[1]).toBe("request r2 to echo");
    expect(sim.sentTo("w3")[1]).toBe("request r1 to echo caller alice attempt 2");
  });

  test("are not sent to a worker that did not negotiate headers", () => {
    const sim = scenario();
    sim.step({ type: "identified", peer: peerId("c1"), identity: "alice" });
    sim.worker("w1").ready("echo", "classic").heartbeat();
    sim.client("c1").request("echo", "r1");
    expect(sim.sentTo("w1").at(-1)).toBe("request r1 to echo");
  });

  test("reach the worker, however many frames the client adds", () => {
    const sim = withPeers(0);
    sim.step({ type: "identified", peer: peerId("c2"), identity: "alice" });
    sim.client("c2").offer({ ...FULL, credit: true });
    const tags = ["credit=16", "deadline=5000", "headers={}"];
    const request = ["C", "2", "echo", "r1", "1", '{"retry":1}', ...tags];
    const others = Array.from({ length: MAX_REQUEST_FRAMES - request.length }, () => "other");
    const message = pigato.decodeFromClient([...request, ...others].map(writeText));
    if (message.type !== "request") throw new Error("the request was not decoded");
    sim.client("c2").sends(message);
    const worker = { headers: true, deadline: true, credit: true, concurrency: 1 };
    sim.worker("w1").ready("echo", worker).disconnect();
    sim.worker("w2").ready("echo", worker);
    const [dispatched] = sim.worker("w2").received;
    expect(dispatched).toMatchObject({ caller: "alice", attempt: 2, credit: 16, deadlineMs: 5_000 });
    expect(dispatched?.trailer.slice(2).map(readText)).toEqual(others);
    expect(dispatched && pigato.encodeToWorker(dispatched)).toHaveLength(MAX_FRAMES);
  });

  test("of a client that connects again under the same id are those of its new connection", () => {
    const sim = withPeers(1);
    sim.step({ type: "identified", peer: peerId("c2"), identity: "alice" });
    sim.client("c2").request("echo", "r1", { persist: true });
    sim.peerDown("c2");
    sim.client("c2").request("echo", "r2");
    sim.storeFinishes();
    sim.worker("w1").final("r2").final("r1");
    expect(sim.sentTo("w1")).toEqual(["request r2 to echo", "request r1 to echo caller alice"]);
    expect([...sim.stored.values()]).toMatchObject([{ caller: "alice" }]);
  });
});
