// Listeners that throw, in a process that survives uncaught exceptions: each exception is reported there, and the instance
// continues to serve. The tables below provoke each event of each class; an event without an entry does not compile.

import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker, type BrokerEvents } from "@pigato/broker";
import type { Client, ClientEvents } from "@pigato/client";
import type { CoreServiceEvents } from "@pigato/core-service";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import type { Worker, WorkerEvents } from "@pigato/worker";
import type {
  BrokerEvents as ClassicBrokerEvents,
  ClientEvents as ClassicClientEvents,
  WorkerEvents as ClassicWorkerEvents,
} from "pigato";
import { expect, onTestFinished, test } from "vitest";
import { spawnProgram } from "../support/spawn.ts";
import { connectRawPeer, startClient, startWorker } from "../support/start.ts";
import { type SubjectSettings, UNSTORABLE } from "./subjects.ts";

const MAIN = new URL("./subject-main.ts", import.meta.url);
const SERVICE = "subject";
const PERSIST = JSON.stringify({ persist: 1 });

/** Makes an instance emit each of its events. They run in this order; after each one, the instance must serve. */
type Provocations<Events, Around> = Readonly<Record<keyof Events, (around: Around) => unknown>>;

interface AroundBroker {
  readonly subject: PeerProcess;
  readonly address: string;
  readonly client: Client;
  readonly worker: Worker;
}

const lifecycle = {
  start: () => {},
  error: ({ subject }: { readonly subject: PeerProcess }) => subject.request("fail"),
};

const broker: Provocations<BrokerEvents, AroundBroker> = {
  ...lifecycle,
  "request:restored": () => {},
  "worker:join": () => {},
  "client:join": ({ client }) => client.call("echo", 1),
  "worker:leave": async ({ address }) => {
    const worker = await startWorker(address, "short", (_data, reply) => reply.end());
    await worker.stop();
  },
  "client:leave": async ({ address }) => {
    const client = await startClient(address);
    await client.call("echo", 1);
    await client.stop();
  },
  "request:failed": async ({ client }) => {
    await expect(client.call("nothing", 1, { failFast: true })).rejects.toThrow();
  },
  "request:cached": async ({ client }) => {
    await client.call("cached", 1);
    await client.call("cached", 1);
  },
  "request:requeued": async ({ address, client }) => {
    const first = connectRawPeer(address);
    await first.send("W", "1", "requeued");
    await first.receive("W", "1");
    const reply = client.call("requeued", "again", { retry: true });
    await first.receive("W", "2");
    await startWorker(address, "requeued", (data, second) => second.end(data));
    await first.send("W", "5");
    expect(await reply).toBe("again");
  },
  "request:exhausted": async ({ address, client }) => {
    const reply = client.call("exhausted", "again", { retry: true });
    for (let count = 0; count < 3; count++) {
      const worker = connectRawPeer(address);
      await worker.send("W", "1", "exhausted");
      await worker.receive("W", "2");
      await worker.send("W", "5");
    }
    await expect(reply).rejects.toThrow();
  },
  "reply:held": async ({ subject, address }) => {
    const client = connectRawPeer(address, "fixed");
    await client.send("C", "2", "held", "r1", '"data"', PERSIST);
    await client.roundTrip();
    client.close();
    // The broker holds the reply only if it knows that the client is gone.
    await thrown(subject, "client:leave");
    await startWorker(address, "held", (data, reply) => reply.end(data));
  },
  "reply:delivered": async ({ address }) => {
    const client = connectRawPeer(address, "fixed");
    await client.send("C", "2", "held", "r1", '"data"', PERSIST);
    await client.receive("C", "3", "", "r1");
  },
  "store:failed": async ({ client }) => {
    await expect(client.call(UNSTORABLE, 1, { persist: true })).rejects.toThrow();
  },
  "connection:rejected": ({ address }) => {
    connect(address.replace("ipc://", ""))
      .on("error", () => {})
      .end("GET / HTTP/1.1\r\n\r\n".repeat(10));
  },
  violation: ({ address }) => connectRawPeer(address).send("no", "dialect"),
  drop: async ({ address }) => {
    const client = connectRawPeer(address);
    for (let count = 0; count < 2; count++) await client.send("C", "2", "nothing", "same", "1", "{}");
  },
  stop: ({ subject }) => subject.request("stop"),
};

interface AroundPeer {
  readonly subject: PeerProcess;
  readonly broker: Broker;
  readonly client: Client;
}

const connection = {
  ...lifecycle,
  connect: () => {},
  disconnect: async ({ subject, broker }: AroundPeer) => {
    await broker.stop();
    await thrown(subject, "disconnect");
    await broker.start();
  },
  stop: ({ subject }: AroundPeer) => subject.request("stop"),
};

const client: Provocations<ClientEvents, AroundPeer> = { ...connection, connecting: () => {} };
const worker: Provocations<WorkerEvents, AroundPeer> = {
  ...connection,
  connecting: () => {},
  request: async ({ client }) => {
    await expect(client.call(SERVICE, "throw")).rejects.toThrow("the handler throws");
  },
};
const directory: Provocations<WorkerEvents, AroundPeer> = {
  ...worker,
  request: async ({ client }) => {
    await expect(client.call("$dir", { no: "name" })).rejects.toThrow();
  },
};
const coreService: Provocations<CoreServiceEvents, AroundPeer> = { services: () => {} };
const classicBroker: Provocations<ClassicBrokerEvents, AroundPeer> = {
  ...lifecycle,
  stop: ({ subject }) => subject.request("stop"),
};
const classicClient: Provocations<ClassicClientEvents, AroundPeer> = connection;
const classicWorker: Provocations<ClassicWorkerEvents, AroundPeer> = { ...connection, request: worker.request };

const peers: readonly {
  readonly kind: SubjectSettings["kind"];
  readonly service: string;
  readonly table: Readonly<Record<string, (around: AroundPeer) => unknown>>;
}[] = [
  { kind: "client", service: "echo", table: client },
  { kind: "worker", service: SERVICE, table: worker },
  { kind: "coreService", service: SERVICE, table: coreService },
  { kind: "coreServiceWorker", service: SERVICE, table: worker },
  { kind: "directoryWorker", service: "$dir", table: directory },
  { kind: "classicClient", service: "echo", table: classicClient },
  { kind: "classicWorker", service: SERVICE, table: classicWorker },
];

test("a broker serves while the listeners of all its events throw", async () => {
  const address = newAddress();
  const subject = await spawnSubject({ kind: "broker", address, intch: "", service: "", events: Object.keys(broker) });
  await subject.request("start");
  const echoing = await startWorker(address, "echo", (data, reply) => reply.end(data), { reconnect: 20 });
  await startWorker(address, "cached", (data, reply) => {
    reply.opts.cache = 60_000;
    reply.end(data);
  });
  const caller = await startClient(address, { reconnect: 20 });
  for (const [event, provoke] of Object.entries(broker)) {
    await provoke({ subject, address, client: caller, worker: echoing });
    await thrown(subject, event);
    if (event === "stop" || event === "error") await subject.request("start");
    expect([event, await caller.call("echo", "hi", { timeout: 10_000 })]).toEqual([event, "hi"]);
  }
  expect(await others(subject, Object.keys(broker))).toEqual([]);
}, 60_000);

test("a classic broker serves while the listeners of all its events throw", async () => {
  const address = newAddress();
  const events = Object.keys(classicBroker);
  const subject = await spawnSubject({ kind: "classicBroker", address, intch: "", service: "", events });
  await subject.request("start");
  await startWorker(address, "echo", (data, reply) => reply.end(data), { reconnect: 20 });
  const caller = await startClient(address, { reconnect: 20 });
  const around = { subject, broker: new Broker(newAddress()), client: caller };
  for (const [event, provoke] of Object.entries(classicBroker)) {
    await provoke(around);
    await thrown(subject, event);
    if (event === "stop" || event === "error") await subject.request("start");
    expect([event, await caller.call("echo", "hi", { timeout: 10_000 })]).toEqual([event, "hi"]);
  }
  expect(await others(subject, events)).toEqual([]);
}, 60_000);

test.each(peers)(
  "a $kind serves while the listeners of all its events throw",
  async ({ kind, service, table }) => {
    const address = newAddress();
    const broker = new Broker(address, { stopTimeoutMs: 0 });
    onTestFinished(() => broker.stop());
    await broker.start();
    await startWorker(address, "echo", (data, reply) => reply.end(data), { reconnect: 20 });
    const caller = await startClient(address, { reconnect: 20 });
    // An exception of a handler becomes the error of its request.
    const events = Object.keys(table).filter((event) => event !== "request");
    const subject = await spawnSubject({ kind, address, intch: String(broker.conf.intch), service, events });
    await subject.request("start");
    for (const [event, provoke] of Object.entries(table)) {
      await provoke({ subject, broker, client: caller });
      if (event !== "request" && event !== "disconnect") await thrown(subject, event);
      if (event === "stop") await subject.request("start");
      const reply =
        service === "echo" ? subject.request("call", service) : caller.call(service, "hi", { timeout: 10_000 });
      expect([event, await reply]).toEqual([event, service === "$dir" ? [] : "hi"]);
    }
    expect(await others(subject, events)).toEqual([]);
  },
  60_000,
);

/** An address that stays the same when its broker restarts. */
function newAddress(): string {
  return `ipc://${join(tmpdir(), `pigato-${randomUUID()}.sock`)}`;
}

async function spawnSubject(settings: SubjectSettings): Promise<PeerProcess> {
  const subject = await spawnProgram(MAIN, settings);
  onTestFinished(async () => {
    await subject.kill();
  });
  return subject;
}

/** Waits until the listener of an event has thrown. */
async function thrown(subject: PeerProcess, event: string): Promise<void> {
  expect([event, await subject.request("thrown", event)]).toEqual([event, true]);
}

/** The other uncaught exceptions of an instance: from events that it emitted more than once. */
async function others(subject: PeerProcess, events: readonly string[]): Promise<readonly string[]> {
  const messages: string[] = await subject.request("uncaught");
  return messages.filter((message) => !events.includes(message));
}
