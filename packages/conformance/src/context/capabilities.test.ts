// What each feature of a request does where one peer does not know it: it works, at least in part, or the call fails with a `UsageError`
// that names the peer and the capability (P-FAIL-7).

import type { Client } from "@pigato/client";
import { UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicBroker, startClassicWorker } from "../classic/peers.ts";
import { startBroker, startClient, startWorker } from "../support/start.ts";

/** What a call does: the value that it resolves to, or the text of its `UsageError`. */
type Outcome = { readonly value: unknown } | { readonly missing: string; readonly peer: "broker" | "worker" };

const BYTES = Buffer.from("bytes");

const CALLS = {
  headers: (client: Client) => client.call("echo", 1, { headers: { trace: "t1" } }),
  deadline: (client: Client) => client.call("echo", 1, { deadline: 20_000 }),
  method: (client: Client) => client.call("echo", 1, { method: "add" }),
  acceptTimeout: (client: Client) => client.call("echo", 1, { acceptTimeout: 20_000 }),
  credit: (client: Client) => client.request("echo", 1).toArray(),
  "a codec of the reply": (client: Client) => client.call("echo", 1, { codec: "raw" }),
  "a codec": (client: Client) => client.call("echo", BYTES, { codec: "raw" }),
  "a codec with a method": (client: Client) => client.call("echo", BYTES, { codec: "raw", method: "add" }),
  input: (client: Client) => client.upload("echo", [1]),
} as const;

type Row = Readonly<Record<keyof typeof CALLS, Outcome>>;

/** What our worker replies: the data, the header and the method that it got. */
function reply(data: unknown, trace: string | null = null, method: string | null = null): Outcome {
  return { value: [data, trace, method] };
}

function missing(word: string, peer: "broker" | "worker"): Outcome {
  return { missing: word, peer };
}

const WITH_OLD_BROKER: Row = {
  headers: reply(1, "t1"),
  deadline: reply(1),
  // Hosts read it; other workers ignore it.
  method: reply(1, null, "add"),
  acceptTimeout: missing("methods", "broker"),
  credit: { value: [[1, null, null]] },
  "a codec of the reply": reply(1),
  "a codec": missing("codec=raw", "broker"),
  "a codec with a method": missing("codec=raw", "broker"),
  input: missing("duplex", "broker"),
};

const WITH_OTHER_WORKER: Row = {
  headers: { value: 1 },
  deadline: { value: 1 },
  method: { value: { args: [1], kwargs: {}, method: "add" } },
  acceptTimeout: { value: 1 },
  credit: { value: [1] },
  "a codec of the reply": { value: 1 },
  "a codec": missing("codec=raw", "worker"),
  "a codec with a method": missing("codec=raw", "worker"),
  input: missing("duplex", "worker"),
};

const SETTINGS: readonly [name: string, row: Row, start: () => Promise<Client>][] = [
  ["the broker of npm pigato", WITH_OLD_BROKER, startWithOldBroker],
  ["a client that does not negotiate", WITH_OLD_BROKER, startWithoutNegotiation],
  ["a worker of npm pigato", WITH_OTHER_WORKER, startWithOldWorker],
  ["a worker of Majordomo 0.1", WITH_OTHER_WORKER, () => startWithMajordomoWorker("mdp01")],
  ["a worker of Majordomo 0.2", WITH_OTHER_WORKER, () => startWithMajordomoWorker("mdp02")],
];

describe.each(SETTINGS)("with %s", (_name, row, start) => {
  test("each feature works, or fails with a UsageError that names what is missing", async () => {
    const client = await start();
    for (const [name, call] of Object.entries(CALLS)) {
      expect([name, await outcomeOf(call(client))]).toEqual([name, Reflect.get(row, name)]);
    }
    // The worker is as free as before.
    expect(await outcomeOf(CALLS.deadline(client))).toEqual(row.deadline);
  });
});

test("a callback and a stream get the same error, with and without interceptors", async () => {
  const client = await startWithOldWorker();
  const options = { input: [1] };
  const called = new Promise((resolve) => client.request("echo", null, undefined, resolve, options));
  expect(await called).toBeInstanceOf(UsageError);
  await expect(client.request("echo", null, options).toArray()).rejects.toBeInstanceOf(UsageError);
  client.use((next) => next);
  const intercepted = new Promise((resolve) => client.request("echo", null, undefined, resolve, options));
  expect(await intercepted).toBeInstanceOf(UsageError);
});

async function outcomeOf(calling: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await calling };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const [, word = error.message] = /\(([a-z=]+)\)/.exec(error.message) ?? [];
    return { missing: word, peer: error.message.includes("its broker does not support") ? "broker" : "worker" };
  }
}

async function startEcho(address: string): Promise<void> {
  await startWorker(address, "echo", (data, { info }, { method }) => [
    data,
    info.headers.trace ?? null,
    method ?? null,
  ]);
}

async function startWithOldBroker(): Promise<Client> {
  const address = await (await startClassicBroker()).address();
  await startEcho(address);
  return startClient(address);
}

async function startWithoutNegotiation(): Promise<Client> {
  const { address } = await startBroker();
  await startEcho(address);
  return startClient(address, { negotiate: false });
}

async function startWithOldWorker(): Promise<Client> {
  const { address } = await startBroker();
  const library = await LibraryProcess.start("classic");
  await startClassicWorker(library, { address, service: "echo", behavior: "echo" });
  return startClient(address);
}

async function startWithMajordomoWorker(dialect: "mdp01" | "mdp02"): Promise<Client> {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data) => data, { dialect });
  return startClient(address);
}
