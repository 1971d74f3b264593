import type { CallId } from "@pigato/peer/session";
import { NO_CAPABILITIES, requestId, writeText } from "@pigato/protocol";
import { MAX_CREDIT, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import { SessionScenario } from "../testing/session-scenario.ts";
import type { Input } from "./effects.ts";

/** A session whose broker grants credit. Every effect about requests is a line. */
class Scenario {
  readonly #scenario: SessionScenario;
  readonly #lines: string[] = [];
  #runs = 0;

  constructor({ maxHeldBytes = 1_000_000, credit = true, partials = false } = {}) {
    this.#scenario = new SessionScenario({ maxHeldBytes });
    this.#scenario.showsFlow = true;
    this.#scenario.connect({ ...NO_CAPABILITIES, credit, partials });
  }

  set outcome(outcome: SessionScenario["outcome"]) {
    this.#scenario.outcome = outcome;
  }

  do(input: Input): void {
    this.#add(this.#scenario.do(input));
  }

  request(id: string, credit?: number): CallId {
    this.#scenario.request(id, "c1", credit);
    this.#runs += 1;
    return this.#scenario.call(this.#runs - 1);
  }

  write(call: CallId, ...texts: readonly string[]): void {
    for (const text of texts) this.do({ type: "partial", call, body: [writeText(text)], options: writeText("{}") });
  }

  end(call: CallId, text: string, status = 0): void {
    this.do({ type: "final", call, status, body: [writeText(text)], options: writeText("{}") });
  }

  cancel(id: string): void {
    this.#add(this.#scenario.cancel(id));
  }

  grant(id: string, chunks: number): void {
    this.#add(this.#scenario.grant(id, chunks));
  }

  advance(ms: number): void {
    this.#add(this.#scenario.advance(ms).map((line) => line.replace(/^\d+: /, "")));
  }

  take(): string[] {
    return this.#lines.splice(0);
  }

  /** `send! partial r1 to c1: 0 text` is `partial text` here. */
  #add(lines: readonly string[]): void {
    for (const line of lines) {
      this.#lines.push(line.replace(/^send!? (partials) r\d to c1:|^send!? (\w+)(?: r\d to c1: -?\d)?/, "$1$2"));
    }
  }
}

test("a message that waits for credit keeps nothing alive but its own bytes", () => {
  const scenario = new SessionScenario();
  scenario.connect({ ...NO_CAPABILITIES, credit: true });
  scenario.request("r1", "c1", 1);
  const body = [new Uint8Array(new ArrayBuffer(8_192), 0, 100).fill(0x31)];
  const options = writeText("{}");
  for (let part = 0; part < 3; part++) scenario.do({ type: "partial", call: scenario.call(0), body, options });
  scenario.do({ type: "final", call: scenario.call(0), status: 0, body, options });
  const effects = scenario.session.handle(
    { type: "message", message: { type: "credit", address: "c1", requestId: requestId("r1"), chunks: 2 } },
    0,
  );
  const sent = effects.flatMap((effect) =>
    effect.type === "send" && "body" in effect.message ? effect.message.body : [],
  );
  expect(sent[0]).toEqual(new Uint8Array(100).fill(0x31));
  for (const frame of sent) expect(frame.buffer.byteLength).toBe(100);
});

describe("a reply with flow control", () => {
  test("is sent up to its credit, and continues in order with the next credit", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 2);
    scenario.write(call, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1", "partial 2", "pause r1"]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["partial 3"]);
    scenario.grant("r1", 5);
    scenario.write(call, "5");
    expect(scenario.take()).toEqual(["partial 4", "drain r1", "partial 5"]);
  });

  test("P-STREAM-11: pauses its handler when the credit in bytes is used, and holds what it writes then", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 100);
    const chunk = "x".repeat(MAX_CREDIT_BYTES);
    scenario.write(call, chunk, "2");
    expect(scenario.take()).toEqual([`partial ${chunk}`, "pause r1"]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["partial 2", "drain r1"]);
  });

  test("ends without credit, after everything that was written before", () => {
    const scenario = new Scenario();
    const one = scenario.request("r1", 1);
    scenario.write(one, "1");
    scenario.end(one, "end");
    expect(scenario.take()).toEqual(["partial 1", "pause r1", "final end", "finished r1"]);
    const other = scenario.request("r2", 1);
    scenario.write(other, "1", "2");
    scenario.end(other, "failed", -1);
    expect(scenario.take()).toEqual(["partial 1", "pause r2"]);
    scenario.grant("r2", 1);
    expect(scenario.take()).toEqual(["partial 2", "final failed", "finished r2"]);
    scenario.write(other, "3");
    expect(scenario.take()).toEqual([]);
  });

  test("keeps its order while the link is slow", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    const texts = Array.from({ length: 50 }, (_, number) => String(number));
    scenario.write(call, ...texts);
    scenario.outcome = "slow";
    scenario.grant("r1", 99);
    scenario.write(call, "50");
    expect(scenario.take()).toEqual(["partial 0", "pause r1", "partial 1"]);
    scenario.outcome = "queued";
    scenario.do({ type: "link-drained" });
    expect(scenario.take()).toEqual([...texts.slice(2), "50"].map((text) => `partial ${text}`).concat("drain r1"));
  });

  test("fails when it exceeds the bound of held bytes; the sent partials have no gap, and nothing follows the failure", () => {
    const scenario = new Scenario({ maxHeldBytes: 1_000 });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1", "pause r1"]);
    scenario.write(call, "5");
    const [failure, ...others] = scenario.take();
    expect(failure).toContain('"code":"BUSY"');
    expect(failure).toContain("maxHeldBytes");
    expect(others).toEqual(["abort r1: BUSY"]);
    scenario.write(call, "6");
    scenario.end(call, "end");
    scenario.grant("r1", 9);
    expect(scenario.take()).toEqual([]);
  });

  test("shares one limit of held bytes with all others, and releases its bytes when it ends", () => {
    const scenario = new Scenario({ maxHeldBytes: 1_000 });
    const [one, two, three] = [scenario.request("r1", 1), scenario.request("r2", 1), scenario.request("r3", 1)];
    for (const call of [one, two, three]) scenario.write(call, "1", "2");
    scenario.take();
    scenario.write(one, "3");
    expect(scenario.take().at(-1)).toBe("abort r1: BUSY");
    scenario.write(two, "3");
    expect(scenario.take()).toEqual([]);
    scenario.cancel("r2");
    scenario.write(three, "3", "4");
    expect(scenario.take()).toEqual(["abort r2: CANCELED"]);
    scenario.grant("r3", 3);
    expect(scenario.take()).toEqual(["partial 2", "partial 3", "partial 4"]);
    const last = scenario.request("r4", 1);
    scenario.write(last, "1", "2", "3", "4");
    expect(scenario.take()).toEqual(["partial 1", "pause r4"]);
  });

  test("ends and drops its held partials when the connection is lost", () => {
    const scenario = new Scenario({ maxHeldBytes: 600 });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2", "3");
    scenario.end(call, "end");
    scenario.take();
    scenario.do({ type: "link-lost", reason: "link-down" });
    expect(scenario.take()).toContain("abort r1: BROKER_LOST");
    scenario.do({ type: "continue" });
    scenario.do({ type: "flush" });
    expect(scenario.take()).toEqual([]);
  });

  test("delays the stop of its worker until it has ended", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2");
    scenario.end(call, "end");
    scenario.do({ type: "stop" });
    scenario.do({ type: "message", message: { type: "heartbeat" } });
    expect(scenario.take()).toEqual(["partial 1", "pause r1", "heartbeat 0"]);
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual([
      "partial 2",
      "final end",
      "finished r1",
      "disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });

  test("is aborted at the stop timeout", () => {
    const scenario = new Scenario();
    scenario.write(scenario.request("r1", 1), "1", "2");
    scenario.do({ type: "stop" });
    scenario.advance(2_500);
    scenario.do({ type: "message", message: { type: "heartbeat" } });
    scenario.advance(2_499);
    scenario.take();
    scenario.advance(1);
    expect(scenario.take().slice(-5)).toEqual([
      "abort r1: CLOSED",
      "disconnect",
      "close after writing",
      "disconnected: disconnected",
      "stopped",
    ]);
  });
});

describe("a grant", () => {
  test("has no effect for an ended request, with zero chunks, or for a reply without flow control", () => {
    const scenario = new Scenario();
    const paced = scenario.request("r1", 1);
    scenario.write(paced, "1", "2");
    scenario.grant("r1", 0);
    scenario.grant("r2", 5);
    const free = scenario.request("r3");
    scenario.grant("r3", 5);
    for (let part = 0; part < 10; part++) scenario.write(free, "x");
    expect(scenario.take()).toEqual(["partial 1", "pause r1", ...Array.from({ length: 10 }, () => "partial x")]);
    scenario.cancel("r1");
    scenario.take();
    scenario.grant("r1", 5);
    expect(scenario.take()).toEqual([]);
  });

  test("of the maximum, or grants that add up to it, end flow control", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    scenario.grant("r1", MAX_CREDIT);
    for (let part = 0; part < 10; part++) scenario.write(call, "x");
    expect(scenario.take()).toEqual(Array.from({ length: 10 }, () => "partial x"));
  });

  test("has no effect where credit was not negotiated with the broker", () => {
    const scenario = new Scenario({ credit: false });
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2");
    scenario.grant("r1", 1);
    expect(scenario.take()).toEqual(["partial 1", "partial 2", expect.stringContaining("report P-STREAM-1")]);
  });
});

describe("a slow link", () => {
  test("pauses the handler whose partial made it slow, and each one that writes until the link has drained", () => {
    const scenario = new Scenario({ credit: false });
    const [one, two, three] = [scenario.request("r1"), scenario.request("r2"), scenario.request("r3")];
    scenario.outcome = "slow";
    scenario.write(one, "1");
    scenario.outcome = "queued";
    scenario.write(two, "1");
    scenario.end(three, "1");
    expect(scenario.take()).toEqual(["partial 1", "pause r1", "partial 1", "pause r2", "final 1", "finished r3"]);
    scenario.do({ type: "link-drained" });
    expect(scenario.take()).toEqual(["drain r1", "drain r2"]);
  });

  test("resumes one handler at a time when it has drained: the first one may make it slow again", () => {
    const requests = new SessionScenario().connect();
    requests.showsFlow = true;
    requests.outcome = "slow";
    for (const id of ["r1", "r2"]) {
      requests.request(id);
      requests.partial(-1);
    }
    const effects = requests.session.handle({ type: "link-drained" }, 0);
    expect(effects).toEqual([
      { type: "drain", call: requests.call(0) },
      { type: "defer", input: { type: "continue" }, until: "notified" },
    ]);
    requests.partial(0);
    expect(requests.do({ type: "continue" })).toEqual([]);
  });
});

describe("a partial that cannot be sent", () => {
  test("fails its request, and nothing of the reply follows", () => {
    const scenario = new Scenario({ credit: false });
    const call = scenario.request("r1");
    scenario.outcome = "congested";
    scenario.write(call, "1");
    scenario.outcome = "queued";
    scenario.write(call, "2");
    scenario.end(call, "end");
    expect(scenario.take()).toEqual([expect.stringMatching(/^final .*"code":"BUSY"/), "abort r1: BUSY"]);
  });

  test.each([
    [
      "a partial that does not fit into their message",
      (scenario: Scenario, call: CallId) => scenario.write(call, "x".repeat(5_000)),
    ],
    ["the final", (scenario: Scenario, call: CallId) => scenario.end(call, "end")],
  ])("as one of several in a message is not followed by %s", (_, next) => {
    const scenario = new Scenario({ credit: false, partials: true });
    const call = scenario.request("r1");
    scenario.write(call, "1", "2");
    scenario.outcome = "congested";
    next(scenario, call);
    expect(scenario.take()).toEqual([expect.stringMatching(/^final .*"code":"BUSY"/), "abort r1: BUSY"]);
  });

  test("is not followed by the held partials of its request", () => {
    const scenario = new Scenario();
    const call = scenario.request("r1", 1);
    scenario.write(call, "1", "2", "3");
    scenario.end(call, "end");
    scenario.take();
    scenario.outcome = "congested";
    scenario.grant("r1", 5);
    expect(scenario.take()).toEqual([expect.stringMatching(/^final .*"code":"BUSY"/), "abort r1: BUSY"]);
  });
});

test.each([false, true])(
  "partials are sent in order and within their credit (together in a message: %s)",
  (partials) => {
    for (const script of scriptsOf(["write", 0, 1, 3] as const, 5)) {
      const scenario = new Scenario({ partials });
      const call = scenario.request("r1", 1);
      let granted = 1;
      let written = 0;
      for (const step of script) {
        if (step === "write") {
          scenario.write(call, String(written));
          written += 1;
        } else {
          scenario.grant("r1", step);
          granted += step;
        }
        scenario.do({ type: "flush" });
      }
      const sent = scenario
        .take()
        .flatMap((line) => (line.startsWith("partial") ? line.split(" ")[1]?.split(",") : []));
      expect(sent).toEqual(Array.from({ length: Math.min(granted, written) }, (_, index) => String(index)));
    }
  },
);

/** Every sequence of this many of these steps. */
function scriptsOf<Step>(steps: readonly Step[], length: number): (readonly Step[])[] {
  if (length === 0) return [[]];
  const shorter = scriptsOf(steps, length - 1);
  return steps.flatMap((step) => shorter.map((script) => [step, ...script]));
}
