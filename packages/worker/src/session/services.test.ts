// Several services on one connection (P-READY-4).

import { NO_CAPABILITIES, serviceName } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { SessionScenario } from "../testing/session-scenario.ts";

const SERVICES = { ...NO_CAPABILITIES, services: true };
const SUM = serviceName("sum");
const OFFER_SUM = { type: "offer", service: SUM } as const;

describe("a broker that takes several services", () => {
  test("gets a READY for each after its answer to the first one", () => {
    const scenario = new SessionScenario();
    scenario.do(OFFER_SUM);
    scenario.do({ type: "start" });
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "send! heartbeat 100"]);
    expect(scenario.receive({ type: "ready", accepted: SERVICES })).toEqual([
      "connected",
      "services on this connection",
      "send! ready sum",
    ]);
    expect(scenario.receive({ type: "service-answer", service: SUM, refusal: undefined })).toEqual(["accepted sum"]);
  });

  test("gets a READY at once for a service that is added later, and none for one that it has", () => {
    const scenario = new SessionScenario().connect(SERVICES);
    expect(scenario.do(OFFER_SUM)).toEqual(["send! ready sum"]);
    expect(scenario.do(OFFER_SUM)).toEqual([]);
  });

  test("gets all of them again on the next connection", () => {
    const scenario = new SessionScenario().connect(SERVICES);
    scenario.do(OFFER_SUM);
    scenario.do({ type: "link-lost", reason: "link-down" });
    expect(scenario.do({ type: "offer", service: serviceName("stock") })).toEqual([]);
    scenario.advance(500);
    expect(scenario.do({ type: "link-up" })).toEqual(["send! ready echo", "send! heartbeat 100"]);
    expect(scenario.receive({ type: "ready", accepted: SERVICES }).slice(2)).toEqual([
      "send! ready sum",
      "send! ready stock",
    ]);
  });

  test("may refuse one of them, which costs neither the others nor the connection", () => {
    const scenario = new SessionScenario().connect(SERVICES);
    scenario.do(OFFER_SUM);
    const refusal = { code: "BUSY", message: "10 workers are registered" } as const;
    expect(scenario.receive({ type: "service-answer", service: SUM, refusal })).toEqual([
      "refused sum: BUSY, 10 workers are registered",
    ]);
    expect(scenario.request("r1")).toEqual(["run r1 of c1"]);
  });

  test("gets no READY from a worker that stops", () => {
    const scenario = new SessionScenario().connect(SERVICES);
    scenario.request("r1");
    scenario.do({ type: "stop" });
    expect(scenario.do(OFFER_SUM)).toEqual([]);
  });

  test("is left for another connection if a READY cannot be sent", () => {
    const scenario = new SessionScenario().connect(SERVICES);
    const message = { type: "ready", service: SUM, offer: undefined } as const;
    expect(scenario.do({ type: "send-failed", message, isUrgent: true })).toEqual([
      "send! disconnect",
      "close after writing",
      "disconnected: unreachable",
    ]);
  });
});

describe("a broker that takes one service", () => {
  test.each([
    ["answers without `services`", { type: "ready", accepted: NO_CAPABILITIES }],
    ["answers without capabilities", { type: "ready", accepted: undefined }],
    ["sends another message first", { type: "heartbeat" }],
  ] as const)("gets the first one: it %s", (_, message) => {
    const scenario = new SessionScenario();
    scenario.do(OFFER_SUM);
    scenario.do({ type: "start" });
    scenario.do({ type: "link-up" });
    expect(scenario.receive(message)).toEqual(["connected", "services need other connections"]);
    expect(scenario.do({ type: "offer", service: serviceName("stock") })).toEqual(["services need other connections"]);
  });

  test("gets the first one, in Majordomo", () => {
    const scenario = new SessionScenario({ brokerAnswers: false, negotiate: false });
    scenario.do(OFFER_SUM);
    scenario.do({ type: "start" });
    expect(scenario.do({ type: "link-up" })).toEqual([
      "send! ready echo",
      "connected",
      "services need other connections",
    ]);
  });

  test("sends no answer about a service", () => {
    const scenario = new SessionScenario().connect(NO_CAPABILITIES);
    expect(scenario.receive({ type: "service-answer", service: SUM, refusal: undefined })).toEqual([
      'report P-READY-4: the broker answered about "sum", which was not offered',
    ]);
  });
});

test("a worker with one service takes part in nothing of this", () => {
  const scenario = new SessionScenario();
  scenario.do({ type: "start" });
  scenario.do({ type: "link-up" });
  expect(scenario.receive({ type: "ready", accepted: SERVICES })).toEqual(["connected"]);
});
