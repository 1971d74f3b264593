// One case of the core's cost, in a process of its own: builds a broker's core with so many workers, services and queued
// requests, then runs rounds of request → dispatch → final reply against it and answers with nanoseconds per request.
// Named `mode workers services queued clients`.

import {
  DEFAULT_REQUEST_OPTIONS,
  type Frame,
  NO_CAPABILITIES,
  type PeerId,
  peerId,
  pigato,
  type RequestId,
  requestId,
  type ServiceName,
  serviceName,
} from "@pigato/protocol";
import type { DispatchMode, Effect } from "./broker-core.ts";
import { measuredCore } from "./measured-core.ts";
import { answer } from "./rounds.ts";
import { sizeNamed } from "./sizes.ts";

const REQUESTS_PER_ROUND = 100_000;
/** Requests in flight at any time. */
const IN_FLIGHT = 100;

const [mode = "load", ...size] = (process.argv[2] ?? "").split(" ");
const { workers, services, queued, clients: clientCount } = sizeNamed(size.join(" "));

// One body for all. An array made for each request would be the measurement's own burden: whether V8 makes it in old
// space, after a start in which all of them lived on, decides about twice the time of a round.
const BODY: readonly Frame[] = [Buffer.from('{"hello":"12345678"}')];
const NO_FRAMES: readonly Frame[] = [];
const OPTIONS = { ...DEFAULT_REQUEST_OPTIONS };
/** Milliseconds of the core's clock between two inputs: about 100,000 requests a second. */
const STEP_MS = 0.005;

interface Running {
  readonly worker: PeerId;
  readonly address: string;
  readonly requestId: RequestId;
}

const core = measuredCore({ dispatchMode: asMode(mode) });
const clients = Array.from({ length: clientCount }, (_, index) => peerId(`client-${index}`));
const names = Array.from({ length: services }, (_, index) => serviceName(`service-${index}`));
const ids = Array.from({ length: 1 << 18 }, (_, index) => requestId(`7f9c24e8-3b1a-4c5d-9e6f-${index}`));
// In flight, oldest first. A ring rather than an array that shifts: that would be measured, too.
const ring: (Running | undefined)[] = new Array(1 << 17).fill(undefined);
let first = 0;
let last = 0;
let sent = 0;
let now = 1_000;

// With a queue to keep, the workers are full; otherwise they take whatever comes.
const concurrency = queued > 0 ? Math.max(1, Math.floor(IN_FLIGHT / workers)) : Number.POSITIVE_INFINITY;
for (const service of names) {
  for (let index = 0; index < workers; index++) {
    const offer = { ...NO_CAPABILITIES, cancel: true, concurrency };
    const from = peerId(`worker-${service}-${index}`);
    take(
      core.handle({ type: "from-worker", from, message: { type: "ready", service, offer }, dialect: pigato.id }, now),
    );
  }
}
for (let index = 0; index < IN_FLIGHT + queued; index++) request();

answer(() => {
  // The processor's time rather than the wall's: others may want the machine, too. Collecting garbage counts.
  const start = process.cpuUsage();
  for (let index = 0; index < REQUESTS_PER_ROUND; index++) {
    finish();
    request();
  }
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1_000) / REQUESTS_PER_ROUND;
});

function request(): void {
  const service = pick(names, Math.imul(sent, 7_919));
  const from = pick(clients, sent);
  const message = {
    type: "request",
    service,
    requestId: pick(ids, sent),
    body: BODY,
    trailer: NO_FRAMES,
    options: OPTIONS,
  } as const;
  sent += 1;
  step();
  take(core.handle({ type: "from-client", from, message, dialect: pigato.id }, now));
}

function finish(): void {
  const running = ring[first];
  if (running === undefined) throw new Error("nothing is in flight");
  ring[first] = undefined;
  first = (first + 1) % ring.length;
  const { worker: from, address, requestId: id } = running;
  step();
  take(
    core.handle(
      {
        type: "from-worker",
        from,
        message: { type: "final", address, requestId: id, status: 0, body: BODY, trailer: NO_FRAMES },
        dialect: pigato.id,
      },
      now,
    ),
  );
}

/** The clock moves on; the shell asks for the next deadline after every input. */
function step(): void {
  now += STEP_MS;
  const next = core.nextDeadline();
  if (next !== undefined && next <= now) take(core.handle({ type: "tick" }, now));
}

function take(effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.type !== "to-worker" || effect.message.type !== "request") continue;
    const { address, requestId: id } = effect.message;
    ring[last] = { worker: effect.to, address, requestId: id };
    last = (last + 1) % ring.length;
  }
}

function pick<Item extends PeerId | RequestId | ServiceName>(items: readonly Item[], index: number): Item {
  const item = items[(index >>> 0) % items.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function asMode(text: string): DispatchMode {
  if (text === "load" || text === "lru" || text === "rand") return text;
  throw new Error(`no dispatch mode: ${text}`);
}
