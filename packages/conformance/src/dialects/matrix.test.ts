// Every client with every worker, across the dialects, over one broker with a bind for each that needs one; peers on plain
// sockets here and peers in Python. A request is asked in one dialect, worked on in another, and answered in the first.

import { Broker } from "@pigato/broker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Asker, DIALECTS, type DialectName, newAsker, newServer, type Server } from "./peers.ts";
import { pythonAsker, pythonServer } from "./python.ts";

const STACKS = ["node", "python"] as const;
type Stack = (typeof STACKS)[number];
type Kind = `${DialectName} in ${Stack}`;

const KINDS = STACKS.flatMap((stack) =>
  DIALECTS.map((dialect) => ({ kind: `${dialect} in ${stack}` as const, stack, dialect })),
);
const PAIRS = KINDS.flatMap((client) => KINDS.map((worker) => ({ client, worker })));
const DIALECT_PAIRS = DIALECTS.flatMap((client) => DIALECTS.map((worker) => ({ client, worker })));

/** Dialects whose bodies are any frames, and those that have one. */
const HAS_FRAMES: ReadonlySet<DialectName> = new Set(["mdp01", "mdp02"]);
/** Dialects of JSON, where other bytes become a string. */
const IS_JSON: ReadonlySet<DialectName> = new Set(["pigato"]);
const CLIENTS_WITHOUT_PARTS: ReadonlySet<DialectName> = new Set(["mdp01", "butler"]);
const CLIENTS_WITHOUT_ERRORS: ReadonlySet<DialectName> = new Set(["mdp01", "mdp02"]);

let broker: Broker;
const askers = new Map<Kind, Asker>();
const servers = new Map<Kind, Server>();

beforeAll(async () => {
  const address = "tcp://127.0.0.1:*";
  const binds = [address, { address, dialect: "omdp" }, { address, dialect: "butler" }] as const;
  broker = new Broker(binds, { heartbeat: 60_000, intch: false, stopTimeoutMs: 0 });
  await broker.start();
  for (const { kind, stack, dialect } of KINDS) {
    askers.set(kind, (stack === "node" ? newAsker : pythonAsker)(dialect, addressFor(dialect)));
    servers.set(kind, (stack === "node" ? newServer : pythonServer)(dialect, addressFor(dialect), kind));
  }
});

afterAll(async () => {
  for (const peer of [...askers.values(), ...servers.values()]) peer.close();
  await broker.stop();
});

describe.each(PAIRS)("$client.kind asks $worker.kind", ({ client, worker }) => {
  test("D-MAP-1: JSON passes byte for byte, both ways", async () => {
    const { asker, server } = pair(client.kind, worker.kind);
    await asker.ask(worker.kind, '{"a": [1, null]}');
    const job = await server.next();
    expect(job.body).toEqual(['{"a": [1, null]}']);
    await job.answer("final", ' {"b" : "\xc3\xa9"} ');
    expect(await asker.hear()).toEqual({ kind: "final", body: [' {"b" : "\xc3\xa9"} '] });
  });

  test("D-MAP-2: bytes pass, or become a JSON string where only JSON is read", async () => {
    const { asker, server } = pair(client.kind, worker.kind);
    const bytes = "\xff\x00\x01";
    const shown = JSON.stringify("\u00ff\u0000\u0001").replace("\u00ff", "\xc3\xbf");
    await asker.ask(worker.kind, IS_JSON.has(client.dialect) ? shown : bytes);
    const job = await server.next();
    expect(job.body).toEqual([IS_JSON.has(client.dialect) || IS_JSON.has(worker.dialect) ? shown : bytes]);
    await job.answer("final", IS_JSON.has(worker.dialect) ? shown : bytes);
    const { body } = await asker.hear();
    expect(body).toEqual([IS_JSON.has(client.dialect) || IS_JSON.has(worker.dialect) ? shown : bytes]);
  });

  test("D-MAP-3: several frames pass, or become an array where there is room for one", async () => {
    const { asker, server } = pair(client.kind, worker.kind);
    const frames = ["one", "", "2"];
    const array = '["one","",2]';
    await asker.ask(worker.kind, ...(HAS_FRAMES.has(client.dialect) ? frames : [array]));
    const job = await server.next();
    const arePassed = HAS_FRAMES.has(client.dialect) && HAS_FRAMES.has(worker.dialect);
    expect(job.body).toEqual(arePassed ? frames : [array]);
    await job.answer("final", ...(HAS_FRAMES.has(worker.dialect) ? frames : [array]));
    expect(await asker.hear()).toEqual({ kind: "final", body: arePassed ? frames : [array] });
  });

  test("D-MAP-4: parts come first, where both have them", async () => {
    const { asker, server } = pair(client.kind, worker.kind);
    await asker.ask(worker.kind, "0");
    const job = await server.next();
    const expected: unknown[] = [];
    for (const part of ["1", "2"]) {
      const isSent = await job.answer("partial", part);
      if (isSent && !CLIENTS_WITHOUT_PARTS.has(client.dialect)) expected.push({ kind: "partial", body: [part] });
    }
    await job.answer("final", "3");
    for (const part of [...expected, { kind: "final", body: ["3"] }]) expect(await asker.hear()).toEqual(part);
  });
});

describe.each(PAIRS.filter(({ client }) => !CLIENTS_WITHOUT_ERRORS.has(client.dialect)))(
  "$client.kind is told by $worker.kind",
  ({ client, worker }) => {
    test("D-MAP-5: of an error of the handler, where both have errors", async () => {
      const { asker, server } = pair(client.kind, worker.kind);
      await asker.ask(worker.kind, "0");
      const job = await server.next();
      if (!(await job.answer("error", '"no such size"'))) {
        await job.answer("final", "0");
        expect((await asker.hear()).kind).toBe("final");
        return;
      }
      const { kind, body } = await asker.hear();
      expect(kind).toBe("error");
      expect(body[0]).toContain("no such size");
    });
  },
);

describe.each(DIALECT_PAIRS)("$client asks $worker, of whom", ({ client, worker }) => {
  test("500 requests at once are all answered, once each", { timeout: 30_000 }, async () => {
    const service = `many-${client}-${worker}`;
    const asker = newAsker(client, addressFor(client));
    const server = newServer(worker, addressFor(worker), service);
    // A butler client does not wait for the first worker.
    await joined(service);
    const numbers = Array.from({ length: 500 }, (_, number) => String(1_000 + number));
    for (const number of numbers) await asker.ask(service, number);
    const heard: string[] = [];
    const listening = (async () => {
      for (const _number of numbers) heard.push((await asker.hear()).body[0] ?? "");
    })();
    for (const _number of numbers) {
      const job = await server.next();
      await job.answer("final", ...job.body);
    }
    await listening;
    expect(heard.sort()).toEqual(numbers.sort());
    for (const peer of [asker, server]) peer.close();
  });

  test("D-MDP-10: one dies at work: another takes over, or the client is told if it did not ask for that", async () => {
    const service = `death-${client}-${worker}`;
    const asker = newAsker(client, addressFor(client));
    const first = newServer(worker, addressFor(worker), service);
    await joined(service);
    await asker.ask(service, "1");
    await first.next();
    first.close();
    const second = newServer(worker, addressFor(worker), service);
    if (client === "butler") {
      expect((await asker.hear()).body[0]).toContain("WORKER_LOST");
    } else {
      await (await second.next()).answer("final", "2");
      expect(await asker.hear()).toEqual({ kind: "final", body: ["2"] });
    }
    for (const peer of [asker, second]) peer.close();
  });

  test("D-MAP-8: what a PIGATO worker declines goes to one of another dialect", async () => {
    const service = `declined-${client}-${worker}`;
    const asker = newAsker(client, addressFor(client));
    const first = newServer("pigato", addressFor("pigato"), service);
    await joined(service);
    await asker.ask(service, "1");
    const job = await first.next();
    const second = newServer(worker, addressFor(worker), service);
    await joined(service, 2);
    await job.answer("reject", "null");
    await (await second.next()).answer("final", "2");
    expect(await asker.hear()).toEqual({ kind: "final", body: ["2"] });
    for (const peer of [asker, first, second]) peer.close();
  });
});

function addressFor(dialect: DialectName): string {
  const { addresses } = broker;
  return addresses[dialect === "omdp" ? 1 : dialect === "butler" ? 2 : 0] ?? "";
}

function pair(client: Kind, worker: Kind): { asker: Asker; server: Server } {
  const [asker, server] = [askers.get(client), servers.get(worker)];
  if (asker === undefined || server === undefined) throw new Error("nobody");
  return { asker, server };
}

/** Resolves when so many workers of a service are registered. */
async function joined(service: string, count = 1): Promise<void> {
  const workers = joinedOf(service);
  while (workers.size < count) await new Promise((resolve) => broker.once("worker:join", resolve));
}

const registered = new Map<string, Set<string>>();

/** The workers of a service, kept from the first question on: it is asked before they can have come. */
function joinedOf(service: string): Set<string> {
  const known = registered.get(service);
  if (known !== undefined) return known;
  const workers = new Set<string>();
  registered.set(service, workers);
  broker.on("worker:join", (event) => {
    if (event.service === service) workers.add(event.worker);
  });
  return workers;
}
