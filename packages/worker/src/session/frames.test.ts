import { DEFAULT_REQUEST_OPTIONS, NO_CAPABILITIES, requestId, serviceNameFromText, writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { BODY, OPTIONS, SessionScenario } from "../testing/session-scenario.ts";
import type { Input } from "./effects.ts";

const FRAMES = ["200", "", "text"].map(writeText);

/** A session with a request in flight, and what it sends for an input. */
function start(isFramed: boolean) {
  const scenario = new SessionScenario();
  scenario.do({ type: "start" });
  scenario.do({ type: "link-up" });
  scenario.receive({ type: "ready", accepted: { ...NO_CAPABILITIES, partials: true, frames: true } });
  scenario.receive({
    type: "request",
    address: "c1",
    requestId: requestId("r1"),
    service: serviceNameFromText("echo"),
    body: FRAMES,
    isRaw: true,
    isFramed,
    trailer: [OPTIONS],
    options: DEFAULT_REQUEST_OPTIONS,
  });
  const call = scenario.call(0);
  const sent = (input: Input) =>
    scenario.session.handle(input, 0).flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  return { call, sent };
}

test("P-REP-10: the replies to a request in frames are frames, and partials are not combined", () => {
  const { call, sent } = start(true);
  expect(sent({ type: "partial", call, body: [BODY], options: OPTIONS })).toMatchObject([
    { type: "partial", body: [BODY], isRaw: true },
  ]);
  expect(sent({ type: "final", call, status: 0, body: FRAMES, options: OPTIONS })).toMatchObject([
    { type: "final", status: 0, body: FRAMES, isRaw: true },
  ]);
});

test("P-REP-10: an error is JSON, also for a request in frames", () => {
  const { call, sent } = start(true);
  const [error] = sent({ type: "final", call, status: -1, body: [BODY], options: OPTIONS });
  expect(error).toMatchObject({ type: "final", status: -1, body: [BODY] });
  expect(error).not.toHaveProperty("isRaw");
});

test("P-REP-10: the replies to any other request are no frames", () => {
  const { call, sent } = start(false);
  expect(sent({ type: "partial", call, body: [BODY], options: OPTIONS })).toEqual([]);
  const [partial] = sent({ type: "final", call, status: 0, body: [BODY], options: OPTIONS });
  expect(partial).toMatchObject({ type: "partial" });
  expect(partial).not.toHaveProperty("isRaw");
});
