// One case of `pnpm bench dialects`: a broker in its own process, and in this one clients of one dialect and workers of another,
// sockets that send and answer prepared frames. It reports the nanoseconds of CPU that the broker spends per request. The name
// of the case: `client worker`. Every worker takes one request at a time, because most dialects allow no more.

import { type DealerLink, type Frames, zmtp } from "@pigato/transport";
import { ask, programBeside, startChild } from "../children.ts";
import { serveRounds } from "../rounds.ts";

const REQUESTS_PER_ROUND = 20_000;
/** Workers, and requests that they hold at any time. */
const IN_FLIGHT = 100;
const CLIENTS = 50;
const LIMIT_MS = 60_000;

interface Wire {
  /** Index of the broker's address that accepts it. */
  readonly bind: number;
  readonly greeting: readonly Frames[];
  request(id: string): Frames;
  /** `undefined` if the frames are not a request. */
  reply(frames: Frames): Frames | undefined;
  isFinal(frames: Frames): boolean;
}

const frame = (text: string): Buffer => Buffer.from(text, "latin1");
const [CLIENT, WORKER, EMPTY, OK] = [frame("C"), frame("W"), frame(""), frame("0")];
const [SERVICE, BODY, OPTIONS] = [frame("echo"), frame('{"hello":"12345678"}'), frame('{"timeout":60000,"retry":0}')];
const [EXPIRY, BUTLER_REPLY] = [frame(String(Date.now() + 3_600_000)), frame("\x04")];
const [REQUEST, REPLY] = [frame("2"), frame("3")];

const WIRES: Readonly<Record<string, Wire>> = {
  pigato: {
    bind: 0,
    greeting: [
      [WORKER, frame("1"), SERVICE],
      [WORKER, frame("4"), EMPTY, frame('{"concurrency":1}')],
    ],
    request: (id) => [CLIENT, REQUEST, SERVICE, frame(id), BODY, OPTIONS],
    reply: ([, type, address = EMPTY, , , id = EMPTY]) =>
      type?.[0] === 0x32 ? [WORKER, REPLY, address, EMPTY, id, OK, BODY, frame("{}")] : undefined,
    isFinal: ([, type]) => type?.[0] === 0x33,
  },
  mdp01: majordomo([EMPTY, frame("MDPC01")], [EMPTY, frame("MDPW01")], frame("\x03"), 2),
  mdp02: majordomo([frame("MDPC02"), frame("\x01")], [frame("MDPW02")], frame("\x04"), 1),
  omdp: {
    bind: 1,
    greeting: [[WORKER, frame("1"), SERVICE]],
    request: (id) => [CLIENT, REQUEST, SERVICE, frame(id), BODY, OPTIONS],
    reply: ([, type, address = EMPTY, id = EMPTY]) =>
      type?.[0] === 0x32 ? [WORKER, REPLY, address, id, OK, BODY] : undefined,
    isFinal: ([, type]) => type?.[0] === 0x33,
  },
  butler: {
    bind: 2,
    greeting: [[frame("\x01"), SERVICE]],
    request: (id) => [EMPTY, frame(`0.3.0:${id}`), SERVICE, EXPIRY, BODY],
    reply: ({ length, 0: address = EMPTY, 2: id = EMPTY }) =>
      length === 6 ? [BUTLER_REPLY, address, EMPTY, id, BODY] : undefined,
    isFinal: ({ length }) => length === 3,
  },
};

const [clientWire, workerWire] = (process.argv[2] ?? "").split(" ").map((name) => WIRES[name]);
if (clientWire === undefined || workerWire === undefined) throw new Error(`unknown dialects "${process.argv[2]}"`);

const broker = startChild(programBeside(import.meta.filename, "./process"), { args: ["dialects"] });
const addresses = await ask<readonly string[]>(broker, undefined, LIMIT_MS);

let made = 0;
let sent = 0;
let done = 0;
let target = 0;
let onTarget = (): void => {};
const workers = await Promise.all(Array.from({ length: IN_FLIGHT }, () => dealer(workerWire, onWorkerMessage)));
for (const link of workers) for (const frames of workerWire.greeting) link.send(frames);
const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dealer(clientWire, onClientMessage)));
// No heartbeats: the broker disconnects workers only after a minute of silence, and replies count as signs of life.

serveRounds(async () => {
  await burst(2_000);
  const before = await brokerMicros();
  await burst(REQUESTS_PER_ROUND);
  return ((await brokerMicros()) - before) * (1_000 / REQUESTS_PER_ROUND);
});

async function burst(requests: number): Promise<void> {
  target = done + requests;
  const reached = new Promise<void>((resolve) => {
    onTarget = resolve;
  });
  for (let index = 0; index < IN_FLIGHT; index++) request();
  await reached;
}

async function brokerMicros(): Promise<number> {
  return ask<number>(broker, "cpu", LIMIT_MS);
}

async function dealer(wire: Wire, onMessage: (link: DealerLink, frames: Frames) => void): Promise<DealerLink> {
  const address = addresses[wire.bind] ?? "";
  return new Promise((resolve) => {
    const link: DealerLink = zmtp.dealer(
      {
        onMessage: (frames) => onMessage(link, frames),
        onUp: () => resolve(link),
        onDown: () => {
          throw new Error("a peer lost its connection");
        },
      },
      { routingId: `peer-${++made}` },
    );
    link.connect(address);
  });
}

function onWorkerMessage(link: DealerLink, frames: Frames): void {
  const reply = workerWire?.reply(frames);
  if (reply !== undefined) link.send(reply);
}

function onClientMessage(_link: DealerLink, frames: Frames): void {
  if (clientWire?.isFinal(frames) !== true) return;
  done += 1;
  if (done === target) onTarget();
  else if (sent < target) request();
}

function request(): void {
  clients[sent % CLIENTS]?.send(clientWire?.request(`7f9c24e8-3b1a-4c5d-9e6f-${sent}`) ?? []);
  sent += 1;
}

/** @param at index of the command frame in a message to a worker */
function majordomo(client: Frames, worker: Frames, final: Buffer, at: number): Wire {
  return {
    bind: 0,
    greeting: [[...worker, frame("\x01"), SERVICE]],
    request: () => [...client, SERVICE, BODY],
    reply: (frames) => (frames[at]?.[0] === 2 ? [...worker, final, frames[at + 1] ?? EMPTY, EMPTY, BODY] : undefined),
    isFinal: () => true,
  };
}
