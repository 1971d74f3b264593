// Methods of services that read them from the body: a client of ours calls workers of every dialect and of npm `pigato@0.0.46`, and
// foreign clients call a worker of ours that reads them.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { describe, expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient, startClassicWorker } from "../classic/peers.ts";
import {
  connectRawPeer,
  LOOPBACK,
  type RunningBroker,
  startBroker,
  startClient,
  startWorker,
} from "../support/start.ts";
import { DIALECTS, type DialectName, type DialectWorker, newClient, newWorker } from "./peers.ts";
import { pythonClient, pythonWorker } from "./python.ts";

const FORM = { args: ["a.jpg", { width: 150 }], kwargs: {}, method: "resize" };
/** A butler worker gets an object at the end as named arguments. */
const NAMED = { args: ["a.jpg"], kwargs: { width: 150 }, method: "resize" };
const CALL = { method: "resize", args: true } as const;

describe.each(DIALECTS)("a worker of %s", (dialect) => {
  test("D-MAP-10: gets the method of a request in the form of butler", async () => {
    const { address, foreign } = await startBrokerFor(dialect);
    await callsResize(address, newWorker(dialect, foreign, "images"), dialect === "butler" ? NAMED : FORM);
  });
});

describe.skipIf(foreignPeers.python.isMissing)("a butler service in Python", () => {
  test("D-MAP-10: is called by its function's name", async () => {
    const { broker, address, foreign } = await startBrokerFor("butler");
    const joined = new Promise((resolve) => broker.once("worker:join", resolve));
    const worker = pythonWorker("butler", foreign, "images");
    await joined;
    await callsResize(address, worker, NAMED);
  });

  test("a butler client in Python calls a method of a worker that reads its data", async () => {
    const { address, foreign } = await startBrokerFor("butler");
    await startWorker(address, "images", (data) => data, { methods: true });
    const client = pythonClient("butler", foreign);
    onTestFinished(() => client.close());
    await client.request("images", JSON.stringify(FORM));
    const { kind, body } = await client.receive();
    expect([kind, JSON.parse(body[0] ?? "")]).toEqual(["final", FORM]);
  });
});

test.each(["mdp01", "mdp02", "omdp"] as const)(
  "a client of %s sends the form of butler as its data",
  async (dialect) => {
    const { address, foreign } = await startBrokerFor(dialect);
    await startWorker(address, "images", (data) => data, { methods: true });
    const client = newClient(dialect, foreign);
    onTestFinished(() => client.close());
    await client.request("images", JSON.stringify(FORM));
    const { kind, body } = await client.receive();
    expect([kind, JSON.parse(body[0] ?? "")]).toEqual(["final", FORM]);
  },
);

describe("npm pigato@0.0.46", () => {
  test("P-CALL-2: its worker serves a method, and its client calls one", async () => {
    const { address } = await startBroker({ intch: false });
    const library = await LibraryProcess.start("classic");
    await startClassicWorker(library, { address, service: "images", behavior: "echo" });
    const client = await startClient(address);
    expect(await client.call("images", FORM.args, CALL)).toEqual(FORM);
    expect(await client.call("images", FORM.args)).toEqual(FORM.args);

    await startWorker(address, "own", (data) => data, { methods: true });
    const classic = await startClassicClient(library, { address });
    expect(await classic.request("own", FORM)).toMatchObject({ final: FORM, error: undefined });
    // An option of its own with this name stays one.
    expect(await classic.request("images", 1, { method: "mine", codec: "mine" })).toMatchObject({
      final: 1,
      error: undefined,
    });
  });
});

test("P-CALL-1: methods that are no names fail with INVALID, and names of properties of every object are ordinary names", async () => {
  const { address, violations } = await startBroker();
  await startWorker(address, "images", (_data, _reply, opts) => opts.method, { methods: true });
  await startWorker(address, "plain", (data) => data);
  const raw = connectRawPeer(address);
  await raw.send("C", "4", "pigato/1 methods error heartbeat=60000");
  const bad = ["", "m".repeat(65_000), "m".repeat(256), "a\u0000b", "a\nb", "\ud800", null, 1, {}, []];
  for (const [index, method] of bad.entries()) {
    await raw.send("C", "2", "images", `bad${index}`, "1", JSON.stringify({ method }));
    const reply = await raw.nextThat((frames) => frames[1] === "3");
    expect([reply[3], reply[4], JSON.parse(reply[5] ?? "")]).toMatchObject([
      `bad${index}`,
      "-1",
      { code: "INVALID", delivery: "not-sent" },
    ]);
  }
  for (const method of ["__proto__", "constructor", "then", "toString", 'quo"te', "m".repeat(255)]) {
    for (const service of ["images", "plain"]) {
      const id = `${service} ${method.slice(0, 20)}`;
      await raw.send("C", "2", service, id, "1", JSON.stringify({ method }));
      const reply = await raw.nextThat((frames) => frames[3] === id);
      const value: unknown = JSON.parse(reply[5] ?? "");
      expect(value).toEqual(service === "images" ? method : { args: [1], kwargs: {}, method });
    }
  }
  expect(violations).toEqual([]);
});

test("P-CALL-1: a worker that reads methods finds them in the options, and gets the data unchanged", async () => {
  const { address } = await startBroker();
  await startWorker(address, "images", (data, _reply, opts) => [data, opts.method, opts.args], { methods: true });
  const client = await startClient(address);
  expect(await client.call("images", FORM.args, CALL)).toEqual([FORM.args, "resize", true]);
  expect(await client.call("images", 1, { method: "größe" })).toEqual([1, "größe", null]);
});

/** A broker, its address for peers of PIGATO, and one for peers of this dialect. */
async function startBrokerFor(dialect: DialectName): Promise<RunningBroker & { readonly foreign: string }> {
  const where = [LOOPBACK, { address: LOOPBACK, dialect: "omdp" }, { address: LOOPBACK, dialect: "butler" }] as const;
  const running = await startBroker({ heartbeat: 60_000, intch: false }, where);
  const [pigato = "", omdp = "", butler = ""] = running.addresses;
  return { ...running, foreign: { pigato, mdp01: pigato, mdp02: pigato, omdp, butler }[dialect] };
}

/** Calls a method of this worker, and answers it there. */
async function callsResize(address: string, worker: DialectWorker, expected: object): Promise<void> {
  onTestFinished(() => worker.close());
  const client = await startClient(address);
  const called = client.call("images", FORM.args, { ...CALL, retry: true });
  const request = await worker.next();
  expect(JSON.parse(request.body.join())).toEqual(expected);
  await request.reply("final", '"done"');
  expect(await called).toBe("done");
}
