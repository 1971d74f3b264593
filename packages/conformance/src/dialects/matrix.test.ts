// Every client with every worker, across the dialects, over one broker with a bind for each dialect that needs one: peers on
// plain sockets, peers in Python, and our client and worker. The broker translates each request to the worker's dialect, and
// its reply back.

import { Broker } from "@pigato/broker";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OWN_DIALECTS, ownClient, ownWorker, sendsValues } from "./own-peers.ts";
import { DIALECTS, type DialectClient, type DialectName, type DialectWorker, newClient, newWorker } from "./peers.ts";
import { pythonClient, pythonWorker } from "./python.ts";

type Stack = "node" | "python" | "own";
type Kind = `${DialectName} in ${Stack}`;

interface Peer {
  readonly kind: Kind;
  readonly dialect: DialectName;
  /** Whether it handles values instead of bytes, as our peers do. */
  readonly isOwn: boolean;
  readonly isPython: boolean;
  sender(): DialectClient | Promise<DialectClient>;
  receiver(service: string): DialectWorker | Promise<DialectWorker>;
}

const PYTHON_DIALECTS = foreignPeers.python.isMissing ? [] : DIALECTS;
const PEERS: readonly Peer[] = [
  ...DIALECTS.map((dialect) => peerOf(dialect, "node", newClient, newWorker)),
  ...PYTHON_DIALECTS.map((dialect) => peerOf(dialect, "python", pythonClient, pythonWorker)),
  ...OWN_DIALECTS.map((dialect) => peerOf(dialect, "own", ownClient, ownWorker)),
];
const PAIRS = PEERS.flatMap((client) => PEERS.map((worker) => ({ client, worker })));
/** Every pair of dialects, both in Python or both not: slow cases do not run for all pairs. */
const SOME_PAIRS = PAIRS.filter(({ client, worker }) => client.isPython === worker.isPython);

/** Dialects in which a body is any number of frames. The others have one frame. */
const HAS_FRAMES: ReadonlySet<DialectName> = new Set(["mdp01", "mdp02"]);
/** Dialects whose peers fail on what is not JSON. */
const READS_JSON: ReadonlySet<DialectName> = new Set(["pigato", "omdp", "butler"]);
/** Bodies that are not JSON, and what they become. */
const RAW_BODIES = [
  ["\xff\x00\x01", '"data:application/octet-stream;base64,/wAB"'],
  ["plain text", '"plain text"'],
] as const;
const CLIENTS_WITHOUT_PARTS: ReadonlySet<DialectName> = new Set(["mdp01", "butler"]);
const CLIENTS_WITHOUT_ERRORS: ReadonlySet<DialectName> = new Set(["mdp01", "mdp02"]);

let broker: Broker;
/** One client and one worker of each kind, for the whole suite. */
const senders = new Map<Kind, DialectClient>();
const receivers = new Map<Kind, DialectWorker>();
/** The routing ids of the workers of each service. */
const members = new Map<string, Set<string>>();

beforeAll(async () => {
  const address = "tcp://127.0.0.1:*";
  const binds = [address, { address, dialect: "omdp" }, { address, dialect: "butler" }] as const;
  broker = new Broker(binds, { heartbeat: 60_000, intch: false, stopTimeoutMs: 0 });
  broker.on("worker:join", ({ service, worker }) => membersOf(service).add(worker));
  broker.on("worker:leave", ({ service, worker }) => membersOf(service).delete(worker));
  await broker.start();
  for (const peer of PEERS) {
    senders.set(peer.kind, await peer.sender());
    receivers.set(peer.kind, await peer.receiver(peer.kind));
  }
  for (const { kind } of PEERS) await joined(kind, 1);
});

afterAll(async () => {
  for (const peer of [...senders.values(), ...receivers.values()]) peer.close();
  await broker.stop();
});

describe.each(PAIRS)("$client.kind sends a request to $worker.kind", ({ client, worker }) => {
  test("D-MAP-1: JSON arrives byte for byte in both directions", async () => {
    const { sender, receiver } = pair(client, worker);
    await sender.request(worker.kind, '{"a": [1, null]}');
    const job = await receiver.next();
    expect(job.body).toEqual([asRead('{"a": [1, null]}', client, worker)]);
    await job.reply("final", ' {"b" : "\xc3\xa9"} ');
    expect(await sender.receive()).toEqual({ kind: "final", body: [asRead(' {"b" : "\xc3\xa9"} ', worker, client)] });
  });

  test("D-MAP-2, D-MAP-9: bytes and text arrive unchanged, or as a JSON string in a dialect of JSON", async () => {
    const { sender, receiver } = pair(client, worker);
    const isButlers = client.dialect === "butler" && worker.dialect === "butler";
    for (const [raw, json] of RAW_BODIES) {
      const sent = sendsJson(client) ? json : raw;
      await sender.request(worker.kind, sent);
      const job = await receiver.next();
      const isJson = READS_JSON.has(worker.dialect) && !areFramed(client, worker);
      expect(job.body).toEqual([isJson ? json : shownBy(worker, sent)]);
      const reply = sendsJson(worker) ? json : raw;
      await job.reply("final", reply);
      const isShown = READS_JSON.has(client.dialect) && !isButlers;
      expect(await sender.receive()).toEqual({ kind: "final", body: [isShown ? json : shownBy(client, reply)] });
    }
  });

  test("D-MAP-3: several frames arrive unchanged, or as an array in a dialect with one frame", async () => {
    const { sender, receiver } = pair(client, worker);
    const frames = ["one", "", "2"];
    const array = ['["one","",2]'];
    const arePassed = HAS_FRAMES.has(client.dialect) && HAS_FRAMES.has(worker.dialect);
    await sender.request(worker.kind, ...(HAS_FRAMES.has(client.dialect) ? frames : array));
    const job = await receiver.next();
    expect(job.body).toEqual(arePassed || areFramed(client, worker) ? frames : array);
    await job.reply("final", ...(HAS_FRAMES.has(worker.dialect) ? frames : array));
    expect(await sender.receive()).toEqual({ kind: "final", body: arePassed && !client.isOwn ? frames : array });
  });

  test("D-MAP-4: partials arrive before the final reply, if both dialects have them", async () => {
    const { sender, receiver } = pair(client, worker);
    await sender.request(worker.kind, "0");
    const job = await receiver.next();
    const expected: unknown[] = [];
    for (const part of ["1", "2"]) {
      const isSent = await job.reply("partial", part);
      expect(isSent).toBe(worker.dialect !== "mdp01" && worker.dialect !== "butler");
      if (isSent && !CLIENTS_WITHOUT_PARTS.has(client.dialect)) expected.push({ kind: "partial", body: [part] });
    }
    await job.reply("final", "3");
    for (const part of [...expected, { kind: "final", body: ["3"] }]) expect(await sender.receive()).toEqual(part);
  });
});

describe.each(SOME_PAIRS)("$client.kind sends requests to $worker.kind, which", ({ client, worker }) => {
  test("replies once to each of 500 concurrent requests", { timeout: 30_000 }, async () => {
    const { sender, receiver } = pair(client, worker);
    const numbers = Array.from({ length: 500 }, (_, number) => String(1_000 + number));
    for (const number of numbers) await sender.request(worker.kind, number);
    const received: string[] = [];
    const listening = (async () => {
      for (const _number of numbers) received.push((await sender.receive()).body[0] ?? "");
    })();
    for (const _number of numbers) {
      const job = await receiver.next();
      await job.reply("final", ...job.body);
    }
    await listening;
    expect(received.sort()).toEqual(numbers);
  });

  test("D-MDP-10: dies with a request: another worker gets it, or the client is notified if it has no retry", async () => {
    const { sender } = pair(client, worker);
    const service = `death of ${worker.kind} for ${client.kind}`;
    const first = await worker.receiver(service);
    await joined(service, 1);
    await sender.request(service, "1");
    await first.next();
    first.close();
    await joined(service, 0);
    const second = newWorker(worker.dialect, addressFor(worker.dialect), service);
    if (client.dialect === "butler") {
      expect((await sender.receive()).body[0]).toContain("WORKER_LOST");
    } else {
      await (await second.next()).reply("final", "2");
      expect(await sender.receive()).toEqual({ kind: "final", body: ["2"] });
    }
    second.close();
  });
});

describe.each(PAIRS.filter(({ client }) => !CLIENTS_WITHOUT_ERRORS.has(client.dialect)))(
  "$client.kind with $worker.kind",
  ({ client, worker }) => {
    test("D-MAP-5, D-PEER-7: gets the error of the handler, if both dialects have errors", async () => {
      const { sender, receiver } = pair(client, worker);
      await sender.request(worker.kind, "0");
      const job = await receiver.next();
      if (!(await job.reply("error", '"no such size"'))) {
        await job.reply("final", "0");
        expect((await sender.receive()).kind).toBe("final");
        return;
      }
      const { kind, body } = await sender.receive();
      // Our worker sends the error as data, because its dialect has no errors.
      expect(kind).toBe(worker.isOwn && HAS_FRAMES.has(worker.dialect) ? "final" : "error");
      expect(body[0]).toContain("no such size");
    });
  },
);

const REJECTERS = PEERS.filter(({ dialect }) => dialect === "pigato");

describe.each(PEERS.flatMap((worker) => REJECTERS.map((rejecter) => ({ worker, rejecter }))))(
  "a request that $rejecter.kind rejects goes to $worker.kind",
  ({ worker, rejecter }) => {
    let rejecting: DialectWorker;

    beforeAll(async () => {
      rejecting = await rejecter.receiver(worker.kind);
      await joined(worker.kind, 2);
    });

    afterAll(async () => {
      rejecting.close();
      await joined(worker.kind, 1);
    });

    test.each(PEERS)("D-MAP-8: a request of $kind", async (client) => {
      const { sender, receiver } = pair(client, worker);
      const rejected = rejecting.next();
      let taken = receiver.next();
      // Either worker may get the first request; the other one gets the next.
      const isRejected = async () => {
        await sender.request(worker.kind, "1");
        return Promise.race([rejected.then(() => true), taken.then(() => false)]);
      };
      while (!(await isRejected())) {
        await (await taken).reply("final", "0");
        await sender.receive();
        taken = receiver.next();
      }
      expect(await (await rejected).reply("reject", "null")).toBe(true);
      await (await taken).reply("final", "2");
      expect(await sender.receive()).toEqual({ kind: "final", body: ["2"] });
    });
  },
);

function peerOf<Dialect extends DialectName>(
  dialect: Dialect,
  stack: Stack,
  sender: (dialect: Dialect, address: string) => DialectClient | Promise<DialectClient>,
  receiver: (dialect: Dialect, address: string, service: string) => DialectWorker | Promise<DialectWorker>,
): Peer {
  return {
    kind: `${dialect} in ${stack}`,
    dialect,
    isOwn: stack === "own",
    isPython: stack === "python",
    sender: () => sender(dialect, addressFor(dialect)),
    receiver: (service) => receiver(dialect, addressFor(dialect), service),
  };
}

function addressFor(dialect: DialectName): string {
  const { addresses } = broker;
  return addresses[dialect === "omdp" ? 1 : dialect === "butler" ? 2 : 0] ?? "";
}

/** P-DSP-3: our own worker negotiates frames. */
function areFramed(client: Peer, worker: Peer): boolean {
  return HAS_FRAMES.has(client.dialect) && worker.isOwn && worker.dialect === "pigato";
}

/** A body of zmq-omdp is any bytes, but our own peers send values there. */
function sendsJson({ dialect, isOwn }: Peer): boolean {
  return dialect === "pigato" || (isOwn && sendsValues(dialect));
}

/** What a peer shows of bytes that reach it as they are: our own read text as a string. */
function shownBy({ isOwn }: Peer, sent: string): string {
  return isOwn && sent === "plain text" ? JSON.stringify(sent) : sent;
}

/** The JSON as it arrives: our peers write and read values, except bytes, which they write unchanged. */
function asRead(json: string, from: Peer, to: Peer): string {
  if (!to.isOwn && !(from.isOwn && sendsValues(from.dialect))) return json;
  const value: unknown = JSON.parse(Buffer.from(json, "latin1").toString());
  return Buffer.from(JSON.stringify(value)).toString("latin1");
}

function pair(client: Peer, worker: Peer): { sender: DialectClient; receiver: DialectWorker } {
  const [sender, receiver] = [senders.get(client.kind), receivers.get(worker.kind)];
  if (sender === undefined || receiver === undefined) throw new Error("no such peer");
  return { sender, receiver };
}

/** Resolves when a service has so many workers. */
async function joined(service: string, count: number): Promise<void> {
  while (membersOf(service).size !== count) {
    await Promise.race(
      (["worker:join", "worker:leave"] as const).map((event) => new Promise((resolve) => broker.once(event, resolve))),
    );
  }
}

function membersOf(service: string): Set<string> {
  const known = members.get(service) ?? new Set();
  members.set(service, known);
  return known;
}
