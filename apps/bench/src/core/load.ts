// One case of `pnpm bench core`, in its own process: builds a core with a number of workers, services and queued requests. Each
// round runs request, dispatch and final reply 100,000 times and reports the nanoseconds of CPU per request. The name of the
// case: `mode workers services queued clients`.

import {
  DEFAULT_REQUEST_OPTIONS,
  NO_CAPABILITIES,
  type PeerId,
  peerId,
  pigato,
  type RequestId,
  requestId,
  serviceName,
} from "@pigato/protocol";
import { serveRounds } from "../rounds.ts";
import { sizeNamed } from "../sizes.ts";
import type { DispatchMode, Effect } from "./measured-core.ts";
import { measuredCore } from "./measured-core.ts";
import { BODY, cpuPerRequest, NO_FRAMES, pick, STEP_MS } from "./traffic.ts";

/** Requests in flight at any time. */
const IN_FLIGHT = 100;

const [mode = "load", ...size] = (process.argv[2] ?? "").split(" ");
const { workers, services, queued, clients: clientCount } = sizeNamed(size.join(" "));

const OPTIONS = { ...DEFAULT_REQUEST_OPTIONS };

interface InFlight {
  readonly worker: PeerId;
  readonly address: string;
  readonly requestId: RequestId;
}

const core = measuredCore({ dispatchMode: asMode(mode) });
const clients = Array.from({ length: clientCount }, (_, index) => peerId(`client-${index}`));
const names = Array.from({ length: services }, (_, index) => serviceName(`service-${index}`));
const ids = Array.from({ length: 1 << 18 }, (_, index) => requestId(`7f9c24e8-3b1a-4c5d-9e6f-${index}`));
// Requests in flight, oldest first: a ring buffer, because shifting an array would cost time that counts.
const ring: (InFlight | undefined)[] = new Array(1 << 17).fill(undefined);
let first = 0;
let last = 0;
let sent = 0;
let now = 1_000;

// To keep a queue, the workers must be full; otherwise they have no limit.
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

serveRounds(() =>
  cpuPerRequest(() => {
    finish();
    request();
  }),
);

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
  const request = ring[first];
  if (request === undefined) throw new Error("no request is in flight");
  ring[first] = undefined;
  first = (first + 1) % ring.length;
  const { worker: from, address, requestId: id } = request;
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

/** Advances the clock. The shell, too, reads the next deadline after every input. */
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

function asMode(text: string): DispatchMode {
  if (text === "load" || text === "lru" || text === "rand") return text;
  throw new Error(`unknown dispatch mode "${text}"`);
}
