// One case of a whole broker's cost: a broker in a process of its own, and in this one all its peers, as sockets that send
// and answer ready-made frames. Answers with the nanoseconds of CPU that the broker spends on a request. Named `workers
// services queued clients`: workers for each service, services, requests that wait all the while, clients.

import { fork } from "node:child_process";
import { once } from "node:events";
import { type DealerLink, type Frames, zmtp } from "@pigato/transport";
import { answer } from "./rounds.ts";
import { sizeNamed } from "./sizes.ts";

const REQUESTS_PER_ROUND = 20_000;
/** Requests at the workers at any time. */
const IN_FLIGHT = 100;
const CONNECTING = 200;
const { workers, services, queued, clients: clientCount } = sizeNamed(process.argv[2] ?? "");

const broker = fork(new URL("broker-process.ts", import.meta.url), { execArgv: process.execArgv });
const address = String((await once(broker, "message"))[0]);

const frame = (text: string): Buffer => Buffer.from(text);
const [CLIENT, WORKER, EMPTY] = [frame("C"), frame("W"), frame("")];
const [READY, REQUEST, REPLY, HEARTBEAT, OK] = [frame("1"), frame("2"), frame("3"), frame("4"), frame("0")];
const BODY = frame('{"hello":"12345678"}');
// Longer than any run: what is held between turns must not expire.
const OPTIONS = frame('{"timeout":3600000,"retry":0}');
const NO_OPTIONS = frame("{}");

let sent = 0;
let done = 0;
let target = 0;
let onTarget = (): void => {};
// Between bursts the workers answer nothing, so that the broker is idle while others are measured, and its queue stays.
let isPaused = true;
const held: (() => void)[] = [];

const concurrency = queued > 0 ? Math.max(1, Math.floor(IN_FLIGHT / workers)) : -1;
const offer = frame(`pigato/1 concurrency=${concurrency} heartbeat=60000`);
const beat = frame(JSON.stringify({ concurrency }));
const links: DealerLink[] = [];
await connected(services * workers, async (count) => {
  const service = count % services;
  const link = await dealer(`worker-${count}`, onWorkerMessage);
  link.send([WORKER, READY, frame(`service-${service}`), offer]);
});
const clients: DealerLink[] = [];
await connected(clientCount, async (count) => {
  clients[count] = await dealer(`client-${count}`, onClientMessage);
});
// The broker hangs up on workers that it does not hear.
setInterval(() => {
  for (const link of links) link.send([WORKER, HEARTBEAT, EMPTY, beat]);
}, 30_000).unref();
for (let index = 0; index < IN_FLIGHT + queued; index++) request();

answer(async () => {
  await burst(1_000);
  const before = await brokerMicros();
  const count = await burst(REQUESTS_PER_ROUND);
  return ((await brokerMicros()) - before) * (1_000 / count);
});

/** Lets the workers answer until so many requests are done, or a few more. @returns how many */
async function burst(requests: number): Promise<number> {
  const start = done;
  target = start + requests;
  const reached = new Promise<void>((resolve) => {
    onTarget = resolve;
  });
  isPaused = false;
  for (const reply of held.splice(0)) reply();
  await reached;
  return done - start;
}

async function brokerMicros(): Promise<number> {
  broker.send("cpu");
  return Number((await once(broker, "message"))[0]);
}

/** Many at a time, for each takes the wire's way there and back; but not all at once, which others would have to wait for. */
async function connected(count: number, connect: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += CONNECTING) {
    const some = Math.min(CONNECTING, count - first);
    await Promise.all(Array.from({ length: some }, (_, offset) => connect(first + offset)));
  }
}

async function dealer(routingId: string, onMessage: (link: DealerLink, frames: Frames) => void): Promise<DealerLink> {
  return new Promise((resolve) => {
    const link: DealerLink = zmtp.dealer(
      {
        onMessage: (frames) => onMessage(link, frames),
        onUp: () => resolve(link),
        onDown: () => {
          throw new Error(`${routingId} was cut off`);
        },
      },
      { routingId },
    );
    links.push(link);
    link.connect(address);
  });
}

function onWorkerMessage(link: DealerLink, [, type, client, , , id]: Frames): void {
  if (type === undefined || type[0] !== 0x32 || client === undefined || id === undefined) return;
  const reply = (): void => void link.send([WORKER, REPLY, client, EMPTY, id, OK, BODY, NO_OPTIONS]);
  if (isPaused) held.push(reply);
  else reply();
}

function onClientMessage(_link: DealerLink, [, type]: Frames): void {
  if (type === undefined || type[0] !== 0x33) return;
  done += 1;
  request();
  if (done < target) return;
  isPaused = true;
  onTarget();
}

function request(): void {
  const service = Math.imul(sent, 7_919) >>> 0;
  const id = frame(`7f9c24e8-3b1a-4c5d-9e6f-${sent}`);
  const name = frame(`service-${service % services}`);
  clients[sent % clients.length]?.send([CLIENT, REQUEST, name, id, BODY, OPTIONS]);
  sent += 1;
}
