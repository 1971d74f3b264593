// One pair of dialects at a whole broker: the broker in a process of its own, in this one clients of the one dialect and
// workers of the other, as sockets that send and answer ready-made frames. Answers with the nanoseconds of CPU that the
// broker spends on a request. Named `client worker`. In every dialect a worker has one request at a time, as most can have
// no more.

import { fork } from "node:child_process";
import { once } from "node:events";
import { type DealerLink, type Frames, zmtp } from "@pigato/transport";
import { answer } from "./rounds.ts";

const REQUESTS_PER_ROUND = 20_000;
/** Workers, and requests at them at any time. */
const IN_FLIGHT = 100;
const CLIENTS = 50;

interface Wire {
  /** Which of the broker's binds reads it. */
  readonly bind: number;
  readonly greeting: readonly Frames[];
  request(id: string): Frames;
  /** `undefined` for what is no request. */
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

const [asking, serving] = (process.argv[2] ?? "").split(" ").map((name) => WIRES[name]);
if (asking === undefined || serving === undefined) throw new Error(`no dialects: ${process.argv[2]}`);

const broker = fork(new URL("broker-process.ts", import.meta.url), ["dialects"], { execArgv: process.execArgv });
const [addresses]: unknown[] = await once(broker, "message");

let made = 0;
let sent = 0;
let done = 0;
let target = 0;
let onTarget = (): void => {};
const workers = await Promise.all(Array.from({ length: IN_FLIGHT }, () => dealer(serving, onWorkerMessage)));
for (const link of workers) for (const frames of serving.greeting) link.send(frames);
const clients = await Promise.all(Array.from({ length: CLIENTS }, () => dealer(asking, onClientMessage)));
// The broker hangs up on workers that it does not hear, but not before a minute; what they answer is a word as well.

answer(async () => {
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
  broker.send("cpu");
  return Number((await once(broker, "message"))[0]);
}

async function dealer(wire: Wire, onMessage: (link: DealerLink, frames: Frames) => void): Promise<DealerLink> {
  const address = Array.isArray(addresses) ? String(addresses[wire.bind]) : "";
  return new Promise((resolve) => {
    const link: DealerLink = zmtp.dealer(
      {
        onMessage: (frames) => onMessage(link, frames),
        onUp: () => resolve(link),
        onDown: () => {
          throw new Error("cut off");
        },
      },
      { routingId: `peer-${++made}` },
    );
    link.connect(address);
  });
}

function onWorkerMessage(link: DealerLink, frames: Frames): void {
  const reply = serving?.reply(frames);
  if (reply !== undefined) link.send(reply);
}

function onClientMessage(_link: DealerLink, frames: Frames): void {
  if (asking?.isFinal(frames) !== true) return;
  done += 1;
  if (done === target) onTarget();
  else if (sent < target) request();
}

function request(): void {
  clients[sent % CLIENTS]?.send(asking?.request(`7f9c24e8-3b1a-4c5d-9e6f-${sent}`) ?? []);
  sent += 1;
}

/** @param at of the command in what a worker is sent */
function majordomo(client: Frames, worker: Frames, final: Buffer, at: number): Wire {
  return {
    bind: 0,
    greeting: [[...worker, frame("\x01"), SERVICE]],
    request: () => [...client, SERVICE, BODY],
    reply: (frames) => (frames[at]?.[0] === 2 ? [...worker, final, frames[at + 1] ?? EMPTY, EMPTY, BODY] : undefined),
    isFinal: () => true,
  };
}
