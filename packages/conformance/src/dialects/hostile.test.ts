// What anybody can send in any dialect: every message in every state, cut, padded and bent, and messages of other dialects
// in between. Whatever it is, the broker stays up, and a client and a worker of each dialect are served throughout.

import { Broker } from "@pigato/broker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FORMS } from "./forms.ts";
import { type Asker, DIALECTS, type DialectName, newAsker, newServer, type Server } from "./peers.ts";
import { Socket } from "./socket.ts";

/** Everything that a peer of a dialect has a message for, whatever its role. */
const MESSAGES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  pigato: [
    ["C", "2", "echo", "r1", "1", "{}"],
    ["C", "4"],
    ["C", "4", "pigato/1 cancel error"],
    ["C", "4", "request", "r1"],
    ["C", "8", "r1"],
    ["W", "1", "echo"],
    ["W", "4", "", '{"concurrency":2}'],
    ["W", "3", "~0.1", "", "r1", "0", "1", "{}"],
    ["W", "6", "~0.1", "", "r1", "0", "1", "{}"],
    ["W", "7", "~0.1", "", "r1", "0", "null"],
    ["W", "5"],
    ["C", "5"],
  ],
  omdp: [
    ["C", "2", "echo", "r1", "1", "{}"],
    ["C", "4", "r1"],
    ["W", "1", "echo"],
    ["W", "4"],
    ["W", "4", "~0.1", "r1"],
    ["W", "3", "~0.1", "r1", "0", "1"],
    ["W", "3", "~0.1", "r1", "1"],
    ["W", "6", "~0.1", "r1", "0", "1"],
    ["W", "5"],
  ],
  butler: [
    ["", "0.3.0:1", "echo", "99999999999999", "{}"],
    ["", "0.3.0:1", "mmi.echo", "99999999999999", "{}"],
    ["\x01", "echo"],
    ["\x02"],
    ["\x03"],
    ["\x04", "~0.1", "", "0.3.0:1", "1"],
    ["\x04", "~0.1", "", "0.3.0:1", "404"],
    ["\x04", "~0.1", "", "0.3.0:1", "500:exception:{"],
  ],
  ...Object.fromEntries(
    FORMS.map(({ name, request, worker }) => [
      name,
      [
        [...request, "echo", "1"],
        [...request, "mmi.service", "echo"],
        [...worker.ready, "echo"],
        [...worker.ready, "mmi.x"],
        [...worker.ready, "$dir"],
        [...worker.request, "~0.1", "", "1"],
        [...(worker.partial ?? worker.final), "~0.1", "", "1"],
        [...worker.final, "~0.1", "", "1"],
        [...worker.heartbeat],
        [...worker.disconnect],
      ],
    ]),
  ),
};

const NAMES = Object.keys(MESSAGES);
const LONG = "x".repeat(70_000);

let broker: Broker;
const witnesses = new Map<DialectName, { readonly asker: Asker; readonly server: Server; readonly service: string }>();
let asked = 0;

beforeAll(async () => {
  const address = "tcp://127.0.0.1:*";
  const binds = [address, { address, dialect: "omdp" }, { address, dialect: "butler", answersErrors: true }] as const;
  broker = new Broker(binds, { heartbeat: 60_000, intch: false, stopTimeoutMs: 0, maxQueuedPerService: 1_000 });
  await broker.start();
  for (const dialect of DIALECTS) {
    const service = `witness of ${dialect}`;
    const address = broker.addresses[dialect === "omdp" ? 1 : dialect === "butler" ? 2 : 0] ?? "";
    const joined = new Promise((resolve) => broker.once("worker:join", resolve));
    const server = newServer(dialect, address, service);
    await joined;
    witnesses.set(dialect, { asker: newAsker(dialect, address), server, service });
  }
});

afterAll(async () => {
  for (const { asker, server } of witnesses.values()) {
    asker.close();
    server.close();
  }
  await broker.stop();
});

describe.each([0, 1, 2])("by bind %i", (door) => {
  test.each(NAMES)("every message of %s, in every state, whole, cut, padded and bent", async (name) => {
    const messages = MESSAGES[name] ?? [];
    // A state is what was said before: nothing, or any other message of the dialect.
    for (const before of [undefined, ...messages]) {
      const socket = new Socket(broker.addresses[door] ?? "");
      for (const message of messages) {
        for (const bent of bendings(message)) {
          if (before !== undefined) await socket.send(...before);
          await socket.send(...bent);
        }
      }
      await settle(socket);
    }
    await expectOthersServed();
  });

  test("a peer that speaks every dialect in turn", async () => {
    for (let first = 0; first < NAMES.length; first++) {
      const socket = new Socket(broker.addresses[door] ?? "");
      for (let turn = 0; turn < NAMES.length; turn++) {
        for (const message of MESSAGES[NAMES[(first + turn) % NAMES.length] ?? ""] ?? []) await socket.send(...message);
      }
      await settle(socket);
    }
    await expectOthersServed();
  });

  test.each(FORMS)("requests for 10,000 services, from a client of $name", async ({ request }) => {
    const socket = new Socket(broker.addresses[door] ?? "");
    for (let service = 0; service < 10_000; service++) await socket.send(...request, `service ${service}`, "x");
    const gone = new Promise<void>((resolve) => {
      broker.on("client:leave", ({ client }) => {
        if (client === socket.id) resolve();
      });
    });
    await settle(socket);
    await gone;
    await expectOthersServed();
    expect(broker.stats()?.open).toBeLessThan(100);
  });
});

test("a busy worker's requests go through all that as well", async () => {
  const address = broker.addresses[0] ?? "";
  for (const { worker, request } of FORMS.slice(0, 4)) {
    const [holder, client] = [new Socket(address), new Socket(address)];
    await holder.send(...worker.ready, "held");
    await client.send(...request, "held", "x");
    const work = await holder.next();
    const token = work[worker.request.length] ?? "";
    for (const bent of bendings([...worker.final, token, "", "y"])) await holder.send(...bent);
    await settle(holder);
    await settle(client);
  }
  await expectOthersServed();
});

/** A message as it is, without its last frames, with more, and with each frame emptied, lengthened or of other bytes. */
function* bendings(message: readonly string[]): Generator<readonly string[]> {
  yield message;
  for (let length = 1; length < message.length; length++) yield message.slice(0, length);
  yield [...message, "more"];
  yield [...message, ...new Array<string>(70).fill("")];
  for (const index of message.keys()) {
    for (const other of ["", "\xff\x00", LONG, "__proto__"])
      yield message.map((frame, at) => (at === index ? other : frame));
  }
}

/** Closes a socket once the broker has dealt with all that it sent: it is told that the peer has gone. */
async function settle(socket: Socket): Promise<void> {
  // Whatever its dialect, something that is none of any is reported, after all that came before it.
  const mark = `mark ${++asked}`;
  await new Promise<void>((resolve) => {
    const onViolation = ({ detail, peer }: { readonly detail: string; readonly peer: string }) => {
      if (peer !== socket.id || !detail.startsWith("a message of 7 frames")) return;
      broker.off("violation", onViolation);
      resolve();
    };
    broker.on("violation", onViolation);
    void socket.send(mark, "", "", "", "", "", "");
  });
  socket.close();
}

async function expectOthersServed(): Promise<void> {
  for (const { asker, server, service } of witnesses.values()) {
    const question = String(1_000 + ++asked);
    await asker.ask(service, question);
    const job = await server.next();
    expect(job.body).toEqual([question]);
    await job.answer("final", question);
    expect(await asker.hear()).toEqual({ kind: "final", body: [question] });
  }
}
