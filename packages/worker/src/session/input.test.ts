import { NO_CAPABILITIES, requestId } from "@pigato/protocol";
import { GRANT_BYTES } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import { SessionScenario } from "../testing/session-scenario.ts";

/** A worker whose broker supports streamed input, and a request with it. */
function streaming(timeoutMs = 60_000): SessionScenario {
  const scenario = new SessionScenario().connect({ ...NO_CAPABILITIES, duplex: true, cancel: true, drain: true });
  scenario.request("r1", "c1", undefined, timeoutMs, true);
  scenario.showsFlow = true;
  return scenario;
}

describe("P-STREAM-8: the input of a request", () => {
  test("is granted when the handler starts to read, and again when half a window is read", () => {
    const scenario = streaming();
    expect(scenario.read(0, 0)).toEqual(["send! credit r1 to c1: 16", "report reads of r1 after 8"]);
    expect(scenario.input("r1", "1", "2")).toEqual(["input r1: 1,2"]);
    for (let chunk = 3; chunk <= 16; chunk++) scenario.input("r1", String(chunk));
    const [grant] = scenario.read(0, 8);
    expect(grant).toMatch(/^send! credit r1 to c1: \d+$/);
    expect(scenario.inputEnd("r1")).toEqual(["input-end r1"]);
    expect(scenario.final(0)).toEqual(['send final r1 to c1: 0 "data"', "finished r1"]);
  });

  test("P-STREAM-11: is granted again when half of its credit in bytes is read", () => {
    const scenario = streaming();
    scenario.read(0, 0);
    const chunk = "x".repeat(GRANT_BYTES);
    expect(scenario.input("r1", "1", chunk)).toEqual(["report reads of r1 after 2", `input r1: 1,${chunk}`]);
    expect(scenario.read(0, 2)).toEqual(["send! credit r1 to c1: 1", "report reads of r1 after 14"]);
  });

  test.each<[string, (scenario: SessionScenario) => void]>([
    ["before any was granted", () => {}],
    [
      "after more chunks than were granted",
      (scenario) => {
        scenario.read(0, 0);
        for (let chunk = 0; chunk < 16; chunk++) scenario.input("r1", "1");
      },
    ],
    [
      "after its end",
      (scenario) => {
        scenario.read(0, 0);
        scenario.inputEnd("r1");
      },
    ],
  ])("that arrives %s ends the request with an error", (_, act) => {
    const scenario = streaming();
    act(scenario);
    const lines = scenario.input("r1", "1");
    expect(lines[0]).toMatch(/^report P-STREAM-8: request r1 got input that was not granted/);
    expect(lines[1]).toMatch(/^send! final r1 to c1: -1 .*"INVALID"/);
    expect(lines[2]).toBe("abort r1: INVALID");
    expect(scenario.input("r1", "2")).toEqual([]);
  });

  test("is not granted to a request that announced none, nor without negotiation", () => {
    const scenario = new SessionScenario().connect({ ...NO_CAPABILITIES, duplex: true });
    scenario.request("r1");
    expect(scenario.read(0, 0)).toEqual([]);
    expect(scenario.input("r1", "1")).toEqual(["report P-STREAM-2: request r1 announced no input"]);
    const old = new SessionScenario().connect();
    old.request("r1", "c1", undefined, 60_000, true);
    expect(old.read(0, 0)).toEqual([]);
    expect(old.input("r1", "1")).toEqual(['report P-STREAM-2: "input" was not negotiated']);
  });

  test("that crosses the end of its request has no effect", () => {
    const scenario = streaming();
    scenario.read(0, 0);
    scenario.final(0);
    expect([scenario.input("r1", "1"), scenario.inputEnd("r1"), scenario.read(0, 1)]).toEqual([[], [], []]);
  });
});

describe("P-STREAM-9: a slow reader", () => {
  test("reports what it read within half of the timeout, so that its request does not expire", () => {
    const scenario = streaming(2_000);
    scenario.read(0, 0);
    for (let chunk = 0; chunk < 16; chunk++) scenario.input("r1", "1");
    expect(scenario.advance(999)).not.toContainEqual(expect.stringContaining("report reads"));
    expect(scenario.advance(1)).toContain("1000: report reads of r1 after 1");
    expect(scenario.read(0, 1)[0]).toMatch(/^send! credit r1/);
  });

  test("needs no timer once its request has ended", () => {
    const scenario = streaming(2_000);
    scenario.read(0, 0);
    scenario.cancel("r1");
    expect(scenario.advance(2_000)).not.toContainEqual(expect.stringContaining("report reads"));
  });
});

test("a grant that the link does not accept ends the request, because the rest of the input would never come", () => {
  const scenario = streaming();
  scenario.read(0, 0);
  const message = { type: "credit", address: "c1", requestId: requestId("r1"), chunks: 8 } as const;
  const lines = scenario.do({ type: "send-failed", message, isUrgent: true });
  expect(lines.at(-1)).toBe("abort r1: BUSY");
});

test("P-SIZE-2: a chunk that is too large to be kept ends the request", () => {
  const scenario = streaming();
  scenario.read(0, 0);
  const message = { type: "input", address: "c1", requestId: requestId("r1"), chunks: [new Uint8Array(0)] } as const;
  const lines = scenario.do({ type: "oversized", message, detail: "a frame of 9 bytes; the bound is 8" });
  expect(lines.at(-1)).toBe("abort r1: INVALID");
});
