// Hostile peers of every dialect: every message in every state and role, truncated, padded and corrupted, mixed with messages
// of other dialects. The broker must stay up and serve a client and a worker of each dialect.

import { Broker, type ListenerOptions, type Listeners } from "@pigato/broker";
import type { RawPeer } from "@pigato/testkit/raw-peer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FORMS } from "./forms.ts";
import { ADDRESS, bendings, cuts, EXPIRY, ID, MESSAGES, NAMES, ROLES } from "./hostile-messages.ts";
import { DIALECTS, type DialectClient, type DialectWorker, newClient, newWorker } from "./peers.ts";
import { bytePeer } from "./start.ts";

const ANYWHERE = "tcp://127.0.0.1:*";
const BINDS = [
  ANYWHERE,
  { address: ANYWHERE, dialect: "omdp" },
  { address: ANYWHERE, dialect: "butler", answersErrors: true },
] as const;

/** A broker, and a client and a worker of each dialect that it must serve all the time. */
interface House {
  readonly broker: Broker;
  /** One address for each bind; with separate binds, first those for clients, then those for workers. */
  readonly addresses: readonly string[];
  readonly witnesses: readonly {
    readonly client: DialectClient;
    readonly server: DialectWorker;
    readonly service: string;
  }[];
  /** A worker of the service "quiet", which never replies. */
  readonly quiet: RawPeer;
}

let whole: House;
let apart: House;
let count = 0;

beforeAll(async () => {
  whole = await build(BINDS);
  apart = await build({ frontend: BINDS, backend: BINDS });
});

afterAll(async () => {
  for (const { broker, witnesses, quiet } of [whole, apart]) {
    for (const peer of [...witnesses.flatMap(({ client, server }) => [client, server]), quiet]) peer.close();
    await broker.stop();
  }
});

describe.each([0, 1, 2])("by bind %i", (listener) => {
  test.each(NAMES)(
    "survives every message of %s, in every state, whole, truncated, padded and corrupted",
    async (name) => {
      await sayEverything(whole, listener, name, bendings);
    },
  );

  test("the broker survives a peer that speaks every dialect in turn", async () => {
    await speakEverything(whole, listener);
  });
});

describe.each([0, 1, 2, 3, 4, 5])("separate binds, bind %i", (listener) => {
  test.each(NAMES)(
    "the broker survives every message of %s, in every state, whole, truncated and padded",
    async (name) => {
      await sayEverything(apart, listener, name, cuts);
    },
  );

  test("the broker survives a peer that speaks every dialect in turn", async () => {
    await speakEverything(apart, listener);
  });
});

describe.each(NAMES)("with a worker of %s", (name) => {
  const { greet, tokens, disconnect } = ROLES[name] ?? {};
  if (greet === undefined || tokens === undefined) throw new Error(`no peer of ${name}`);

  test("the broker survives any message of any dialect while the worker has a request", async () => {
    const client = bytePeer(whole.addresses[0] ?? "");
    for (const message of NAMES.flatMap((other) => MESSAGES[other]?.map((frames) => ({ other, frames })) ?? [])) {
      for (const bent of message.other === name ? cuts(message.frames) : [message.frames]) {
        const service = `held ${++count}`;
        const holder = await worker(service);
        // With its own id, because a rejected request stays open.
        await client.send("C", "2", service, service, "1", "{}");
        const { address, id } = tokens(await holder.nextThat((frames) => tokens(frames) !== undefined)) ?? {};
        const said = bent.map((frame) => frame.replace(ADDRESS, () => address ?? "").replace(ID, () => id ?? ""));
        await holder.send(...said);
        await leave(whole, holder);
      }
    }
    await leave(whole, client);
    await expectOthersServed(whole);
  });

  test("D-MMI-2: a worker whose service name starts with mmi. is rejected, one with $ is accepted", async () => {
    const rejected = bytePeer(addressFor(name));
    const dropped = new Promise((resolve) => {
      whole.broker.on("drop", ({ peer, reason }) => peer === rejected.id && resolve(reason));
    });
    await rejected.send(...(greet("mmi.x")[0] ?? []));
    expect(await rejected.next()).toEqual(disconnect);
    expect(await dropped).toBe("reserved-name");
    const service = `$of ${name}`;
    const core = await worker(service);
    const client = bytePeer(whole.addresses[0] ?? "");
    await client.send("C", "2", service, "r", "1", "{}");
    await core.nextThat((frames) => tokens(frames) !== undefined);
    for (const socket of [rejected, core, client]) await leave(whole, socket);
    await expectOthersServed(whole);
  });

  async function worker(service: string): Promise<RawPeer> {
    const socket = bytePeer(addressFor(name));
    const joined = new Promise((resolve) => whole.broker.once("worker:join", resolve));
    for (const frames of greet?.(service) ?? []) await socket.send(...frames);
    await joined;
    return socket;
  }
});

describe("requests for 10,000 services", () => {
  test.each(FORMS)("from a client of $name", async ({ request }) => {
    await askFor10000(0, (service) => [...request, service, "x"]);
  });

  test("from a client of pigato", async () => {
    await askFor10000(0, (service) => ["C", "2", service, service, "1", "{}"]);
  });

  test("from a client of omdp", async () => {
    await askFor10000(1, (service) => ["C", "2", service, service, "1", "{}"]);
  });

  test("D-BUT-6: from a client of butler, each answered by 404 at once", async () => {
    const client = await askFor10000(2, (service) => ["", "0.3.0:1", service, EXPIRY, "x"]);
    expect(client.received.length).toBe(10_000);
    expect(client.received.every(([, error]) => error === "404")).toBe(true);
  });
});

async function build(where: ListenerOptions | Listeners): Promise<House> {
  const broker = new Broker(where, { heartbeat: 60_000, intch: ANYWHERE, stopTimeoutMs: 0 });
  await broker.start();
  const addresses = broker.addresses;
  const joins = (act: () => void) => {
    const joined = new Promise((resolve) => broker.once("worker:join", resolve));
    act();
    return joined;
  };
  const witnesses: House["witnesses"][number][] = [];
  for (const dialect of DIALECTS) {
    const kind = dialect === "omdp" ? 1 : dialect === "butler" ? 2 : 0;
    const service = `witness of ${dialect}`;
    const [front = "", back = ""] = [addresses[kind], addresses[addresses.length - BINDS.length + kind]];
    await joins(() => {
      witnesses.push({ client: newClient(dialect, front), server: newWorker(dialect, back, service), service });
    });
  }
  const quiet = bytePeer(addresses[addresses.length - BINDS.length] ?? "");
  await joins(() => void quiet.send("W", "1", "quiet"));
  await quiet.send("W", "4", "", '{"concurrency":-1}');
  return { broker, addresses, witnesses, quiet };
}

/** The bind for the workers of a dialect. */
function addressFor(name: string): string {
  return whole.addresses[name === "omdp" ? 1 : name === "butler" ? 2 : 0] ?? "";
}

/** A state is the message sent before: none, a request without a reply, or any other message of the dialect. */
async function sayEverything(
  house: House,
  listener: number,
  name: string,
  spoil: (message: readonly string[]) => Iterable<readonly string[]>,
): Promise<void> {
  const messages = MESSAGES[name] ?? [];
  const open = messages[0]?.map((frame) => (frame === "echo" ? "quiet" : frame));
  for (const before of [undefined, open, ...messages]) {
    const socket = bytePeer(house.addresses[listener] ?? "");
    for (const message of messages) {
      for (const bent of spoil(message)) {
        if (before !== undefined) await socket.send(...before);
        await socket.send(...bent);
      }
    }
    await leave(house, socket);
  }
  await expectOthersServed(house);
}

async function speakEverything(house: House, listener: number): Promise<void> {
  for (const first of NAMES.keys()) {
    const socket = bytePeer(house.addresses[listener] ?? "");
    for (const name of [...NAMES.slice(first), ...NAMES.slice(0, first)]) {
      for (const message of MESSAGES[name] ?? []) await socket.send(...message);
    }
    await leave(house, socket);
  }
  await expectOthersServed(house);
}

/** The broker serves others while the requests wait, if they wait, and after their client has gone. */
async function askFor10000(listener: number, request: (service: string) => readonly string[]): Promise<RawPeer> {
  const { broker, addresses } = whole;
  await nothingOpen(broker);
  const socket = bytePeer(addresses[listener] ?? "");
  for (let service = 0; service < 10_000; service++) await socket.send(...request(`service ${service}`));
  await handled(whole, socket);
  expect([0, 10_000]).toContain(openOf(broker));
  await expectOthersServed(whole);
  socket.close();
  await nothingOpen(broker);
  await expectOthersServed(whole);
  return socket;
}

/** Resolves when every client with open requests has gone. */
async function nothingOpen(broker: Broker): Promise<void> {
  while (openOf(broker) > 0) await new Promise((resolve) => broker.once("client:leave", resolve));
}

function openOf(broker: Broker): number {
  return broker.stats()?.open ?? 0;
}

/** Closes a socket after the broker has handled all its messages. */
async function leave(house: House, socket: RawPeer): Promise<void> {
  await handled(house, socket);
  socket.close();
}

/** Resolves when the broker has handled all messages of a socket. */
async function handled({ broker }: House, socket: RawPeer): Promise<void> {
  // In every dialect, the broker reports a message that belongs to no dialect, after all messages before it.
  const mark = `mark ${++count}`;
  await new Promise<void>((resolve) => {
    const onViolation = ({ detail, peer }: { readonly detail: string; readonly peer: string }) => {
      if (peer !== socket.id || !detail.startsWith("a message of 7 frames")) return;
      broker.off("violation", onViolation);
      resolve();
    };
    broker.on("violation", onViolation);
    void socket.send(mark, "", "", "", "", "", "");
  });
}

async function expectOthersServed({ witnesses }: House): Promise<void> {
  for (const { client, server, service } of witnesses) {
    const question = String(1_000 + ++count);
    await client.request(service, question);
    const job = await server.next();
    expect(job.body).toEqual([question]);
    await job.reply("final", question);
    expect(await client.receive()).toEqual({ kind: "final", body: [question] });
  }
}
