import { NO_CAPABILITIES, requestId } from "@pigato/protocol";
import { GRANT_BYTES, MAX_CREDIT, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

/** A client and a worker that have both negotiated streamed input, and an open request with it. */
function streaming(): Scenario {
  const sim = scenario();
  sim.worker("w1").ready("load", { duplex: true });
  sim.client("c1").offer({ duplex: true }).request("load", "r1", { hasInput: true, retry: true });
  sim.forget();
  return sim;
}

describe("P-STREAM-8: input with credit", () => {
  test("the broker passes grants to the client, and input and its end to the worker, in order", () => {
    const sim = streaming();
    sim.worker("w1").grant("r1", 3);
    sim.client("c1").input("r1", "1").input("r1", "2", "3");
    sim.worker("w1").grant("r1", 1);
    sim.client("c1").input("r1", "4").inputEnd("r1");
    sim.worker("w1").final("r1", "4 rows");
    expect(sim.sentTo("c1")).toEqual(["credit r1 3", "credit r1 1", 'final r1 "4 rows"']);
    expect(sim.sentTo("w1")).toEqual(['input r1 "1"', 'input r1 "2" "3"', 'input r1 "4"', "input-end r1"]);
    expect(sim.events).toEqual([]);
  });

  test.each<[string, (sim: Scenario) => void]>([
    ["input before its worker granted any", (sim) => sim.client("c1").input("r1", "1")],
    ["the end before its worker granted any", (sim) => sim.client("c1").inputEnd("r1")],
    [
      "more chunks than were granted",
      (sim) => {
        sim.worker("w1").grant("r1", 2);
        sim.client("c1").input("r1", "1").input("r1", "2", "3");
      },
    ],
    [
      "input after its end",
      (sim) => {
        sim.worker("w1").grant("r1", 2);
        sim.client("c1").inputEnd("r1").input("r1", "1");
      },
    ],
    [
      "a second end",
      (sim) => {
        sim.worker("w1").grant("r1", 2);
        sim.client("c1").inputEnd("r1").inputEnd("r1");
      },
    ],
  ])("a client that sends %s loses its request, and its worker is notified", (_, act) => {
    const sim = streaming();
    act(sim);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 INVALID (maybe-executed)");
    expect(sim.sentTo("w1").at(-1)).toBe("cancel r1");
    expect(sim.events).toEqual(["violation c1 P-STREAM-8", "request-failed c1/r1 INVALID"]);
    sim.client("c1").input("r1", "1");
    expect(sim.events.at(-1)).toBe("dropped c1 not-open r1");
  });

  test("P-STREAM-11: the broker does not count bytes, because a grant may pass chunks that were sent before it", () => {
    const sim = streaming();
    const [three, large] = ["x".repeat((3 * MAX_CREDIT_BYTES) / 4), "x".repeat(GRANT_BYTES)];
    sim.worker("w1").grant("r1", 20);
    sim.client("c1").input("r1", three);
    // The client has half a megabyte left, and sends the next chunk before this grant reaches it.
    sim.worker("w1").grant("r1", 1);
    sim.client("c1").input("r1", three).input("r1", large);
    expect(sim.sentTo("w1")).toHaveLength(3);
    expect(sim.events).toEqual([]);
  });

  test("a grant, or a sum of grants, of more than the maximum is no limit", () => {
    const sim = streaming();
    sim.worker("w1").grant("r1", MAX_CREDIT).grant("r1", MAX_CREDIT);
    for (let chunk = 0; chunk < 5; chunk++) sim.client("c1").input("r1", "1");
    expect(sim.sentTo("w1")).toHaveLength(5);
    expect(sim.events).toEqual([]);
  });

  test("a client cannot send input for the request of another client, nor for one that announced none", () => {
    const sim = streaming();
    sim.worker("w1").grant("r1", 3);
    sim.client("c2").offer({ duplex: true }).input("r1", "1").request("load", "r2").input("r2", "1").inputEnd("r2");
    sim.worker("w1").grant("r2", 1);
    sim.client("c3").input("r1", "1");
    expect(sim.sentTo("w1")).toEqual(["request r2 to load"]);
    expect(sim.events.filter((event) => event.startsWith("dropped"))).toEqual([
      "dropped c2 not-open r1",
      "dropped c2 unsupported r2",
      "dropped c2 unsupported r2",
      "dropped w1 unsupported r2",
      "dropped c3 unsupported r1",
    ]);
  });

  test("a grant of nothing, and one of a worker that does not hold the request, has no effect", () => {
    const sim = streaming();
    sim.worker("w2").ready("load", { duplex: true });
    const { address } = sim.worker("w1").receivedAs("r1");
    sim.worker("w1").grant("r1", 0);
    sim.worker("w2").sends({ type: "credit", address, requestId: requestId("r1"), chunks: 5 });
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.events.slice(1)).toEqual(["dropped w1 void-credit r1", "dropped w2 not-held r1"]);
  });

  test("a message of the client that does not decode ends its request, because a chunk may be missing", () => {
    const sim = streaming();
    sim.violation("c1", "client", "P-SIZE-2", requestId("r1"));
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (maybe-executed)"]);
    expect(sim.sentTo("w1")).toEqual(["cancel r1"]);
  });
});

describe("P-STREAM-7: a request with input", () => {
  test("fails at a worker that does not support it, and the failure names what is missing", () => {
    const sim = scenario();
    sim.worker("w1").ready("load");
    sim.worker("w2").ready("classic", "classic").heartbeat();
    sim.client("c1").offer({ duplex: true }).request("later", "r0", { hasInput: true });
    sim.forget();
    sim.client("c1").request("load", "r1", { hasInput: true }).request("classic", "r2", { hasInput: true });
    sim.worker("w3").ready("later");
    const failures = sim.client("c1").received.filter((message) => message.type === "failure");
    expect(failures.map(({ requestId: id, failure: { code, delivery } }) => [id, code, delivery])).toEqual([
      ["r1", "INVALID", "queued"],
      ["r2", "INVALID", "queued"],
      ["r0", "INVALID", "queued"],
    ]);
    expect(failures[0]?.failure.message).toMatch(
      /has streamed input, which its worker "w1" does not support \(duplex\)/,
    );
    // P-FAIL-7.
    for (const { failure } of failures) expect(failure.detail).toEqual({ missing: "duplex", peer: "worker" });
    for (const worker of ["w1", "w2"]) expect(sim.requestsSentTo(worker)).toEqual([]);
    expect(sim.stats()).toMatchObject({ open: 0, inFlight: 0 });
  });

  test("leaves the slot of that worker to the next request", () => {
    const sim = scenario();
    sim.client("c1").offer({ duplex: true }).request("load", "r1", { hasInput: true }).request("load", "r2");
    sim.worker("w1").ready("load", { concurrency: 1 });
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
  });

  test("cannot be stored", () => {
    const sim = scenario();
    sim.worker("w1").ready("load", { duplex: true });
    sim.client("c1").offer({ duplex: true }).request("load", "r1", { hasInput: true, persist: true });
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 INVALID (not-sent)");
    expect(sim.stats()).toMatchObject({ open: 0, refused: 1 });
  });

  test("is not answered from the cache, and its reply is not cached", () => {
    const sim = streaming();
    sim.worker("w1").final("r1", "one", 0, 1_000);
    sim.client("c1").request("load", "r2", { body: "c1/r1" });
    sim.worker("w1").final("r2", "two", 0, 1_000);
    sim.client("c1").request("load", "r3", { body: "c1/r1", hasInput: true }).request("load", "r4", { body: "c1/r1" });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2", "r3"]);
  });

  test("of a client that did not negotiate it is an ordinary request", () => {
    const sim = scenario();
    sim.worker("w1").ready("load");
    sim.client("c1").request("load", "r1", { hasInput: true });
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });
});

describe("P-STREAM-9: the request of a granted input stays at its worker", () => {
  test("a lost worker fails it, even with retry", () => {
    const sim = streaming();
    sim.worker("w2").ready("load", { duplex: true });
    sim.worker("w1").grant("r1", 1);
    sim.forget();
    sim.peerDown("w1");
    expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
    expect(sim.sentTo("w2")).toEqual([]);
  });

  test("without a grant, a request with retry goes to another worker when its worker is lost or rejects it", () => {
    const sim = streaming();
    sim.worker("w2").ready("load", { duplex: true });
    sim.worker("w3").ready("load", { duplex: true });
    sim.peerDown("w1");
    sim.worker("w2").reject("r1");
    sim.worker("w3").grant("r1", 1);
    sim.client("c1").input("r1", "1");
    expect(sim.sentTo("w3").slice(1)).toEqual(["request r1 to load", 'input r1 "1"']);
  });

  test("a rejection fails it", () => {
    const sim = streaming();
    sim.worker("w2").ready("load", { duplex: true });
    sim.worker("w1").grant("r1", 1).reject("r1");
    expect(sim.sentTo("c1")).toEqual(["credit r1 1", "failure r1 REJECTED (maybe-executed)"]);
    expect(sim.requestsSentTo("w2")).toEqual([]);
  });

  test("a cancel, the loss of its client and the timeout reach the worker", () => {
    const sim = streaming();
    sim
      .client("c1")
      .request("load", "r2", { hasInput: true, timeoutMs: 100 })
      .request("load", "r3", { hasInput: true });
    sim.worker("w1").grant("r1", 1);
    sim.forget();
    sim.client("c1").cancel("r1");
    sim.advance(100);
    sim.peerDown("c1");
    expect(sim.sentTo("w1")).toEqual(["cancel r1", "cancel r2", "cancel r3"]);
    expect(sim.stats()).toMatchObject({ open: 0, inFlight: 0 });
  });
});

describe("P-STREAM-10: progress and bounds", () => {
  test("input and grants restart the timeout", () => {
    const sim = scenario();
    sim.worker("w1").ready("load", { duplex: true });
    sim.client("c1").offer({ duplex: true }).request("load", "r1", { hasInput: true, timeoutMs: 100 });
    sim.advance(99);
    sim.worker("w1").grant("r1", 2);
    sim.advance(99);
    sim.client("c1").input("r1", "1");
    sim.advance(99);
    sim.client("c1").inputEnd("r1");
    sim.advance(99);
    expect(sim.stats().open).toBe(1);
    sim.advance(1);
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 DEADLINE_EXCEEDED (maybe-executed)");
  });

  test("a request fails when its input does not reach its worker, or a grant does not reach its client", () => {
    const sim = streaming();
    const { address } = sim.worker("w1").receivedAs("r1");
    sim.worker("w1").grant("r1", 5);
    sim.client("c1").input("r1", "1");
    sim.forget();
    sim.streamUndelivered("w1", address, "input");
    sim.streamUndelivered("w1", address, "input");
    expect(sim.sentTo("c1")).toEqual(["failure r1 BUSY (maybe-executed)"]);
    expect(sim.sentTo("w1")).toEqual(["cancel r1"]);
    sim.client("c1").request("load", "r2", { hasInput: true });
    sim.worker("w1").grant("r2", 5);
    sim.undeliveredToClient("c1", "congested");
    expect(sim.sentTo("c1").at(-1)).toBe("failure r2 BUSY (maybe-executed)");
    expect(sim.stats().open).toBe(0);
  });

  test("P-SIZE-1: chunks that are too large together go one by one, and one that is too large ends the request", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("load", { duplex: true, maxMessageBytes: 1_000, maxFrameBytes: 1_000 });
    sim.client("c1").offer({ duplex: true }).request("load", "r1", { hasInput: true });
    sim.worker("w1").grant("r1", 10);
    sim.forget();
    const [small, large] = ["x".repeat(200), "y".repeat(1_001)];
    sim.client("c1").input("r1", small, small, small, small, small, small);
    expect(sim.sentTo("w1")).toEqual(Array.from({ length: 6 }, () => `input r1 "${small}"`));
    sim.client("c1").input("r1", large);
    expect(sim.sentTo("w1").at(-1)).toBe("cancel r1");
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (maybe-executed)"]);
  });

  test("a broker that drains lets input continue", () => {
    const sim = streaming();
    sim.worker("w1").grant("r1", 1);
    sim.drain(1_000);
    sim.client("c1").input("r1", "1").inputEnd("r1");
    sim.worker("w1").final("r1");
    expect(sim.sentTo("w1")).toContain('input r1 "1"');
    expect(sim.isDrained).toBe(true);
  });
});

test("a client that offers twice keeps the input of its requests", () => {
  const sim = streaming();
  sim.worker("w1").grant("r1", 2);
  sim.fromClient("c1", { type: "heartbeat", offer: { ...NO_CAPABILITIES, cancel: true, error: true, duplex: true } });
  sim.client("c1").input("r1", "1");
  expect(sim.sentTo("w1").at(-1)).toBe('input r1 "1"');
});
