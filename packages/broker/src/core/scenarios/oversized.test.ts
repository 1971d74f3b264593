import {
  type BrokerDialect,
  DEFAULT_REQUEST_OPTIONS,
  NO_CAPABILITIES,
  omdp,
  peerId,
  pigato,
  requestId,
  serviceName,
} from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { answeringMdp02, butler, mdp02 } from "../testing/dialects.ts";
import { type Scenario, scenario } from "../testing/scenario.ts";

const DETAIL = "a frame of 70000 bytes; the bound is 65536";

function oversizedRequest(sim: Scenario, client: string, id: string): void {
  const message = {
    type: "request",
    service: serviceName("echo"),
    requestId: requestId(id),
    body: [new Uint8Array(0)],
    trailer: [],
    options: DEFAULT_REQUEST_OPTIONS,
  } as const;
  sim.step({ type: "oversized-request", from: peerId(client), message, dialect: pigato.id, detail: DETAIL });
}

function oversizedReply(sim: Scenario, worker: string, type: "partial" | "final", request: string): void {
  const received = sim.worker(worker).received.find(({ requestId: id }) => id === request);
  const message = {
    type,
    address: received?.address ?? "~none",
    requestId: requestId(request),
    status: 0,
    body: [],
    trailer: [],
  } as const;
  sim.step({ type: "oversized-reply", from: peerId(worker), message, dialect: pigato.id, detail: DETAIL });
}

describe("P-SIZE-2: a message that is larger than the broker accepts", () => {
  test("fails a request at once, which never ran, and leaves the client its other requests", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1");
    oversizedRequest(sim, "c1", "r2");
    expect(sim.sentTo("c1")).toEqual(["failure r2 INVALID (not-sent)"]);
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    sim.worker("w1").final("r1");
    expect(sim.sentTo("c1").at(-1)).toBe('final r1 "done"');
  });

  test("does not end the open request of the same id", () => {
    const sim = scenario();
    sim.client("c1").request("echo", "r1");
    oversizedRequest(sim, "c1", "r1");
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.stats().open).toBe(1);
  });

  test.each(["partial", "final"] as const)("ends, as a %s, its request, which is not retried, and no other", (type) => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { retry: true }).request("echo", "r2");
    oversizedReply(sim, "w1", type, "r1");
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (maybe-executed)"]);
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    sim.worker("w1").final("r2");
    expect(sim.stats()).toMatchObject({ workers: 1, open: 0, failed: 1, finished: 1 });
  });

  test("is dropped if the worker does not hold the request", () => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    oversizedReply(sim, "w1", "final", "r1");
    oversizedReply(sim, "w2", "final", "r1");
    expect(sim.events).toContain("dropped w1 not-held r1");
    expect(sim.stats().workers).toBe(1);
  });
});

describe("P-SIZE-1: a peer that announced a bound", () => {
  test("gets no request beyond it, as a worker, which fails and ran nowhere", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("echo", { maxFrameBytes: 1_000, concurrency: 1 });
    sim
      .client("c1")
      .request("echo", "r1", { body: "x".repeat(1_001) })
      .request("echo", "r2", { body: "x".repeat(1_000) });
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (queued)"]);
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
  });

  test("gets the next request in the queue instead, when a slot is free", () => {
    const sim = scenario();
    const large = { body: "x".repeat(1_001) };
    sim.client("c1").request("echo", "r1", large).request("echo", "r2", large).request("echo", "r3");
    sim.worker("w1").ready("echo", { maxFrameBytes: 1_000, concurrency: 1 });
    expect(sim.requestsSentTo("w1")).toEqual(["r3"]);
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (queued)", "failure r2 INVALID (queued)"]);
  });

  test.each(["partial", "final"] as const)(
    "gets no %s beyond it, as a client: the request ends with INVALID",
    (type) => {
      const sim = scenario({ isChecked: false });
      sim.worker("w1").ready("echo", { cancel: true });
      sim.client("c1").sends({ type: "heartbeat", offer: { ...NO_CAPABILITIES, error: true, maxFrameBytes: 1_000 } });
      sim.client("c1").request("echo", "r1").request("echo", "r2");
      sim.worker("w1")[type]("r1", "x".repeat(1_001));
      sim.worker("w1").final("r2", "x".repeat(1_000));
      expect(sim.sentTo("c1").slice(1)).toEqual([
        "failure r1 INVALID (maybe-executed)",
        expect.stringContaining("final r2"),
      ]);
      expect(sim.sentTo("w1").includes("cancel r1")).toBe(true);
    },
  );

  test("gets the chunks of a message beyond it one by one, and those that are too large end the request", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("echo");
    sim
      .client("c1")
      .sends({ type: "heartbeat", offer: { ...NO_CAPABILITIES, error: true, partials: true, maxMessageBytes: 4_096 } });
    sim.client("c1").request("echo", "r1").request("echo", "r2");
    const [one, large] = ["x".repeat(2_000), "y".repeat(4_000)];
    sim.worker("w1").partials("r1", [one, one, one]);
    sim.worker("w1").partials("r2", [one, large, one]);
    sim.worker("w1").final("r1");
    expect(sim.sentTo("c1").slice(1)).toEqual([
      ...[1, 2, 3].map(() => expect.stringContaining("partial r1")),
      expect.stringContaining("partial r2"),
      "failure r2 INVALID (maybe-executed)",
      'final r1 "done"',
    ]);
    expect(sim.stats()).toMatchObject({ open: 0, answered: 1, failed: 1 });
  });

  test.each(["partial", "final"] as const)("gets no cached reply with a %s beyond it, but INVALID", (type) => {
    const sim = scenario();
    sim.worker("w1").ready("echo");
    sim.client("c1").request("echo", "r1", { body: "what?" });
    if (type === "partial") sim.worker("w1").partial("r1", "x".repeat(1_001), 1_000).final("r1", "end", 0, 1_000);
    else sim.worker("w1").final("r1", "x".repeat(1_001), 0, 1_000);
    sim.client("c2").sends({ type: "heartbeat", offer: { ...NO_CAPABILITIES, error: true, maxFrameBytes: 1_000 } });
    sim.client("c2").request("echo", "r2", { body: "what?" });
    expect(sim.sentTo("c2").slice(1)).toEqual(["failure r2 INVALID (not-sent)"]);
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    expect(sim.stats()).toMatchObject({ cached: 0, refused: 1, refusals: { INVALID: 1 } });
  });

  test("gets the bounds of the broker, if they are not the default", () => {
    const sim = scenario({ maxFrameBytes: 1_024, maxMessageBytes: 4_096 });
    sim.worker("w1").ready("echo");
    expect(sim.sentTo("w1")).toEqual(["ready [pigato/1 cancel heartbeat=1000 frame=1024 message=4096]"]);
  });
});

describe("a body that becomes JSON on its way", () => {
  /** 2 KB that are 12 KB as JSON. */
  const raw = { body: [new Uint8Array(2_000).fill(1)], isRaw: true };
  const own = { maxFrameBytes: 10_000, isChecked: false } as const;

  function send(sim: Scenario, name: string, client: BrokerDialect, body: readonly Uint8Array[] = raw.body): void {
    const content = { service: serviceName("echo"), body, trailer: [], options: DEFAULT_REQUEST_OPTIONS };
    sim.fromClient(name, { type: "request", requestId: requestId("r1"), ...content, isRaw: client !== pigato }, client);
  }
  const small = [new Uint8Array(1)];

  test.each<[string, BrokerDialect, BrokerDialect, boolean]>([
    ["a Majordomo client to a PIGATO worker", mdp02, pigato, false],
    ["a Majordomo client to a butler worker", mdp02, butler, false],
    ["a PIGATO client to an omdp worker", pigato, omdp, false],
    ["a PIGATO client to a PIGATO worker", pigato, pigato, true],
    ["a Majordomo client to a Majordomo worker", mdp02, mdp02, true],
  ])("is measured as JSON: a request of %s", (_, client, worker, arrives) => {
    const sim = scenario(own);
    sim.worker("w1", worker).ready("echo", "classic");
    sim.advance(100);
    send(sim, "c1", client);
    expect(sim.worker("w1").received).toHaveLength(arrives ? 1 : 0);
    expect(sim.stats()).toMatchObject(arrives ? { open: 1 } : { open: 0, failures: { INVALID: 1 } });
  });

  test("is not measured as JSON for a worker that reads frames", () => {
    const sim = scenario(own);
    sim.worker("w1").ready("echo", { frames: true, concurrency: 1 });
    send(sim, "c1", mdp02);
    expect(sim.stats()).toMatchObject({ open: 1, failed: 0 });
  });

  test.each([
    [pigato, /^failure r1 INVALID \(maybe-executed\)$/],
    [answeringMdp02, /^final ~1 /],
  ])("is measured as JSON: a reply of a Majordomo worker to a client of $id", (client, answer) => {
    const sim = scenario(own);
    sim.worker("w1", mdp02).ready("echo", "classic");
    send(sim, "c1", client, small);
    const { address, requestId: id } = sim.worker("w1").received[0] ?? { address: "", requestId: requestId("x") };
    sim.worker("w1").sends({ type: "final", address, requestId: id, status: 0, ...raw, trailer: [] });
    expect(sim.sentTo("c1")).toEqual([expect.stringMatching(answer)]);
    expect(sim.stats()).toMatchObject({ open: 0, inFlight: 0 });
  });

  test("is measured as JSON: a cached reply", () => {
    const sim = scenario(own);
    sim.worker("w1").ready("echo", { frames: true, concurrency: 1 });
    send(sim, "c1", mdp02, small);
    const { address, requestId: id } = sim.worker("w1").received[0] ?? { address: "", requestId: requestId("x") };
    sim.worker("w1").sends({ type: "final", address, requestId: id, status: 0, ...raw, trailer: [], cacheMs: 1_000 });
    send(sim, "c2", pigato, small);
    expect(sim.sentTo("c2")).toEqual(["failure r1 INVALID (not-sent)"]);
  });
});

test("a sequential worker whose reply was too large takes the next request", () => {
  const sim = scenario({ isChecked: false });
  sim.worker("w1", mdp02).ready("echo", "classic");
  sim.client("c1").request("echo", "r1").request("echo", "r2");
  oversizedReply(sim, "w1", "final", "r1");
  expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
});
