// One case of `pnpm bench core`, in its own process: what it costs the core to resolve a name. It sends one request at a time,
// answers it (or gets it rejected), and reports the nanoseconds of CPU per request. The name of the case: `kind which services`.
//
// - kind: the exact `name`; a `range` of versions; a name under a `wildcard`; a name that no worker offers (`miss`); such a
//   name of the maximum length (`long-miss`);
// - which: the `same` name in every request, or `another` one each time, more of them than the core's cache holds;
// - services: 1, the matching one; 10000, with 2,000 versions and 3,000 wildcards; 10000-deep, whose wildcards have all lengths.

import { DEFAULT_REQUEST_OPTIONS, NO_CAPABILITIES, peerId, pigato, requestId, serviceName } from "@pigato/protocol";
import { serveRounds } from "../rounds.ts";
import type { Effect } from "./measured-core.ts";
import { measuredCore } from "./measured-core.ts";
import { BODY, cpuPerRequest, NO_FRAMES, pick, STEP_MS } from "./traffic.ts";

/** Number of different names: more than the core caches. */
const NAME_COUNT = 1 << 16;
const MAX_NAME_BYTES = 255;

const [kind = "name", which = "same", size = "1"] = (process.argv[2] ?? "").split(" ");

const OPTIONS = { ...DEFAULT_REQUEST_OPTIONS, failFast: true };
const CLIENT = peerId("client");

const core = measuredCore();
const requested = Array.from({ length: which === "same" ? 1 : NAME_COUNT }, (_, index) =>
  serviceName(requestedName(index)),
);
const ids = Array.from({ length: 1 << 12 }, (_, index) => requestId(`7f9c24e8-3b1a-4c5d-9e6f-${index}`));
let sent = 0;
let now = 1_000;

for (const name of offered()) {
  const offer = { ...NO_CAPABILITIES, cancel: true, concurrency: 100 };
  const from = peerId(`worker ${name}`);
  const message = { type: "ready", service: serviceName(name), offer } as const;
  core.handle({ type: "from-worker", from, message, dialect: pigato.id }, now);
}

serveRounds(() => {
  const nanoseconds = cpuPerRequest(request);
  if (core.stats().open > 0) throw new Error("some requests are still open");
  return nanoseconds;
});

function request(): void {
  const service = pick(requested, sent);
  const id = pick(ids, sent);
  sent += 1;
  step();
  const message = {
    type: "request",
    service,
    requestId: id,
    body: BODY,
    trailer: NO_FRAMES,
    options: OPTIONS,
  } as const;
  let isAnswered = false;
  for (const effect of core.handle({ type: "from-client", from: CLIENT, message, dialect: pigato.id }, now)) {
    if (effect.type === "to-worker" && effect.message.type === "request") finish(effect);
    else if (effect.type !== "to-client" || effect.message.type !== "failure") continue;
    isAnswered = true;
  }
  if (!isAnswered) throw new Error(`the request for ${service} was not answered`);
}

function finish({ to: from, message: dispatched }: Effect & { readonly type: "to-worker" }): void {
  if (dispatched.type !== "request") return;
  const { address, requestId: id } = dispatched;
  const message = { type: "final", address, requestId: id, status: 0, body: BODY, trailer: NO_FRAMES } as const;
  step();
  core.handle({ type: "from-worker", from, message, dialect: pigato.id }, now);
}

/** Advances the clock. The shell, too, reads the next deadline after every input. */
function step(): void {
  now += STEP_MS;
  const next = core.nextDeadline();
  if (next !== undefined && next <= now) core.handle({ type: "tick" }, now);
}

function requestedName(index: number): string {
  switch (kind) {
    case "name":
      return `service-${index % (size === "1" ? 1 : 5_000)}`;
    case "range":
      return `versioned-${size === "1" ? 0 : index % 20}@>=1.0.0 <99.0.${index}`;
    case "wildcard":
      return `${area(size === "1" ? 0 : index % 3_000)}name-${index}`;
    case "miss":
      return `nowhere/in-no-area/name-${index}`;
    case "long-miss":
      return `nowhere/name-${index}/`.padEnd(MAX_NAME_BYTES, "x");
    default:
      throw new Error(`unknown kind of name "${kind}"`);
  }
}

function offered(): string[] {
  if (size === "1") return [{ range: "versioned-0@1.2.0", wildcard: `${area(0)}*` }[kind] ?? "service-0"];
  const plain = Array.from({ length: 5_000 }, (_, index) => `service-${index}`);
  const versions = Array.from({ length: 2_000 }, (_, index) => {
    const number = Math.floor(index / 20);
    return `versioned-${index % 20}@${Math.floor(number / 10)}.${number % 10}.0`;
  });
  return [...plain, ...versions, ...Array.from({ length: 3_000 }, (_, index) => `${area(index)}*`)];
}

function area(index: number): string {
  const name = `area-${String(index).padStart(4, "0")}/`;
  return size === "10000-deep" ? name.padEnd(10 + (index % 240), "-") : name;
}
