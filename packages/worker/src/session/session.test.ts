import {
  DEFAULT_REQUEST_OPTIONS,
  type FromWorker,
  NO_CAPABILITIES,
  readText,
  requestId,
  serviceName,
} from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { BODY, OPTIONS, SessionScenario } from "../testing/session-scenario.ts";
import type { WorkerRequest } from "./effects.ts";

describe("P-SIZE-1: a reply that is larger than the broker accepts", () => {
  const accepted = { ...NO_CAPABILITIES, partials: true, maxFrameBytes: 10_000 };
  const error = (id: string): string =>
    `send! final ${id} to c1: -1 {"name":"RequestError","message":"the reply to request ${id} is too large for the broker: ` +
    'a frame of 10001 bytes; the bound is 10000 (maxFrameBytes)","code":"INVALID"}';

  test.each(["partial", "final"] as const)("ends its request with an error, as a %s, and no other request", (type) => {
    const scenario = new SessionScenario().connect(accepted);
    for (const id of ["r1", "r2"]) scenario.request(id);
    expect(scenario[type](0, new Uint8Array(10_001))).toEqual([error("r1"), "abort r1: INVALID"]);
    expect(scenario.final(0)).toEqual([]);
    expect(scenario.final(1, new Uint8Array(10_000))).toEqual([expect.stringContaining("send final r2")]);
  });

  test("ends after the partials before it", () => {
    const scenario = new SessionScenario().connect(accepted);
    scenario.request("r1");
    scenario.partial(0);
    expect(scenario.final(0, new Uint8Array(10_001))).toEqual([
      'send partial r1 to c1: 0 "data"',
      error("r1"),
      "abort r1: INVALID",
    ]);
  });

  test.each([
    [8_192, ['send partial r1 to c1: 0 "data"', 'send partial r1 to c1: 0 "data"']],
    [16_384, ['send partials r1 to c1: "data","data"']],
  ])("is no batch of chunks: a broker that accepts messages of %i bytes", (maxMessageBytes, sent) => {
    const scenario = new SessionScenario().connect({ ...accepted, maxMessageBytes });
    scenario.request("r1");
    const lines = [...scenario.partial(0), ...scenario.partial(0), ...scenario.do({ type: "flush" })];
    expect(lines.filter((line) => line.startsWith("send"))).toEqual(sent);
  });

  test("is one of more than 64 MiB, if the broker announced nothing", () => {
    const scenario = new SessionScenario().connect(accepted);
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "ready", accepted: undefined });
    for (const id of ["r1", "r2"]) scenario.request(id);
    expect(scenario.final(0, new Uint8Array(10_001))).toEqual([expect.stringContaining("send final r1")]);
    expect(scenario.final(1, new Uint8Array(64 * 1024 * 1024 + 1))).toEqual([
      expect.stringContaining("the bound is 67108864"),
      "abort r2: INVALID",
    ]);
  });

  test("does not depend on what the worker accepts, which it announces", () => {
    const sizeBounds = { maxFrameBytes: 1024, maxMessageBytes: 4096 };
    const { session } = new SessionScenario({ sizeBounds });
    session.handle({ type: "start" }, 0);
    const [greeting] = session.handle({ type: "link-up" }, 0);
    expect(greeting).toMatchObject({ message: { offer: sizeBounds } });
  });
});

describe("P-TIME-5: a request that the broker cannot cancel", () => {
  test("is rejected a second after its timeout, its handler is aborted, and a late reply is not sent", () => {
    const scenario = new SessionScenario({ liveness: 100, maxInFlight: 1, concurrency: 1 }).connect();
    scenario.request("r1", "c1", undefined, 5_500);
    expect(scenario.request("r2")).toEqual(["send reject r2 to c1"]);
    const lines = scenario.advance(10_000).filter((line) => !line.endsWith("heartbeat 1"));
    expect(lines).toEqual(["6500: send reject r1 to c1", "6500: abort r1: DEADLINE_EXCEEDED"]);
    expect(scenario.final(0)).toEqual([]);
    expect(scenario.request("r3")).toEqual(["run r3 of c1"]);
  });

  test("counts its timeout from the last partial, and not while the link is slow", () => {
    const scenario = new SessionScenario({ heartbeatMs: 1_000_000 }).connect();
    scenario.request("r1", "c1", undefined, 5_000);
    scenario.advance(5_000);
    scenario.outcome = "slow";
    scenario.partial(0);
    scenario.outcome = "queued";
    expect(scenario.advance(20_000)).toEqual([]);
    scenario.do({ type: "link-drained" });
    expect(scenario.advance(6_000)).toEqual([
      expect.stringContaining("send reject r1 to c1"),
      expect.stringContaining("abort r1: DEADLINE_EXCEEDED"),
    ]);
  });

  test("counts its timeout from each partial", () => {
    const scenario = new SessionScenario({ heartbeatMs: 1_000_000 }).connect();
    scenario.request("r1", "c1", undefined, 5_000);
    scenario.advance(5_000);
    scenario.partial(0);
    expect(scenario.advance(5_999)).toEqual([]);
    expect(scenario.advance(1)).toContainEqual(expect.stringContaining("abort r1: DEADLINE_EXCEEDED"));
  });

  test("never ends by itself without a timeout; a timeout of 0 is 60 s there, as for the original's broker", () => {
    const scenario = new SessionScenario({ heartbeatMs: 1_000_000 }).connect();
    scenario.request("r1", "c1", undefined, Number.POSITIVE_INFINITY);
    scenario.request("r2", "c1", undefined, 0);
    expect(scenario.advance(60_999)).toEqual([]);
    expect(scenario.advance(500_000)).toEqual(["61000: send reject r2 to c1", "61000: abort r2: DEADLINE_EXCEEDED"]);
  });

  test("leaves no timer when it ends, or its connection does", () => {
    const scenario = new SessionScenario({ heartbeatMs: 1_000_000 }).connect();
    scenario.request("r1", "c1", undefined, 1_000);
    scenario.request("r2", "c1", undefined, 1_000);
    scenario.final(0);
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "ready", accepted: undefined });
    expect(scenario.advance(10_000)).toEqual([]);
  });
});

test("P-TIME-5: a request that the broker can cancel has no timer at the worker", () => {
  const scenario = new SessionScenario({ heartbeatMs: 1_000_000 }).connect({ ...NO_CAPABILITIES, cancel: true });
  scenario.request("r1", "c1", undefined, 1_000);
  expect(scenario.advance(100_000)).toEqual([]);
});

describe("connecting", () => {
  test("the worker sends READY and a heartbeat on a new link, and counts as connected once the broker answers", () => {
    const scenario = new SessionScenario();
    expect(scenario.do({ type: "start" })).toEqual(["open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "send! heartbeat 100"]);
    expect(scenario.receive({ type: "ready", accepted: undefined })).toEqual(["connected"]);
    expect(scenario.receive({ type: "heartbeat" })).toEqual([]);
  });

  test("READY offers cancel, typed errors, request heartbeats, credit, batched partials, frames, drain, several services, the heartbeat interval and the concurrency", () => {
    const OFFER = {
      cancel: true,
      error: true,
      requestHeartbeat: true,
      partials: true,
      credit: true,
      frames: true,
      drain: true,
      duplex: true,
      services: true,
      deadline: true,
      headers: true,
      heartbeatMs: 1000,
      concurrency: 7,
    };
    const scenario = new SessionScenario({ concurrency: 7 });
    scenario.do({ type: "start" });
    const [greeting] = scenario.session.handle({ type: "link-up" }, 0);
    expect(greeting).toMatchObject({
      message: { offer: { ...NO_CAPABILITIES, ...OFFER } },
    });
  });

  test("negotiated capabilities apply until the connection ends", () => {
    const scenario = new SessionScenario().connect({ ...NO_CAPABILITIES, requestHeartbeat: true });
    scenario.request("r1");
    expect(scenario.do({ type: "request-heartbeat", call: scenario.call(0) })).toEqual([
      "send request-heartbeat r1 to c1",
    ]);
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.request("r1");
    expect(scenario.do({ type: "request-heartbeat", call: scenario.call(1) })).toEqual(["send! heartbeat 100"]);
  });

  test("any first message counts as the answer, because not every broker echoes READY", () => {
    const scenario = new SessionScenario();
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    expect(scenario.request("r1")).toEqual(["connected", "run r1 of c1"]);
  });

  test("a broker whose first message is DISCONNECT was never connected", () => {
    const scenario = new SessionScenario();
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    expect(scenario.receive({ type: "disconnect" })).toEqual(["registration refused without a reason", "close"]);
    expect(scenario.advance(500)).toEqual(["500: open tcp://one:1"]);
  });

  test("P-DISC-6: a refusal without a reason is reported once until the worker is registered", () => {
    const scenario = new SessionScenario({ negotiate: false });
    const refuse = (): string[] => {
      scenario.do({ type: "link-up" });
      const lines = scenario.receive({ type: "disconnect" });
      scenario.advance(4000);
      return lines;
    };
    scenario.do({ type: "start" });
    expect(refuse()).toEqual(["registration refused without a reason", "close"]);
    expect(refuse()).toEqual(["close"]);
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "heartbeat" });
    expect(scenario.receive({ type: "disconnect" })).toEqual(["close", "disconnected: disconnected"]);
    scenario.advance(4000);
    expect(refuse()).toEqual(["registration refused without a reason", "close"]);
  });

  test("P-DISC-6: a refusal is reported with its reason, once until it changes", () => {
    const scenario = new SessionScenario();
    const refuse = (message: string): string[] => {
      scenario.do({ type: "link-up" });
      const lines = scenario.receive({ type: "disconnect", reason: { code: "BUSY", message } });
      scenario.advance(4000);
      return lines;
    };
    scenario.do({ type: "start" });
    expect(refuse("10 workers")).toEqual(["registration refused: BUSY, 10 workers", "close"]);
    expect(refuse("10 workers")).toEqual(["close"]);
    expect(refuse("9 workers")).toEqual(["registration refused: BUSY, 9 workers", "close"]);
    scenario.do({ type: "stop" });
    scenario.do({ type: "start" });
    expect(refuse("9 workers")).toEqual(["registration refused: BUSY, 9 workers", "close"]);
  });

  test("P-DISC-6: the reason of a later DISCONNECT is reported, unless the broker stops", () => {
    const disconnected = ["close", "disconnected: disconnected"];
    const gone = { code: "INVALID", message: "it violated the protocol" } as const;
    expect(new SessionScenario().connect().receive({ type: "disconnect", reason: gone })).toEqual([
      "report the broker disconnected the worker: it violated the protocol",
      ...disconnected,
    ]);
    const closed = { code: "CLOSED", message: "the broker is stopping" } as const;
    expect(new SessionScenario().connect().receive({ type: "disconnect", reason: closed })).toEqual(disconnected);
  });

  test("heartbeats are sent at the interval for as long as the broker answers", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.advance(1000)).toEqual(["1000: send! heartbeat 100"]);
    scenario.receive({ type: "heartbeat" });
    expect(scenario.advance(1000)).toEqual(["2000: send! heartbeat 100"]);
  });

  test("starting twice has no effect", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.do({ type: "start" })).toEqual([]);
  });
});

test("P-NEG-5: a worker that waits for an announcement offers only to brokers that make it, on each connection", () => {
  const scenario = new SessionScenario({ negotiate: "announced" });
  const connect = (announcement: string | undefined): unknown => {
    scenario.do({ type: "start" });
    const [ready] = scenario.session.handle({ type: "link-up", announcement }, 0);
    scenario.receive({ type: "ready", accepted: undefined });
    scenario.request("r1");
    const [end] = scenario.session.handle(
      { type: "final", call: scenario.call(-1), status: -1, body: [BODY], options: OPTIONS },
      0,
    );
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.do({ type: "stop" });
    const isOffer = ready?.type === "send" && ready.message.type === "ready" && ready.message.offer !== undefined;
    const options = end?.type === "send" && end.message.type === "final" ? end.message.trailer.map(readText) : [];
    return { isOffer, options };
  };
  const classic = { isOffer: false, options: ["undefined"] };
  expect(connect(undefined)).toEqual(classic);
  expect(connect("pigato/1")).toEqual({ isOffer: true, options: ["{}"] });
  expect(connect("pigato/2")).toEqual(classic);
});

test("a worker that negotiates nothing sends READY and its heartbeat as the original does", () => {
  const { session } = new SessionScenario({ negotiate: false, concurrency: 7 });
  session.handle({ type: "start" }, 0);
  const sent = session.handle({ type: "link-up" }, 0).map((effect) => effect.type === "send" && effect.message);
  expect(sent).toEqual([
    { type: "ready", service: "echo", offer: undefined },
    { type: "heartbeat", concurrency: 7, update: false },
  ]);
});

describe("losing the broker", () => {
  test("the worker sends DISCONNECT to a silent broker, and reconnects on a new link after a pause", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.advance(3500)).toEqual([
      "1000: send! heartbeat 100",
      "2000: send! heartbeat 100",
      "3000: abort r1: BROKER_LOST",
      "3000: send! disconnect",
      "3000: close after writing",
      "3000: disconnected: silence",
      "3500: open tcp://one:1",
    ]);
  });

  test("the broker's DISCONNECT is not answered, and the worker reconnects only after a pause", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.receive({ type: "disconnect" })).toEqual([
      "abort r1: BROKER_LOST",
      "close",
      "disconnected: disconnected",
    ]);
    expect(scenario.advance(499)).toEqual([]);
    expect(scenario.advance(1)).toEqual(["500: open tcp://one:1"]);
  });

  test("a link that goes down is replaced by one to the next address", () => {
    const scenario = new SessionScenario({ addresses: ["tcp://one:1", "tcp://two:2"] }).connect();
    expect(scenario.do({ type: "link-lost", reason: "link-down" })).toEqual(["close", "disconnected: link-down"]);
    expect(scenario.advance(500)).toEqual(["500: open tcp://two:2"]);
  });

  test("a handler of an earlier connection cannot send on the new one", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.request("r1");
    expect(scenario.partial(0)).toEqual([]);
    expect(scenario.final(0)).toEqual([]);
    expect(scenario.final(1)).toEqual(['send final r1 to c1: 0 "data"']);
  });

  test("messages after the end of a connection are ignored", () => {
    const scenario = new SessionScenario().connect();
    scenario.do({ type: "link-lost", reason: "link-down" });
    expect(scenario.request("r1")).toEqual([]);
  });

  test("a message that the link lost ends the connection", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.do({ type: "undelivered" })).toEqual([
      "report the link lost a message to the broker: reconnecting",
      "abort r1: BROKER_LOST",
      "send! disconnect",
      "close after writing",
      "disconnected: unreachable",
    ]);
  });
});

describe("requests", () => {
  test("a request runs, and its reply has the address and the id of the request", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
    expect(scenario.partial(0)).toEqual(['send partial r1 to c1: 0 "data"']);
    expect(scenario.final(0)).toEqual(['send final r1 to c1: 0 "data"']);
  });

  test("nothing is sent after the final reply", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.final(0);
    expect(scenario.partial(0)).toEqual([]);
    expect(scenario.final(0)).toEqual([]);
    expect(scenario.reject(0)).toEqual([]);
  });

  test("requests of two clients with the same id are two requests", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.request("r1", "c1")).toEqual(["run r1 of c1"]);
    expect(scenario.request("r1", "c2")).toEqual(["run r1 of c2"]);
    expect(scenario.final(1)).toEqual(['send final r1 to c2: 0 "data"']);
    expect(scenario.final(0)).toEqual(['send final r1 to c1: 0 "data"']);
  });

  test("addresses and ids with the same concatenation are not confused", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("1r", "c");
    expect(scenario.request("r", "c1")).toEqual(["run r of c1"]);
  });

  test("a request that runs already is not run again", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.request("r1")).toEqual(["report P-ADDR-2: request r1 came again while it runs"]);
    expect(scenario.final(0)).toEqual(['send final r1 to c1: 0 "data"']);
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
  });

  test("a request that runs already is not rejected, because it would run elsewhere as well", () => {
    const scenario = new SessionScenario({ concurrency: 1, maxInFlight: 1 }).connect();
    scenario.request("r1");
    expect(scenario.request("r1")).toEqual(["report P-ADDR-2: request r1 came again while it runs"]);
    scenario.do({ type: "stop" });
    expect(scenario.request("r1")).toEqual(["report P-ADDR-2: request r1 came again while it runs"]);
  });

  test("requests above the hard bound are rejected, and those above the concurrency are not", () => {
    const scenario = new SessionScenario({ concurrency: 1, maxInFlight: 2 }).connect();
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
    expect(scenario.request("r2")).toEqual(["run r2 of c1"]);
    expect(scenario.request("r3")).toEqual(["send reject r3 to c1"]);
    scenario.final(0);
    expect(scenario.request("r4")).toEqual(["run r4 of c1"]);
  });

  test("a concurrency above the hard bound raises it, but an unlimited one does not", () => {
    const scenario = new SessionScenario({ concurrency: 3, maxInFlight: 2 }).connect();
    scenario.request("r1");
    scenario.request("r2");
    expect(scenario.request("r3")).toEqual(["run r3 of c1"]);
    scenario.do({ type: "concurrency", concurrency: Number.POSITIVE_INFINITY });
    expect(scenario.request("r4")).toEqual(["send reject r4 to c1"]);
  });

  test("a request that the worker rejected has ended", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.reject(0)).toEqual(["send reject r1 to c1"]);
    expect(scenario.final(0)).toEqual([]);
  });

  test("a canceled request is aborted, and nothing more is sent for it", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.cancel("r1")).toEqual(["abort r1: CANCELED"]);
    expect(scenario.partial(0)).toEqual([]);
    expect(scenario.final(0)).toEqual([]);
  });

  test("P-CANCEL-2: a request is aborted with the reason that the broker states", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.cancel("r1", { code: "CLOSED", message: "its client is gone" })).toEqual(["abort r1: CLOSED"]);
    expect(scenario.final(0)).toEqual([]);
  });

  test("a cancel for a request that does not run is ignored", () => {
    expect(new SessionScenario().connect().cancel("r9")).toEqual([]);
  });

  test("a heartbeat for a request is answered while it runs, if that was negotiated, and has no other effect", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    expect(scenario.receive({ type: "request-heartbeat", address: "c1", requestId: requestId("r1") })).toEqual([]);
    expect(scenario.receive({ type: "ready", accepted: { ...NO_CAPABILITIES, requestHeartbeat: true } })).toEqual([]);
    const answers = (id: string): string[] =>
      scenario.receive({ type: "request-heartbeat", address: "c1", requestId: requestId(id) });
    expect(answers("r1")).toEqual(["send request-heartbeat r1 to c1"]);
    expect(answers("r2")).toEqual([]);
    expect(scenario.final(0)).toEqual(['send final r1 to c1: 0 "data"']);
    expect(answers("r1")).toEqual([]);
  });

  test("messages that the broker may not send are reported and ignored", () => {
    const scenario = new SessionScenario().connect();
    const named = { address: "c1", requestId: requestId("r1") };
    expect(scenario.receive({ type: "credit", chunks: 1, ...named })).toEqual([
      "report P-STREAM-1: the broker granted credit, which was not negotiated",
    ]);
    expect(scenario.receive({ type: "input-end", ...named })).toEqual([
      'report P-STREAM-2: "input-end" was not negotiated',
    ]);
    expect(scenario.receive({ type: "violation", clause: "P-DSP-1", detail: "a short request" })).toEqual([
      "report P-DSP-1: a short request",
    ]);
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
  });
});

describe("a link that is full", () => {
  const partial: FromWorker = {
    type: "partial",
    address: "c1",
    requestId: requestId("r1"),
    status: 0,
    body: [BODY],
    trailer: [],
  };

  test("a chunk that cannot be sent fails its request with an urgent error", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    const [word, abort, ...rest] = scenario.do({ type: "send-failed", message: partial, isUrgent: false });
    expect(word).toMatch(/^send! final r1 to c1: -1 .*"code":"BUSY"/);
    expect(abort).toBe("abort r1: BUSY");
    expect(rest).toEqual([]);
    expect(scenario.final(0)).toEqual([]);
  });

  test("a final that cannot be sent is sent once more as urgent, then the connection is closed", () => {
    const scenario = new SessionScenario().connect();
    const final: FromWorker = { ...partial, type: "final" };
    expect(scenario.do({ type: "send-failed", message: final, isUrgent: false })).toEqual([
      'send! final r1 to c1: 0 "data"',
    ]);
    expect(scenario.do({ type: "send-failed", message: final, isUrgent: true })).toEqual([
      "report cannot send the final reply to request r1: the link to the broker is full; reconnecting",
      "send! disconnect",
      "close after writing",
      "disconnected: unreachable",
    ]);
  });

  test("a heartbeat that cannot be sent has no effect", () => {
    const message: FromWorker = { type: "heartbeat", concurrency: 1, update: false };
    expect(new SessionScenario().connect().do({ type: "send-failed", message, isUrgent: true })).toEqual([]);
  });
});

describe("concurrency", () => {
  test("a new limit is sent at once and with every heartbeat from then on", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.do({ type: "concurrency", concurrency: 2 })).toEqual(["send! heartbeat 2"]);
    expect(scenario.advance(1000)).toEqual(["1000: send! heartbeat 2"]);
  });

  test("a limit that is set before the connection is up is sent with the greeting", () => {
    const scenario = new SessionScenario();
    scenario.do({ type: "start" });
    expect(scenario.do({ type: "concurrency", concurrency: Number.POSITIVE_INFINITY })).toEqual([]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "send! heartbeat Infinity"]);
  });
});

describe("stopping", () => {
  test("an idle worker leaves once the broker has answered that it sends no more requests", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.do({ type: "stop" })).toEqual(["send! heartbeat 0"]);
    expect(scenario.receive({ type: "heartbeat" })).toEqual([
      "send! disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
    expect(scenario.session.nextDeadline()).toBeUndefined();
  });

  test("a worker whose last request ends leaves as soon as an idle one, even if the broker does not answer", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.do({ type: "stop" });
    scenario.advance(100);
    scenario.final(0);
    expect(scenario.advance(400)).toEqual([
      "500: send! disconnect",
      "500: close after writing",
      "500: disconnected: disconnected",
      "500: stopped",
    ]);
  });

  test("an earlier heartbeat of the broker does not count as that answer", () => {
    const scenario = new SessionScenario().connect();
    scenario.receive({ type: "heartbeat" });
    expect(scenario.do({ type: "stop" })).toEqual(["send! heartbeat 0"]);
    expect(scenario.receive({ type: "heartbeat" }).at(-1)).toBe("stopped");
  });

  test("a worker does not leave before the answers to all of its heartbeats: a request may precede the last one", () => {
    const scenario = new SessionScenario().connect();
    expect(scenario.advance(1000)).toEqual(["1000: send! heartbeat 100"]);
    expect(scenario.do({ type: "stop" })).toEqual(["send! heartbeat 0"]);
    expect(scenario.receive({ type: "heartbeat" })).toEqual([]);
    expect(scenario.request("r1")).toEqual(["send reject r1 to c1"]);
    expect(scenario.receive({ type: "heartbeat" }).at(-1)).toBe("stopped");
  });

  test("P-HB-9: a heartbeat that the broker sends unasked is no answer if the broker marks the answer", () => {
    const scenario = new SessionScenario();
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "ready", accepted: { ...NO_CAPABILITIES, drain: true } });
    scenario.receive({ type: "heartbeat" });
    scenario.do({ type: "stop" });
    // The broker had received nothing of the worker for a while.
    for (let count = 0; count < 2; count++) expect(scenario.receive({ type: "heartbeat" })).toEqual([]);
    expect(scenario.request("r1")).toEqual(["send reject r1 to c1"]);
    expect(scenario.receive({ type: "heartbeat", isDrained: true }).at(-1)).toBe("stopped");
  });

  test("P-HB-9: a worker that is notified while a request runs leaves as soon as it ends", () => {
    const scenario = new SessionScenario().connect();
    scenario.receive({ type: "ready", accepted: { ...NO_CAPABILITIES, drain: true } });
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.receive({ type: "heartbeat", isDrained: true })).toEqual([]);
    expect(scenario.final(0).at(-1)).toBe("stopped");
  });

  test("a stopping worker does not wait for heartbeats of an earlier connection", () => {
    const scenario = new SessionScenario();
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    scenario.do({ type: "link-lost", reason: "link-down" });
    scenario.advance(500);
    scenario.do({ type: "link-up" });
    scenario.receive({ type: "heartbeat" });
    scenario.do({ type: "stop" });
    expect(scenario.receive({ type: "heartbeat" }).at(-1)).toBe("stopped");
  });

  test("a shorter stop timeout also applies to an idle worker", () => {
    const scenario = new SessionScenario({ stopTimeoutMs: 100 }).connect();
    scenario.do({ type: "stop" });
    expect(scenario.advance(100).at(-1)).toBe("100: stopped");
  });

  test("a worker with a stop timeout of 0 sends DISCONNECT and leaves at once", () => {
    const sim = new SessionScenario({ stopTimeoutMs: 0 }).connect();
    sim.request("r1");
    expect(sim.do({ type: "stop" })).toEqual([
      "abort r1: CLOSED",
      "send! disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("a stopping worker does not wait long for a silent broker", () => {
    const scenario = new SessionScenario().connect();
    scenario.do({ type: "stop" });
    expect(scenario.advance(500)).toEqual([
      "500: send! disconnect",
      "500: close after writing",
      "500: disconnected: disconnected",
      "500: stopped",
    ]);
  });

  test("running requests may finish, and requests that still arrive are rejected", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.request("r2")).toEqual(["send reject r2 to c1"]);
    scenario.receive({ type: "heartbeat" });
    expect(scenario.partial(0)).toEqual(['send partial r1 to c1: 0 "data"']);
    expect(scenario.final(0)).toEqual([
      'send final r1 to c1: 0 "data"',
      "send! disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("requests that do not finish in time are aborted", () => {
    const scenario = new SessionScenario({ stopTimeoutMs: 600 }).connect();
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.advance(600)).toEqual([
      "600: abort r1: CLOSED",
      "600: send! disconnect",
      "600: close after writing",
      "600: disconnected: disconnected",
      "600: stopped",
    ]);
    expect(scenario.final(0)).toEqual([]);
  });

  test("heartbeats of a stopping worker announce concurrency 0", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.advance(1000)).toEqual(["1000: send! heartbeat 0"]);
  });

  test("a cancel or a rejection that empties the worker lets it leave", () => {
    for (const end of ["cancel", "reject"] as const) {
      const scenario = new SessionScenario().connect();
      scenario.request("r1");
      scenario.do({ type: "stop" });
      scenario.receive({ type: "heartbeat" });
      const lines = end === "cancel" ? scenario.cancel("r1") : scenario.reject(0);
      expect(lines.at(-1)).toBe("stopped");
    }
  });

  test("a stopping worker that loses its broker has stopped", () => {
    const scenario = new SessionScenario().connect();
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.do({ type: "link-lost", reason: "link-down" })).toEqual([
      "abort r1: BROKER_LOST",
      "close",
      "disconnected: link-down",
      "stopped",
    ]);
    expect(scenario.session.nextDeadline()).toBeUndefined();
  });

  test("a worker without an answer of the broker stops at once, in every phase", () => {
    const scenario = new SessionScenario();
    expect(scenario.do({ type: "stop" })).toEqual([]);
    scenario.do({ type: "start" });
    expect(scenario.do({ type: "stop" })).toEqual(["close", "stopped"]);
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    expect(scenario.do({ type: "stop" })).toEqual(["send! disconnect", "close after writing", "stopped"]);
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    scenario.do({ type: "link-lost", reason: "link-down" });
    expect(scenario.do({ type: "stop" })).toEqual(["stopped"]);
    expect(scenario.session.nextDeadline()).toBeUndefined();
  });

  test("a stopped worker starts again with a new session", () => {
    const scenario = new SessionScenario().connect();
    scenario.do({ type: "stop" });
    scenario.receive({ type: "heartbeat" });
    expect(scenario.do({ type: "start" })).toEqual(["open tcp://one:1"]);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "send! heartbeat 100"]);
    expect(scenario.request("r1")).toEqual(["connected", "run r1 of c1"]);
  });
});

test("a slow link does not pause the handlers of the next connection", () => {
  const scenario = new SessionScenario().connect();
  scenario.showsFlow = true;
  scenario.request("r1");
  scenario.outcome = "slow";
  expect(scenario.partial(0)).toContain("pause r1");
  scenario.outcome = "queued";
  scenario.do({ type: "link-lost", reason: "link-down" });
  scenario.advance(500);
  scenario.do({ type: "link-up" });
  scenario.receive({ type: "ready", accepted: NO_CAPABILITIES });
  scenario.request("r2");
  expect(scenario.partial(1)).toEqual(['send partial r2 to c1: 0 "data"']);
});

test("a link that is slow again after it has drained does not pause a handler that wrote before", () => {
  const scenario = new SessionScenario().connect();
  scenario.showsFlow = true;
  scenario.request("r1");
  scenario.partial(0);
  scenario.do({ type: "link-drained" });
  expect(scenario.do({ type: "link-slow" })).toEqual([]);
});

test("partials that wait are flushed at the end of each tick in which there are any", () => {
  const scenario = new SessionScenario().connect({ ...NO_CAPABILITIES, partials: true });
  scenario.request("r1");
  const partial = { type: "partial", call: scenario.call(0), body: [BODY], options: OPTIONS } as const;
  for (let tick = 0; tick < 2; tick++) {
    expect(scenario.session.handle(partial, 0)).toEqual([{ type: "flush-soon" }]);
    expect(scenario.session.handle(partial, 0)).toEqual([]);
    expect(scenario.do({ type: "flush" })).toEqual(['send partials r1 to c1: "data","data"']);
    expect(scenario.do({ type: "flush" })).toEqual([]);
  }
});

describe("P-SIZE-2: a message that is too large for the worker", () => {
  const DETAIL = "a frame of 9 bytes; the bound is 8";

  test("is answered with an error if it is a request, and the worker stays connected", () => {
    const scenario = new SessionScenario().connect();
    const request: WorkerRequest = {
      type: "request",
      address: "c1",
      requestId: requestId("r1"),
      service: serviceName("echo"),
      body: [],
      trailer: [],
      options: DEFAULT_REQUEST_OPTIONS,
      credit: undefined,
    };
    const [line, ...others] = scenario.do({ type: "oversized", message: request, detail: DETAIL });
    expect(line).toMatch(/^send final r1 to c1: -1 .*"code":"INVALID"/);
    expect(line).toContain(`request r1 is too large for its worker: ${DETAIL}`);
    expect(others).toEqual([]);
  });

  test("is reported if it is another message", () => {
    const scenario = new SessionScenario().connect();
    const message = { type: "cancel", address: "c1", requestId: requestId("r1") } as const;
    expect(scenario.do({ type: "oversized", message, detail: DETAIL })).toEqual([`report P-SIZE-2: ${DETAIL}`]);
  });

  test("proves that there is a broker, and counts for nothing without a link", () => {
    const scenario = new SessionScenario();
    const input = { type: "oversized", message: { type: "heartbeat" }, detail: DETAIL } as const;
    scenario.do({ type: "start" });
    expect(scenario.do(input)).toEqual([]);
    scenario.do({ type: "link-up" });
    expect(scenario.do(input)).toEqual(["connected", `report P-SIZE-2: ${DETAIL}`]);
  });
});
