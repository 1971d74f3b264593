// One case of `pnpm bench broker`: a broker in its own process, and in this one all its peers, sockets that send and answer
// prepared frames. It reports the nanoseconds of CPU that the broker spends per request. The name of the case: `workers services
// queued clients`, that is workers per service, services, requests that wait throughout, clients.

import { type DealerLink, type Frames, zmtp } from "@pigato/transport";
import { ask, programBeside, startChild } from "../children.ts";
import { serveRounds } from "../rounds.ts";
import { sizeNamed } from "../sizes.ts";

const REQUESTS_PER_ROUND = 20_000;
/** Requests that the workers hold at any time. */
const IN_FLIGHT = 100;
/** Connections to open at a time. */
const CONNECTING = 200;
const LIMIT_MS = 60_000;
const { workers, services, queued, clients: clientCount } = sizeNamed(process.argv[2] ?? "");

const broker = startChild(programBeside(import.meta.filename, "./process"));
const address = await ask<string>(broker, undefined, LIMIT_MS);

const frame = (text: string): Buffer => Buffer.from(text);
const [CLIENT, WORKER, EMPTY] = [frame("C"), frame("W"), frame("")];
const [READY, REQUEST, REPLY, HEARTBEAT, OK] = [frame("1"), frame("2"), frame("3"), frame("4"), frame("0")];
const BODY = frame('{"hello":"12345678"}');
// Longer than any run: requests must not expire between two rounds.
const OPTIONS = frame('{"timeout":3600000,"retry":0}');
const NO_OPTIONS = frame("{}");

let sent = 0;
let done = 0;
let target = 0;
let onTarget = (): void => {};
// Between bursts the workers answer nothing: the broker is idle while other cases run, and keeps its queue.
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
// The broker disconnects workers that are silent.
setInterval(() => {
  for (const link of links) link.send([WORKER, HEARTBEAT, EMPTY, beat]);
}, 30_000).unref();
for (let index = 0; index < IN_FLIGHT + queued; index++) request();

serveRounds(async () => {
  await burst(1_000);
  const before = await brokerMicros();
  const count = await burst(REQUESTS_PER_ROUND);
  return ((await brokerMicros()) - before) * (1_000 / count);
});

/** Lets the workers answer until this many requests are done. @returns the number of requests done, which may be a few more */
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
  return ask<number>(broker, "cpu", LIMIT_MS);
}

/** Opens many connections at a time to be fast, but not all at once, because the last ones would time out. */
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
          throw new Error(`${routingId} lost its connection`);
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
