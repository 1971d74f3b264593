import { omdp, pigato, type ToWorker, writeText } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { RequestFields } from "../testing/actors.ts";
import { butler, mdp01, mdp02 } from "../testing/dialects.ts";
import { type Scenario, scenario } from "../testing/scenario.ts";

/** A client that negotiated `methods`, and a worker that did if `methods` is true. */
function withPeers({ methods, isChecked = true }: { methods: boolean; isChecked?: boolean }): Scenario {
  const sim = scenario({ isChecked });
  sim.worker("w1").ready("math", { methods });
  sim.client("c1").offer({ methods: true });
  sim.forget();
  return sim;
}

function lastRequest(sim: Scenario, worker = "w1"): (ToWorker & { readonly type: "request" }) | undefined {
  return sim.worker(worker).received.at(-1);
}

describe("the method of a request", () => {
  test("stays in the options for a worker that negotiated methods", () => {
    const sim = withPeers({ methods: true });
    sim.client("c1").request("math", "r1", { method: "add" });
    expect(lastRequest(sim)).toMatchObject({ hasMethodInBody: false, options: { method: "add" } });
  });

  test("goes into the body for a worker that did not", () => {
    const sim = withPeers({ methods: false });
    sim.client("c1").request("math", "r1", { method: "add" }).request("math", "r2");
    expect(sim.worker("w1").received.map(({ hasMethodInBody }) => hasMethodInBody)).toEqual([true, false]);
  });

  test.each([
    ["mdp01", mdp01],
    ["mdp02", mdp02],
    ["omdp", omdp],
    ["butler", butler],
  ])("goes into the body for a worker of %s", (_, dialect) => {
    const sim = scenario();
    sim.worker("w1", dialect).ready("math", "classic");
    sim.client("c1").offer({ methods: true }).request("math", "r1", { method: "add" });
    expect(lastRequest(sim)).toMatchObject({ hasMethodInBody: true });
  });

  test("is an option like any other if the client did not negotiate methods", () => {
    const sim = withPeers({ methods: false });
    sim.client("c2").offer().request("math", "r1", { method: "add", codec: "msgpack" });
    sim.client("c3").request("math", "r1", { flaw: "its method is too long" });
    expect(sim.worker("w1").received.map(({ hasMethodInBody }) => hasMethodInBody)).toEqual([false, false]);
  });

  test("goes into the body again when the request is requeued", () => {
    const sim = withPeers({ methods: true });
    sim.client("c1").request("math", "r1", { method: "add", retry: true });
    sim.worker("w2").ready("math", "classic").heartbeat();
    sim.worker("w1").disconnect();
    expect(lastRequest(sim, "w2")).toMatchObject({ requestId: "r1", hasMethodInBody: true });
  });

  test("goes into the body after a restart of the broker, as its options say", () => {
    const sim = withPeers({ methods: false });
    const frames = ["C", "2", "math", "r1", "[1,2]", '{"method":"add","args":1,"persist":true}'].map(writeText);
    const message = pigato.decodeFromClient(frames);
    if (message.type === "request") sim.client("c1").sends(message);
    const [[key, stored] = []] = sim.stored;
    expect(stored).toMatchObject({ methods: true });

    const next = scenario();
    next.worker("w1").ready("math", {});
    if (key !== undefined && stored !== undefined) next.restore(key, stored);
    expect(lastRequest(next)).toMatchObject({ hasMethodInBody: true, options: { method: "add", hasArgs: true } });
  });

  test("that is invalid ends the request with INVALID, before any cached reply", () => {
    const sim = withPeers({ methods: true });
    sim.client("c1").request("math", "r1", { body: "1" });
    sim.worker("w1").final("r1", "2", 0, 1_000);
    sim.forget();
    sim.client("c1").request("math", "r2", { body: "1", flaw: "its method is not text" });
    expect(sim.sentTo("c1")).toEqual(["failure r2 INVALID (not-sent)"]);
    expect(sim.client("c1").received.at(-1)).toMatchObject({
      failure: { message: 'request r2 to "math" was refused: its method is not text' },
    });
    expect(sim.stats().refusals.INVALID).toBe(1);
  });
});

describe("the size of a body with a method", () => {
  test.each([
    ["the body", { body: "x".repeat(900) }, "dispatched"],
    ["the body and its method", { body: "x".repeat(1_000) }, "INVALID"],
  ])("is checked: %s", (_, fields: RequestFields, outcome) => {
    const sim = scenario({ maxFrameBytes: 1_024, isChecked: false });
    sim.worker("w1", mdp02).ready("math", "classic");
    sim
      .client("c1")
      .offer({ methods: true })
      .request("math", "r1", { ...fields, method: "add" });
    const [line] = sim.sentTo("c1").slice(1);
    if (outcome === "INVALID") expect(line).toBe("failure r1 INVALID (queued)");
    else expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("counts what data becomes as a JSON string", () => {
    const sim = scenario({ maxFrameBytes: 1_024, isChecked: false });
    sim.worker("w1", butler).ready("math", "classic");
    sim
      .client("c1")
      .offer({ methods: true })
      .request("math", "r1", { body: "\n".repeat(600), method: "add" });
    expect(sim.sentTo("c1").at(-1)).toBe("failure r1 INVALID (queued)");
    sim.client("c1").request("math", "r2", { body: '"text"', method: "add" });
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
  });
});

describe("the codec of a request", () => {
  test("ends the request with INVALID if the worker does not support it, and the worker stays free", () => {
    const sim = withPeers({ methods: true, isChecked: false });
    sim.client("c1").request("math", "r1", { codec: "msgpack" }).request("math", "r2");
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (queued)"]);
    expect(sim.client("c1").received.at(-1)).toMatchObject({
      failure: {
        message: 'request r1 to "math" has the codec "msgpack", which its worker "w1" does not support (codec=msgpack)',
        detail: { missing: "codec=msgpack", peer: "worker" },
      },
    });
    expect(sim.requestsSentTo("w1")).toEqual(["r2"]);
    expect(sim.stats()).toMatchObject({ open: 1, inFlight: 1 });
  });

  test("ends the request with INVALID if its method would have to be joined with it", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("math", { codecs: ["raw"] });
    sim.client("c1").offer({ methods: true, codecs: ["raw"] });
    sim.client("c1").request("math", "r1", { method: "add", codec: "raw" }).request("math", "r2", { codec: "raw" });
    sim.client("c1").request("math", "r3", { method: "add", accept: "raw" });
    expect(sim.client("c1").received.at(-1)).toMatchObject({
      failure: {
        code: "INVALID",
        message:
          'request r1 to "math" has a method together with the codec "raw", which its worker "w1" does not support (methods)',
        detail: { missing: "methods", peer: "worker" },
      },
    });
    expect(sim.requestsSentTo("w1")).toEqual(["r2", "r3"]);
  });
});

describe("the reply cache", () => {
  test.each<[string, RequestFields, RequestFields]>([
    ["method", { method: "add" }, { method: "subtract" }],
    ["method, for a client that did not negotiate them", { method: "add" }, {}],
    ["form of the arguments", { method: "add", hasArgs: true }, { method: "add" }],
    ["codec of the reply", { accept: "msgpack" }, {}],
  ])("keeps replies apart by the %s", (_, one, other) => {
    const sim = withPeers({ methods: true });
    sim.client("c1").request("math", "r1", { body: "1", ...one });
    sim.worker("w1").final("r1", "first", 0, 1_000);
    sim.client("c2").request("math", "r2", { body: "1", ...other });
    sim.client("c2").request("math", "r3", { body: "1", ...one });
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    expect(sim.sentTo("c2")).toEqual(['final r3 "first"']);
  });
});
