// One case of what it costs the core to find out where a name leads, in a process of its own: one request at a time,
// each answered, or refused, before the next; the answer is nanoseconds per request. Named `kind which services`:
//
// - kind: the very `name`, a `range` of versions, a name under a `wildcard`, one that is offered by nobody (`miss`), and
//   such a one of the most bytes there may be (`long-miss`);
// - which: the `same` name again and again, or each time `another`, longer ago than the core can remember;
// - services: 1, which fits; 10000, of them 2,000 versions and 3,000 wildcards; 10000-deep, whose wildcards are of all lengths.

import {
  DEFAULT_REQUEST_OPTIONS,
  type Frame,
  NO_CAPABILITIES,
  peerId,
  pigato,
  type RequestId,
  requestId,
  type ServiceName,
  serviceName,
} from "@pigato/protocol";
import type { Effect } from "./broker-core.ts";
import { measuredCore } from "./measured-core.ts";
import { answer } from "./rounds.ts";

const REQUESTS_PER_ROUND = 100_000;
/** How many other names there are: more than the core keeps. */
const ASKED = 1 << 16;
const MAX_NAME_BYTES = 255;

const [kind = "name", which = "same", size = "1"] = (process.argv[2] ?? "").split(" ");

const BODY: readonly Frame[] = [Buffer.from('{"hello":"12345678"}')];
const NO_FRAMES: readonly Frame[] = [];
const OPTIONS = { ...DEFAULT_REQUEST_OPTIONS, failFast: true };
const STEP_MS = 0.005;
const CLIENT = peerId("client");

const core = measuredCore();
const asked = Array.from({ length: which === "same" ? 1 : ASKED }, (_, index) => serviceName(nameAsked(index)));
const ids = Array.from({ length: 1 << 12 }, (_, index) => requestId(`7f9c24e8-3b1a-4c5d-9e6f-${index}`));
let sent = 0;
let now = 1_000;

for (const name of offered()) {
  const offer = { ...NO_CAPABILITIES, cancel: true, concurrency: 100 };
  const from = peerId(`worker ${name}`);
  const message = { type: "ready", service: serviceName(name), offer } as const;
  core.handle({ type: "from-worker", from, message, dialect: pigato.id }, now);
}

answer(() => {
  const start = process.cpuUsage();
  for (let count = 0; count < REQUESTS_PER_ROUND; count++) ask();
  const { user, system } = process.cpuUsage(start);
  if (core.stats().open > 0) throw new Error("some requests did not end");
  return ((user + system) * 1_000) / REQUESTS_PER_ROUND;
});

function ask(): void {
  const service = pick(asked, sent);
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
  if (!isAnswered) throw new Error(`the request for ${service} waits`);
}

function finish({ to: from, message: request }: Effect & { readonly type: "to-worker" }): void {
  if (request.type !== "request") return;
  const { address, requestId: id } = request;
  const message = { type: "final", address, requestId: id, status: 0, body: BODY, trailer: NO_FRAMES } as const;
  step();
  core.handle({ type: "from-worker", from, message, dialect: pigato.id }, now);
}

/** The clock moves on; the shell asks for the next deadline after every input. */
function step(): void {
  now += STEP_MS;
  const next = core.nextDeadline();
  if (next !== undefined && next <= now) core.handle({ type: "tick" }, now);
}

function nameAsked(index: number): string {
  switch (kind) {
    case "name":
      return `service-${index % (size === "1" ? 1 : 5_000)}`;
    case "range":
      return `versioned-${size === "1" ? 0 : index % 20}@>=1.0.0 <99.0.${index}`;
    case "wildcard":
      return `${area(size === "1" ? 0 : index % 3_000)}name-${index}`;
    case "miss":
      return `nowhere/of-any-area/name-${index}`;
    case "long-miss":
      return `nowhere/name-${index}/`.padEnd(MAX_NAME_BYTES, "x");
    default:
      throw new Error(`no kind of name: ${kind}`);
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

function pick<Item extends RequestId | ServiceName>(items: readonly Item[], index: number): Item {
  const item = items[(index >>> 0) % items.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
