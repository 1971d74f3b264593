// D-DET-1 over tcp, for every pair of dialects: the broker ignores messages of a peer in a second dialect, and continues to
// serve it in its first.

import type { RawPeer } from "@pigato/testkit/raw-peer";
import { describe, expect, test } from "vitest";
import { LOOPBACK } from "../support/start.ts";
import { ROLES } from "./hostile-messages.ts";
import { CLIENT_WIRES, DIALECTS, type DialectName, WORKER_WIRES } from "./peers.ts";
import { type DialectBroker, startDialectBroker } from "./start.ts";

const BINDS = [LOOPBACK, { address: LOOPBACK, dialect: "omdp" }, { address: LOOPBACK, dialect: "butler" }] as const;

/** Every pair except PIGATO and omdp, whose first frames are equal: no bind reads both (D-DET-5). */
const PAIRS = DIALECTS.flatMap((first) => DIALECTS.map((other) => ({ first, other }))).filter(
  ({ first, other }) => first !== other && !(isOne(first, other, "pigato") && isOne(first, other, "omdp")),
);
/** Workers of butler, and all peers of omdp, need a bind of their own. */
const WORKER_PAIRS = PAIRS.filter(
  ({ first, other }) => !(isOne(first, other, "omdp") && isOne(first, other, "butler")),
);

describe.each(PAIRS)("D-DET-1: a $first client", ({ first, other }) => {
  test(`is ignored in ${other}, and served in its own dialect`, async () => {
    const { running, client, server } = await clientAndServer(first, other);
    await client.send(...CLIENT_WIRES[first].request("echo", "r1", ["1"]));
    await client.send(...CLIENT_WIRES[other].request("echo", "r2", ["2"]));
    await client.send(...CLIENT_WIRES[first].request("echo", "r3", ["3"]));
    for (const asked of ["1", "3"]) {
      const request = WORKER_WIRES.pigato.read(await server.nextThat(([, type]) => type === "2"));
      expect(request?.body).toEqual([asked]);
      if (request !== undefined) await server.send(...(WORKER_WIRES.pigato.reply("final", request, [asked]) ?? []));
      expect(CLIENT_WIRES[first].read(await client.next())).toEqual({ kind: "final", body: [asked] });
    }
    expect(running.drops).toMatchObject([{ peer: client.id, reason: "other-dialect" }]);
    expect(running.broker.stats()).toMatchObject({ open: 0, clients: 1 });
  });
});

describe.each(WORKER_PAIRS)("D-DET-1: a $first client", ({ first, other }) => {
  test(`that registers as a worker of ${other} is rejected, and continues in its own dialect`, async () => {
    const { running, client, server } = await clientAndServer(first, other);
    await client.send(...CLIENT_WIRES[first].request("echo", "r1", ["1"]));
    const request = WORKER_WIRES.pigato.read(await server.nextThat(([, type]) => type === "2"));
    const [ready = []] = WORKER_WIRES[other].greet("other");
    await client.send(...ready);
    expect(await client.next()).toEqual(ROLES[other]?.disconnect);
    expect(running.drops).toMatchObject([{ peer: client.id, reason: "other-dialect" }]);
    expect(running.broker.stats()).toMatchObject({ workers: 1, open: 1 });
    if (request !== undefined) await server.send(...(WORKER_WIRES.pigato.reply("final", request, ["2"]) ?? []));
    expect(CLIENT_WIRES[first].read(await client.next())).toEqual({ kind: "final", body: ["2"] });
  });
});

describe.each(WORKER_PAIRS)("D-DET-1: a $first worker", ({ first, other }) => {
  test(`is ignored in ${other}, whether it sends READY or a request, and continues to serve`, async () => {
    const running = await startDialectBroker({}, BINDS);
    const worker = await joined(running, first, listenerFor(first, other));
    const [ready = []] = WORKER_WIRES[other].greet("other");
    await worker.send(...ready);
    await worker.send(...CLIENT_WIRES[other].request("echo", "r1", ["1"]));
    await dropped(running, 2);
    expect(running.drops).toMatchObject([
      { peer: worker.id, reason: "other-dialect" },
      { peer: worker.id, reason: "other-dialect" },
    ]);
    expect(running.broker.stats()).toMatchObject({ workers: 1, open: 0 });
    const client = running.connect();
    await client.send(...CLIENT_WIRES.pigato.request("echo", "r2", ["2"]));
    const { read, reply } = WORKER_WIRES[first];
    const request = read(await worker.nextThat((frames) => read(frames) !== undefined));
    expect(request?.body).toEqual(["2"]);
    if (request !== undefined) await worker.send(...(reply("final", request, ["3"]) ?? []));
    expect(CLIENT_WIRES.pigato.read(await client.next())).toEqual({ kind: "final", body: ["3"] });
  });
});

describe.each([
  ["pigato", "omdp", 0],
  ["omdp", "pigato", 1],
] as const)("D-DET-5: a client of %s that goes on as one of %s", (first, other, listener) => {
  test("is read in the dialect of the bind, because both dialects have the same request frames", async () => {
    const running = await startDialectBroker({}, BINDS);
    const server = await joined(running, "pigato", 0);
    const client = running.connect(undefined, listener);
    for (const dialect of [first, other]) {
      await client.send(...CLIENT_WIRES[dialect].request("echo", "r1", ["1"]));
      const request = WORKER_WIRES.pigato.read(await server.nextThat(([, type]) => type === "2"));
      if (request !== undefined) await server.send(...(WORKER_WIRES.pigato.reply("final", request, ["2"]) ?? []));
      expect(CLIENT_WIRES[first].read(await client.next())).toEqual({ kind: "final", body: ["2"] });
    }
    expect(running.drops).toEqual([]);
  });
});

async function clientAndServer(first: DialectName, other: DialectName) {
  const running = await startDialectBroker({}, BINDS);
  const server = await joined(running, "pigato", 0);
  return { running, server, client: running.connect(undefined, listenerFor(first, other)) };
}

/** A registered worker of the service "echo". */
async function joined(running: DialectBroker, dialect: DialectName, listener: number): Promise<RawPeer> {
  const join = new Promise((resolve) => running.broker.once("worker:join", resolve));
  const worker = running.connect(undefined, listener);
  for (const frames of WORKER_WIRES[dialect].greet("echo")) await worker.send(...frames);
  await join;
  return worker;
}

async function dropped({ broker, drops }: DialectBroker, count: number): Promise<void> {
  while (drops.length < count) await new Promise((resolve) => broker.once("drop", resolve));
}

/** The bind that reads both dialects. */
function listenerFor(first: DialectName, other: DialectName): number {
  return isOne(first, other, "omdp") ? 1 : isOne(first, other, "butler") ? 2 : 0;
}

function isOne(first: DialectName, other: DialectName, name: DialectName): boolean {
  return first === name || other === name;
}
