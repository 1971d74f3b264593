// Exceptions at butler's client, as a Python program that loads and raises them as the original does.

import type { ListenerOptions } from "@pigato/broker";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker } from "../support/start.ts";
import { type DialectClient, type DialectWorker, newWorker } from "./peers.ts";
import { pythonClient, pythonWorker } from "./python.ts";

const BIND: ListenerOptions = { address: "tcp://127.0.0.1:*", dialect: "butler" };

describe.skipIf(foreignPeers.python.isMissing)("a butler client in Python", () => {
  test.each([
    ["KeyError", "no such size"],
    ["ValueError", "line one\nline 'two' \\ gr\u00fc\u00dfe \u20ac \u{1F600}"],
    ["ZeroDivisionError", ""],
  ])("D-BUT-7: raises the %s of a butler worker", async (name, message) => {
    const { client, worker } = await startPair(pythonWorker);
    expect(await raised(client, worker, [name, message])).toEqual([name, message]);
  });

  test("D-BUT-7: raises RuntimeError for a class that is not of the list, and for a pickle of another form", async () => {
    const { client, worker } = await startPair(pythonWorker);
    expect(await raised(client, worker, ["UnicodeError", "no"])).toEqual(["RuntimeError", "no"]);
    const evil = { object: "cbuiltins\nexit\n(Vgone\ntR.", name: "ValueError", message: "no", traceback: "" };
    expect(await raised(client, worker, evil)).toEqual(["RuntimeError", "no"]);
  });

  test("D-BUT-7: raises the error of a PIGATO handler", async () => {
    const { client, worker } = await startPair((_dialect, address, service) => newWorker("pigato", address, service));
    expect(await raised(client, worker, { name: "TypeError", message: "no" })).toEqual(["TypeError", "no"]);
    expect(await raised(client, worker, { name: "RequestError", message: "no", code: "BUSY" })).toEqual([
      "RuntimeError",
      "no",
    ]);
  });

  test("D-BUT-6: raises RuntimeError when its service dies", async () => {
    const { client, worker, lost } = await startPair(pythonWorker);
    await client.request("sum", "{}");
    await worker.next();
    worker.close();
    await lost;
    const { kind, body } = await client.receive();
    expect([kind, body[1]]).toEqual(["error", "RuntimeError"]);
    expect(body[2]).toMatch(/^request .* to "sum" /);
  });
});

async function startPair(receiver: (dialect: "butler", address: string, service: string) => DialectWorker): Promise<{
  client: DialectClient;
  worker: DialectWorker;
  lost: Promise<unknown>;
}> {
  const { broker, address } = await startBroker({ heartbeat: 60_000, intch: false }, BIND);
  const joined = new Promise((resolve) => broker.once("worker:join", resolve));
  const lost = new Promise((resolve) => broker.once("worker:leave", resolve));
  const [client, worker] = [pythonClient("butler", address), receiver("butler", address, "sum")];
  onTestFinished(() => {
    client.close();
    worker.close();
  });
  await joined;
  return { client, worker, lost };
}

/** The class and the argument of what the client raises when the worker replies with this error. */
async function raised(client: DialectClient, worker: DialectWorker, error: unknown): Promise<readonly string[]> {
  await client.request("sum", "{}");
  await (await worker.next()).reply("error", Buffer.from(JSON.stringify(error)).toString("latin1"));
  const { kind, body } = await client.receive();
  expect(kind).toBe("error");
  return body.slice(1).map((text) => Buffer.from(text, "latin1").toString());
}
