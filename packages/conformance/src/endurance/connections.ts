// Thousands of clients and workers at one broker: all are connected, each client gets a reply from a worker of the requested
// service, and directories list the workers, first all of them, then after half have left.

import { Client } from "@pigato/client";
import { Directory } from "@pigato/directory";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import type { Memory } from "@pigato/testkit/serve";
import { spawnBrokerMember, spawnMember } from "./endurance.ts";

/** Dealers of one process: few enough that each completes its handshake in time. */
const PER_PROCESS = 2_500;
const PER_SERVICE = 10;

export interface Connected {
  /** Clients that got a reply. */
  readonly answered: number;
  /** Replies of the wrong worker. */
  readonly wrong: number;
  /** The sizes of the broker's tables when all peers are connected, by name. */
  readonly tables: Readonly<Record<string, number>>;
  /** Whether the directory's reply was correct, for each request to it. */
  readonly directories: readonly boolean[];
  /** From the first connection to the last reply. */
  readonly seconds: number;
  /** Memory of the broker for each connection. */
  readonly perConnection: Memory;
}

export async function connectMany(wanted: { readonly clients: number; readonly workers: number }): Promise<Connected> {
  const services = Math.max(1, Math.floor(wanted.workers / PER_SERVICE));
  const members: PeerProcess[] = [];
  const start = async (spawning: Promise<PeerProcess>): Promise<PeerProcess> => {
    const member = await spawning;
    members.push(member);
    return member;
  };
  const startDealers = (settings: object) => start(spawnMember("dealers", settings));
  const broker = await start(spawnBrokerMember());
  const { address, channel } = await broker.request<{ readonly address: string; readonly channel: string }>("address");
  const directories = [new Directory(address, { intch: channel }), new Directory(address, { intch: channel })];
  const client = new Client(address);
  try {
    await Promise.all([...directories.map((directory) => directory.start()), client.start()]);
    const half = Math.ceil(wanted.workers / 2);
    const staying = await startDealers({ address, prefix: "staying-" });
    const going = await startDealers({ address, prefix: "going-" });
    const groups = await Promise.all(
      split(wanted.clients).map((_, index) => startDealers({ address, prefix: `c${index}-` })),
    );
    const before = await broker.request<Memory>("memory");
    const startAt = performance.now();
    await Promise.all([
      staying.request("workers", JSON.stringify({ count: half, services })),
      going.request("workers", JSON.stringify({ count: wanted.workers - half, services })),
    ]);
    const answers = await Promise.all(
      split(wanted.clients).map(async (count, index) => {
        const task = groups[index]?.request<[string, string][]>("clients", JSON.stringify({ count, services }));
        return (await task) ?? [];
      }),
    );
    const seconds = (performance.now() - startAt) / 1_000;
    const after = await broker.request<Memory>("memory");
    const tables = await broker.request<Record<string, number>>("stats");
    const all = { staying: half, going: wanted.workers - half };
    const isRight = [await isDirectoryRight(client, services, all)];
    await going.kill();
    isRight.push(await isDirectoryRight(client, services, { ...all, going: 0 }));
    const connections = wanted.clients + wanted.workers;
    return {
      answered: answers.flat().length,
      wrong: answers.flatMap((got) => got.filter(([asked, answer]) => !isAnswer(asked, answer, services))).length,
      tables,
      directories: isRight,
      seconds,
      perConnection: {
        rss: (after.rss - before.rss) / connections,
        live: (after.live - before.live) / connections,
      },
    };
  } finally {
    await client.stop();
    await Promise.all(directories.map((directory) => directory.stop()));
    await Promise.all(members.map((member) => member.kill()));
  }
}

/** A reply contains the data of the request and the name of the worker, whose number must match the service. */
function isAnswer(asked: string, answer: string, services: number): boolean {
  const [question, worker = ""]: string[] = JSON.parse(answer);
  return question === asked && numberIn(worker) % services === numberIn(asked) % services;
}

function numberIn(name: string): number {
  return Number(/-(\d+)"?$/.exec(name)?.[1]);
}

/** Repeats the request until both directories list exactly these workers, or the caller times out. */
async function isDirectoryRight(
  client: Client,
  services: number,
  workers: Readonly<Record<string, number>>,
): Promise<boolean> {
  const expected = new Map<string, string[]>();
  for (const [prefix, count] of Object.entries(workers)) {
    for (let index = 0; index < count; index++) {
      const service = `service-${index % services}`;
      expected.set(service, [...(expected.get(service) ?? []), `${prefix}-${index}`]);
    }
  }
  const wanted = JSON.stringify([...expected].map(([name, ids]) => [name, ids.sort()]).sort());
  const late = AbortSignal.timeout(20_000);
  const known: string[] = JSON.parse(JSON.stringify(await client.call("$dir", "$dir")));
  while (!late.aborted) {
    const maps = await Promise.all(known.map((workerId) => client.call("$dir", null, { workerId })));
    if (maps.every((map) => shown(map) === wanted)) return true;
  }
  return false;
}

/** The directory's whole map, sorted and without core services. */
function shown(map: unknown): string {
  const read: Record<string, string[]> = JSON.parse(JSON.stringify(map));
  const rows = Object.entries(read).filter(([name]) => !name.startsWith("$"));
  return JSON.stringify(rows.map(([name, ids]) => [name, ids.sort()]).sort());
}

function split(count: number): number[] {
  const groups = Math.ceil(count / PER_PROCESS);
  return Array.from({ length: groups }, (_, index) => Math.min(PER_PROCESS, count - index * PER_PROCESS));
}
