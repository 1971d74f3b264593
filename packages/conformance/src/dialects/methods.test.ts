// Methods of services that read them from the body: a client of ours calls workers of every dialect and of npm `pigato@0.0.46`, and
// foreign clients call a worker of ours that reads them.

import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { describe, expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient, startClassicWorker } from "../classic/peers.ts";
import { LOOPBACK, type RunningBroker, startBroker, startClient, startWorker } from "../support/start.ts";
import { DIALECTS, type DialectName, type DialectWorker, newClient, newWorker } from "./peers.ts";
import { pythonClient, pythonWorker } from "./python.ts";

const FORM = { args: ["a.jpg", { width: 150 }], kwargs: {}, method: "resize" };
const CALL = { method: "resize", args: true } as const;

describe.each(DIALECTS)("a worker of %s", (dialect) => {
  test("D-MAP-10: gets the method of a request in the form of butler", async () => {
    const { address, foreign } = await startBrokerFor(dialect);
    await callsResize(address, newWorker(dialect, foreign, "images"));
  });
});

describe.skipIf(foreignPeers.python.isMissing)("a butler service in Python", () => {
  test("D-MAP-10: is called by its function's name", async () => {
    const { broker, address, foreign } = await startBrokerFor("butler");
    const joined = new Promise((resolve) => broker.once("worker:join", resolve));
    const worker = pythonWorker("butler", foreign, "images");
    await joined;
    await callsResize(address, worker);
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
async function callsResize(address: string, worker: DialectWorker): Promise<void> {
  onTestFinished(() => worker.close());
  const client = await startClient(address);
  const called = client.call("images", FORM.args, { ...CALL, retry: true });
  const request = await worker.next();
  expect(JSON.parse(request.body.join())).toEqual(FORM);
  await request.reply("final", '"done"');
  expect(await called).toBe("done");
}
