// Peers of other dialects, as the core sees them: messages, and the traits of their dialects. The codecs test the frames,
// packages/conformance tests the sockets. Scenarios run without checks if a client has no request ids, or if the broker drops
// or answers a request itself, because the model does not cover these cases.

import {
  type BrokerDialect,
  omdp,
  type PeerId,
  peerId,
  pigato,
  requestId,
  serviceName,
  writeText,
} from "@pigato/protocol";
import { describe, expect, test, vi } from "vitest";
import { peerAtListener } from "../peer-names.ts";
import { ALL, answeringMdp02, butler, mdp01, mdp02, SEQUENTIAL, SILENT_WHILE_BUSY } from "../testing/dialects.ts";
import { type Scenario, scenario } from "../testing/scenario.ts";

describe("a peer is held to the dialect of its first message", () => {
  test("D-DET-1: the broker drops what a client sends in another dialect, and its requests stay open", () => {
    const sim = scenario({ isChecked: false });
    sim.client("c1").request("echo", "r1");
    sim.fromClient("c1", aRequest("echo"), mdp02);
    expect(sim.stats()).toMatchObject({ open: 1, clients: 1 });
    expect(sim.events).toContain("dropped c1 other-dialect");
  });

  test("D-DET-1: the broker drops what a worker sends in another dialect, and the worker stays registered", () => {
    const sim = scenario();
    sim.worker("w1", mdp02).ready("echo");
    sim.client("c1").request("echo", "r1");
    sim.fromWorker("w1", { type: "disconnect" }, mdp01);
    sim.fromWorker("w1", { type: "heartbeat", concurrency: 7, update: false }, pigato);
    sim.worker("w1").final("r1");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
    expect(sim.events.filter((event) => event === "dropped w1 other-dialect")).toHaveLength(2);
  });

  test("D-DET-1: a client may register as a worker in its own dialect only", () => {
    const sim = scenario();
    sim.client("p1").request("sum", "r1");
    sim.fromWorker("p1", { type: "ready", service: serviceName("echo"), offer: undefined }, mdp02);
    expect(sim.events).toContain("dropped p1 other-dialect");
    expect(sim.stats().workers).toBe(0);
    sim.worker("p1").ready("echo");
    expect(sim.stats().workers).toBe(1);
  });

  test("D-DET-1: the broker drops a worker's request in another dialect", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1", mdp02).ready("echo");
    sim.fromClient("w1", aRequest("sum"), pigato);
    expect(sim.stats().open).toBe(0);
    expect(sim.events).toContain("dropped w1 other-dialect");
  });
});

describe.each(SEQUENTIAL)("a $id worker", (dialect) => {
  test("D-MDP-8: gets DISCONNECT for a second READY, and may register again", () => {
    const sim = scenario();
    sim.worker("w1", dialect).ready("echo").ready("echo");
    expect(sim.sentTo("w1").at(-1)).toBe("disconnect");
    expect(sim.events).toContain("worker-down w1 violation");
    sim.worker("w1").ready("echo");
    expect(sim.stats().workers).toBe(1);
  });

  test("D-MDP-8: gets DISCONNECT for any message before READY, except for a DISCONNECT", () => {
    const sim = scenario();
    const worker = sim.worker("w1", dialect).disconnect();
    expect(sim.sentTo("w1")).toEqual([]);
    worker.heartbeat();
    worker.sends({ type: "final", address: "~0.1", requestId: requestId(""), status: 0, body: [], trailer: [] });
    expect(sim.sentTo("w1")).toEqual(["disconnect", "disconnect"]);
  });

  test.each(["worker", undefined] as const)(
    "D-MDP-9: counts as lost after an invalid message, which is not answered (role: %s)",
    (role) => {
      const sim = scenario();
      sim.worker("w1", dialect).ready("echo");
      sim.client("c1").request("echo", "r1");
      sim.forget();
      sim.violation("w1", role, "D-MDP-2", undefined, dialect);
      expect(sim.sentTo("w1")).toEqual([]);
      expect(sim.events).toContain("worker-down w1 violation");
      expect(sim.sentTo("c1")).toEqual(["failure r1 WORKER_LOST (maybe-executed)"]);
    },
  );

  test("D-MDP-9: gets no answer to an invalid first message", () => {
    const sim = scenario();
    sim.violation("w1", "worker", "D-MDP-4", undefined, dialect);
    expect(sim.sentTo("w1")).toEqual([]);
    expect(sim.events).toEqual(["violation w1 D-MDP-4"]);
  });

  test("D-LIVE-1: gets one request at a time, from the first on", () => {
    const sim = scenario();
    for (const id of ["r1", "r2", "r3"]) sim.client("c1").request("echo", id);
    const worker = sim.worker("w1", dialect).ready("echo");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    worker.final("r1");
    worker.final("r2");
    worker.final("r3");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"', 'final r2 "done"', 'final r3 "done"']);
  });

  test("D-LIVE-3: is not free before it has answered a request that has ended", () => {
    const sim = scenario();
    const worker = sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: 500 }).request("echo", "r2");
    sim.advance(600);
    expect(sim.events).toContain("request-failed c1/r1 DEADLINE_EXCEEDED");
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
    worker.final("r1");
    expect(sim.requestsSentTo("w1")).toEqual(["r1", "r2"]);
    expect(sim.events).toContain("dropped w1 not-held r1");
    worker.final("r2");
    expect(sim.sentTo("c1")).toEqual(['final r2 "done"']);
  });

  test("D-LIVE-3: does not block a request that another worker can take", () => {
    const sim = scenario();
    sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1").cancel("r1");
    sim.client("c1").request("echo", "r2");
    sim.worker("w2", dialect).ready("echo");
    expect([sim.requestsSentTo("w1"), sim.requestsSentTo("w2")]).toEqual([["r1"], ["r2"]]);
  });

  test("D-LIVE-3: is not freed by a partial of the abandoned reply, or by another address", () => {
    const sim = scenario();
    const worker = sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1").cancel("r1").request("echo", "r2");
    worker.partial("r1");
    worker.sends({ type: "final", address: "~9.9", requestId: requestId("r1"), status: 0, body: [], trailer: [] });
    expect(sim.requestsSentTo("w1")).toEqual(["r1"]);
  });

  test("D-LIVE-3: counts as gone if it never answers an abandoned request, although it sends heartbeats", () => {
    const sim = scenario({ busyTimeoutMs: 10_000 });
    sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1").cancel("r1");
    sim.advance(9_000, { keepAlive: ["w1"] });
    expect(sim.stats().workers).toBe(1);
    sim.advance(3_000, { keepAlive: ["w1"] });
    expect(sim.events).toContain("worker-down w1 silent");
  });

  test("D-MMI-2: cannot register under a name that the broker answers itself", () => {
    const sim = scenario();
    sim.worker("w1", dialect).ready("mmi.echo");
    expect(sim.sentTo("w1")).toEqual(["disconnect"]);
    expect(sim.events).toEqual(["dropped w1 reserved-name"]);
    expect(sim.stats().workers).toBe(0);
  });
});

describe.each(SILENT_WHILE_BUSY)("a busy $id worker", (dialect) => {
  test("D-LIVE-2: may be silent while it works, and gets heartbeats meanwhile", () => {
    const sim = scenario({ busyTimeoutMs: 60_000 });
    const worker = sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
    sim.advance(59_000);
    expect(sim.stats().workers).toBe(1);
    expect(sim.sentTo("w1").filter((line) => line === "heartbeat").length).toBeGreaterThan(50);
    worker.final("r1");
    expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  });

  test("D-LIVE-2: counts as gone after busyTimeoutMs, and its request goes to another worker", () => {
    const sim = scenario({ busyTimeoutMs: 60_000 });
    sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY, retry: true });
    sim.advance(62_000);
    expect(sim.events).toContain("worker-down w1 silent");
    expect(sim.sentTo("w1").at(-1)).toBe("disconnect");
    sim.worker("w2", dialect).ready("echo");
    expect(sim.requestsSentTo("w2")).toEqual(["r1"]);
  });

  test("D-LIVE-2: counts as gone at the end of busyTimeoutMs, not after it", () => {
    const sim = scenario({ busyTimeoutMs: 60_000 });
    sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
    sim.advance(59_999);
    expect(sim.stats().workers).toBe(1);
    sim.advance(1);
    expect(sim.stats().workers).toBe(0);
  });

  test("D-LIVE-2: is kept alive by partials", () => {
    const sim = scenario({ busyTimeoutMs: 5_000 });
    const worker = sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
    for (let part = 0; part < 5; part++) {
      sim.advance(4_000);
      worker.partial("r1");
    }
    expect(sim.stats().workers).toBe(1);
  });

  test("D-LIVE-2: counts as gone when it is idle and silent", () => {
    const sim = scenario();
    const worker = sim.worker("w1", dialect).ready("echo");
    sim.client("c1").request("echo", "r1");
    sim.advance(10_000);
    worker.final("r1");
    sim.advance(2_500);
    expect(sim.stats().workers).toBe(1);
    sim.advance(1_000);
    expect(sim.events).toContain("worker-down w1 silent");
  });
});

test("a busy omdp worker counts as gone when it is silent, because it sends heartbeats while it works", () => {
  const sim = scenario();
  sim.worker("w1", omdp).ready("echo");
  sim.client("c1").request("echo", "r1");
  sim.advance(4_000);
  expect(sim.events).toContain("worker-down w1 silent");
});

describe("mmi names", () => {
  test("D-MMI-1, D-MMI-3: mmi.service is 200 only while the service has a worker, even if requests wait for it", () => {
    const sim = scenario({ isChecked: false });
    sim.client("c1").request("echo", "r1").request("mmi.service", "m1", { body: '"echo"' });
    sim.worker("w1", mdp02).ready("echo");
    sim.client("c1").request("mmi.service", "m2", { body: '"echo"' });
    sim.worker("w1").disconnect();
    sim.client("c1").request("mmi.service", "m3", { body: '"echo"' });
    expect(answersIn(sim, "c1", "m")).toEqual(['final m1 "\\"404\\""', 'final m2 "\\"200\\""', 'final m3 "\\"404\\""']);
    expect(sim.stats().accepted).toBe(1);
  });

  test("D-MMI-3: mmi.service is 200 for a name that a wildcard or a version covers", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1", mdp02).ready("stock*");
    sim.worker("w2").ready("sum@1.2.3");
    for (const name of ["stock-nasdaq", "sum@^1.0.0", "sum@^2.0.0", "sum", "stoc"]) {
      sim.fromClient("c1", { ...aRequest("mmi.service"), body: [writeText(name)] }, mdp02);
    }
    expect(sim.sentTo("c1").map((line) => line.slice(-4, -1))).toEqual(["200", "200", "404", "404", "404"]);
  });

  test("D-MMI-3: mmi.service is 404 for a text that is too long for a service name", () => {
    const sim = scenario({ isChecked: false });
    for (const name of ["a*", "a@1.0.0"]) sim.worker(name).ready(name);
    const names = ["a".repeat(255), "a".repeat(256), `a@${"1 ".repeat(50_000)}`];
    for (const [index, name] of names.entries()) {
      sim.client("c1").request("mmi.service", `m${index}`, { body: JSON.stringify(name) });
    }
    expect(sim.sentTo("c1").map((line) => line.slice(-6, -3))).toEqual(["200", "404", "404"]);
  });

  test("D-MMI-3: mmi.service is 404 for a body that is too large to be a name, which is not parsed", () => {
    const sim = scenario({ isChecked: false });
    const parse = vi.spyOn(JSON, "parse");
    const body = `[${"{},".repeat(1_000)}{}]`;
    sim.client("c1").request("mmi.service", "m1", { body });
    expect(parse.mock.calls.map(([text]) => text.length).filter((length) => length > 1_600)).toEqual([]);
    parse.mockRestore();
    expect(sim.sentTo("c1")).toEqual(['final m1 "\\"404\\""']);
  });

  test("D-MMI-4: any other mmi name is 501, and so is mmi.service without a name", () => {
    const sim = scenario({ isChecked: false });
    sim.fromClient("c1", { ...aRequest("mmi.echo"), body: [writeText("x")] }, mdp02);
    expect(sim.sentTo("c1").map((line) => line.slice(-4, -1))).toEqual(["501"]);
    sim.client("c2").request("mmi.", "m2").request("mmi.service", "m3", { body: "{}" });
    expect(sim.sentTo("c2")).toEqual(['final m2 "\\"501\\""', 'final m3 "\\"501\\""']);
  });

  test("D-MMI-6: a client of PIGATO may ask by the name alone, and gets 200 or 400", () => {
    const sim = scenario({ isChecked: false });
    sim.worker("w1").ready("api.images");
    sim.worker("w2").ready("stock*");
    for (const name of ["api.images", "stock-acme", "api", "service.x", "a".repeat(255)]) {
      sim.client("c1").request(`mmi.${name}`, "m1");
    }
    expect(sim.sentTo("c1").map((line) => line.slice(-6, -3))).toEqual(["200", "200", "400", "400", "400"]);
  });
});

describe("a client without request ids", () => {
  test("D-MAP-6: gets an id from the broker for each request, and each reply once", () => {
    const sim = scenario({ isChecked: false });
    sim.client("c1", mdp02).request("echo", "").request("echo", "");
    sim.client("c2", mdp01).request("echo", "");
    const worker = sim.worker("w1").ready("echo");
    const ids = sim.requestsSentTo("w1");
    expect(new Set(ids).size).toBe(3);
    for (const [index, id] of ids.entries()) worker.final(id, `answer ${index}`);
    expect(sim.sentTo("c1").map(bodyIn)).toEqual(["answer 0", "answer 1"]);
    expect(sim.sentTo("c2").map(bodyIn)).toEqual(["answer 2"]);
    sim.assertConsistent();
  });

  test("the empty id of a PIGATO client is an id like any other", () => {
    const sim = scenario();
    sim.client("c1").request("echo", "");
    sim.worker("w1").ready("echo").final("");
    expect(sim.sentTo("c1")).toEqual(['final  "done"']);
  });

  test("D-MAP-4: gets no partials if its dialect has none, and its request may still go to another worker", () => {
    const sim = scenario({ isChecked: false });
    sim.client("c1", mdp01).sends({ ...aRequest("echo"), options: { ...aRequest("echo").options, retry: true } });
    sim.worker("w1").ready("echo").partial("~1").disconnect();
    sim.worker("w2").ready("echo").final("~1");
    expect(sim.sentTo("c1")).toEqual(['final ~1 "done"']);
    expect(sim.events).toContain("dropped c1 no-partials ~1");
  });

  test("D-MAP-5: gets the failure of an expired request only if its bind sends errors", () => {
    const sim = scenario({ isChecked: false });
    sim.client("c1", mdp02).request("echo", "", { timeoutMs: 100 });
    sim.client("c2", answeringMdp02).request("echo", "", { timeoutMs: 100 });
    sim.advance(101);
    expect(sim.sentTo("c1")).toEqual([]);
    expect(sim.sentTo("c2")).toEqual(["failure ~2 DEADLINE_EXCEEDED (queued)"]);
  });
});

describe("a raw partial for a classic client", () => {
  test.each([
    ["an empty frame", [""], true],
    ["null", ["null"], false],
    ["null and more", ["null", "x"], true],
  ])("%s", (_what, body, isSent) => {
    const sim = scenario({ isChecked: false });
    sim.client("c1").request("echo", "r1");
    const worker = sim.worker("w1", mdp02).ready("echo");
    const { address } = worker.receivedAs("r1");
    const content = { status: 0, body: body.map((text) => writeText(text)), isRaw: true, trailer: [] };
    worker.sends({ type: "partial", address, requestId: requestId(""), ...content });
    expect(sim.sentTo("c1")).toHaveLength(isSent ? 1 : 0);
  });
});

describe("P-DSP-3: a request in frames", () => {
  const framed = (client: BrokerDialect, frames: boolean, worker: BrokerDialect = pigato) => {
    const sim = scenario({ isChecked: false });
    const offer = { cancel: true, concurrency: 1, frames };
    sim.worker("w1", worker).ready("echo", worker === pigato ? offer : "classic");
    sim.fromClient("c1", { ...aRequest("echo"), requestId: requestId("r1"), isRaw: client !== pigato }, client);
    return sim.worker("w1").received.at(-1)?.isFramed;
  };

  test("goes to a worker that negotiated frames, from a client that has them", () => {
    expect([framed(mdp01, true), framed(mdp02, true)]).toEqual([true, true]);
    expect([framed(mdp02, false), framed(mdp02, true, mdp02)]).toEqual([false, false]);
    expect([framed(omdp, true), framed(butler, true), framed(pigato, true)]).toEqual([false, false, false]);
  });
});

describe("separate listeners for clients and workers", () => {
  test.each(ALL)(
    "D-ROLE-1: the broker disconnects a $id worker at the frontend, and does not answer its DISCONNECT",
    (dialect) => {
      const sim = scenario();
      const from = peerId("w1");
      const ready = { type: "ready", service: serviceName("echo"), offer: undefined } as const;
      sim.step({ type: "worker-at-frontend", from, message: ready, dialect: dialect.id });
      expect(sim.sentTo("w1")).toEqual(["disconnect"]);
      sim.step({ type: "worker-at-frontend", from, message: { type: "disconnect" }, dialect: dialect.id });
      expect(sim.sentTo("w1")).toEqual(["disconnect"]);
      expect(sim.events).toEqual(["violation w1 D-ROLE-1", "violation w1 D-ROLE-1"]);
      expect(sim.stats().workers).toBe(0);
    },
  );

  test.each(ALL)("D-ROLE-1: the broker refuses the request of a $id client at the backend", (dialect) => {
    const sim = scenario();
    const message = { ...aRequest("echo"), requestId: requestId("r1") };
    sim.step({ type: "client-at-backend", from: peerId("c1"), message, dialect: dialect.id });
    expect(sim.sentTo("c1")).toEqual(["failure r1 INVALID (not-sent)"]);
    expect(sim.events).toEqual(["violation c1 D-ROLE-1"]);
    expect(sim.stats()).toMatchObject({ accepted: 0, clients: 0 });
  });

  test("D-ROLE-2: the process of a worker may send heartbeats for it from another socket", () => {
    const sim = scenario();
    const worker = peerAtListener(1, "w1");
    sim.worker(worker).ready("echo", "classic");
    for (let beat = 0; beat < 10; beat++) {
      sim.advance(900);
      const message = { type: "worker-heartbeat", worker: peerId("w1") } as const;
      sim.step({ type: "client-at-backend", from: peerAtListener(1, "ruby"), message, dialect: pigato.id });
    }
    expect(sim.stats().workers).toBe(1);
    expect(sim.events).toEqual([expect.stringMatching(/^worker-up/)]);
  });
});

describe("several listeners", () => {
  const sameIds: readonly PeerId[] = [peerAtListener(0, "same"), peerAtListener(1, "same")];

  test("D-ROLE-3: two peers with the same routing id at two listeners are two peers", () => {
    const sim = scenario();
    for (const id of sameIds) sim.client(id).request("echo", "r1", { body: id === "same" ? "first" : "second" });
    const worker = sim.worker("w1").ready("echo");
    for (const request of [...worker.received]) worker.final(request, new TextDecoder().decode(request.body[0]));
    expect(sameIds.map((id) => sim.sentTo(id))).toEqual([['final r1 "first"'], ['final r1 "second"']]);
  });

  test("D-ROLE-3: a client names a worker by its routing id, at whichever listener the worker is", () => {
    const sim = scenario({ isChecked: false });
    sim.worker(peerAtListener(3, "w1"), butler).ready("echo");
    sim.client("c1").request("echo", "r1", { worker: "w1" }).request("echo", "r2", { worker: "w2" });
    expect(sim.requestsSentTo(peerAtListener(3, "w1"))).toEqual(["r1"]);
    expect(sim.sentTo("c1")).toEqual(["failure r2 UNAVAILABLE (not-sent)"]);
    sim.assertConsistent();
  });
});

function aRequest(service: string) {
  const read = mdp02.decodeFromClient([writeText("MDPC02"), Uint8Array.of(1), writeText(service), writeText("body")]);
  if (read.type !== "request") throw new Error("no request");
  return read;
}

function answersIn(sim: Scenario, client: string, prefix: string): string[] {
  return sim.sentTo(client).filter((line) => line.startsWith(`final ${prefix}`));
}

/** The body in a line of a reply. */
function bodyIn(line: string): string {
  return /"(.*)"$/.exec(line)?.[1] ?? "";
}
