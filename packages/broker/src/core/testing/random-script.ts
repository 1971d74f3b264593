// The steps of a random script and how they run. The script has few peers and few names, so that they collide. A step
// refers to a peer or a request by a number, which is taken modulo their count.

import { requestId, writeText } from "@pigato/protocol";
import { MAX_CREDIT } from "@pigato/protocol/internal";
import type { UndeliveredReason } from "../effects.ts";
import type { HeldRequest } from "./observer.ts";
import type { Scenario } from "./scenario.ts";

/** `p0` is a worker and a client at once. */
const WORKERS = ["p0", "w1", "w2", "w3", "w4", "w5"] as const;
const CLIENTS = ["p0", "c1", "c2", "c3"] as const;
const SERVICES = [
  "echo",
  "sum",
  "__proto__",
  "sum@1.2.0",
  "sum@1.3.0",
  "sum@2.0.0",
  "su*",
  "s*",
  "*",
  "mmi.sum",
] as const;
/** The names of requests: exact names first, then names that lead to another one. */
const WANTED = [
  "echo",
  "sum",
  "__proto__",
  "sum@1.2.0",
  "sum@^1",
  "sum@>1.2 || <1.1",
  "sum@&",
  "su*",
  "suite",
] as const;

/** How a worker names the request that its message is about. */
export type Naming = "held" | "held by id alone" | "held by another" | "held before" | "made up";

export type Step =
  | {
      readonly do: "request";
      readonly who: number;
      readonly id: number;
      readonly service: number;
      readonly timeoutMs: number;
      readonly retry: boolean;
      readonly failFast: boolean;
      readonly target: number;
      readonly noCache: boolean;
      readonly persist: boolean;
      /** The first grant, if the reply is paced. */
      readonly credit: number | undefined;
      readonly hasInput: boolean;
      readonly deadlineMs: number | undefined;
      readonly acceptTimeoutMs: number | undefined;
      readonly method: string | undefined;
      readonly headers: string | undefined;
      /** Requests with the same question have equal bodies; `undefined` makes a unique body. */
      readonly question: number | undefined;
    }
  | { readonly do: "ready"; readonly who: number; readonly service: number; readonly offer: Offer }
  | { readonly do: "heartbeat"; readonly who: number; readonly concurrency: number | undefined }
  | {
      readonly do: "final" | "partial" | "partials" | "null partial" | "reject" | "request heartbeat" | "credit";
      readonly who: number;
      readonly pick: number;
      readonly naming: Naming;
      readonly cacheMs: number | undefined;
    }
  | { readonly do: "client is cut off"; readonly who: number }
  | { readonly do: "worker leaves" | "client leaves" | "client heartbeat" | "client offer"; readonly who: number }
  | { readonly do: "cancel" | "client request heartbeat"; readonly who: number; readonly id: number }
  /** For a request whose input was granted, if there is one and `pick` is not 0. No chunks are the end. */
  | {
      readonly do: "input";
      readonly pick: number;
      readonly who: number;
      readonly id: number;
      readonly chunks: number;
    }
  | { readonly do: "grant"; readonly who: number; readonly id: number; readonly chunks: number }
  | { readonly do: "undelivered grant"; readonly pick: number; readonly what: "grant" | "input" }
  | { readonly do: "heartbeat from another socket"; readonly who: number; readonly worker: number }
  | { readonly do: "violation"; readonly who: number; readonly role: 0 | 1 | 2; readonly id: number }
  | { readonly do: "peer down" | "receiving"; readonly who: number; readonly role: 0 | 1 }
  | { readonly do: "undelivered request"; readonly pick: number; readonly isGone: boolean }
  | { readonly do: "congested request"; readonly pick: number }
  | { readonly do: "undelivered unheld request"; readonly who: number }
  | { readonly do: "undelivered to client"; readonly who: number; readonly reason: UndeliveredReason }
  /** Advances the clock; with `isSilent` no peer sends heartbeats in between. */
  | { readonly do: "advance"; readonly ms: number; readonly isSilent: boolean }
  | { readonly do: "stall"; readonly ms: number }
  | { readonly do: "store finishes" | "store fails"; readonly pick: number }
  | {
      readonly do: "restore";
      readonly who: number;
      readonly id: number;
      readonly service: number;
      readonly target: number;
      readonly key: number;
    }
  | { readonly do: "drain"; readonly limitMs: number };

export type Offer =
  | "classic"
  | {
      readonly cancel: boolean;
      readonly requestHeartbeat: boolean;
      readonly credit: boolean;
      readonly services: boolean;
      readonly duplex: boolean;
      readonly methods: boolean;
      readonly deadline: boolean;
      readonly headers: boolean;
      readonly concurrency?: number;
      readonly heartbeatMs?: number;
    };

/** Runs one step. */
export function perform(sim: Scenario, step: Step): void {
  switch (step.do) {
    case "request": {
      const { timeoutMs, retry, failFast, noCache, persist, credit, deadlineMs, hasInput, question } = step;
      const { acceptTimeoutMs } = step;
      const target = step.target < WORKERS.length ? { worker: at(WORKERS, step.target) } : {};
      const asks = question === undefined ? {} : { body: `question ${question}` };
      const notices = step.id % 3 === 0;
      const called = step.method === undefined ? {} : { method: step.method };
      const headed = step.headers === undefined ? {} : { headers: step.headers };
      const accepted = acceptTimeoutMs === undefined ? {} : { acceptTimeoutMs };
      const options = { timeoutMs, retry, failFast, noCache, persist, hasInput, notices, ...called, ...accepted };
      const fields = { ...options, credit, deadlineMs, ...headed, ...target, ...asks };
      // Few clients have negotiated them by chance.
      if (hasInput || acceptTimeoutMs !== undefined) perform(sim, { do: "client offer", who: step.who });
      sim.client(at(CLIENTS, step.who)).request(at(WANTED, step.service), `r${step.id}`, fields);
      return;
    }
    case "ready":
      sim.worker(at(WORKERS, step.who)).ready(at(SERVICES, step.service), step.offer);
      return;
    case "heartbeat":
      sim.worker(at(WORKERS, step.who)).heartbeat(step.concurrency);
      return;
    case "final":
    case "partial":
    case "partials":
    case "null partial":
    case "reject":
    case "request heartbeat":
    case "credit":
      return sendReply(sim, step);
    case "worker leaves":
      sim.worker(at(WORKERS, step.who)).disconnect();
      return;
    case "client leaves":
      sim.client(at(CLIENTS, step.who)).disconnect();
      return;
    case "client is cut off":
      return sim.cutOff(at(CLIENTS, step.who));
    case "client heartbeat":
      sim.client(at(CLIENTS, step.who)).heartbeat();
      return;
    case "client offer":
      sim.client(at(CLIENTS, step.who)).offer({
        requestHeartbeat: step.who % 3 === 0,
        partials: step.who % 2 === 1,
        notice: step.who % 4 === 0,
        // The broker drops `null` partials for some clients, and must grant these chunks again.
        error: step.who % 5 !== 0,
        credit: step.who % 7 !== 0,
        duplex: step.who % 6 !== 0,
        deadline: step.who % 4 !== 1,
        headers: step.who % 4 !== 1,
        methods: step.who % 3 !== 1,
        ...(step.who % 2 === 0 ? { heartbeatMs: 700 } : {}),
      });
      return;
    case "cancel":
      sim.client(at(CLIENTS, step.who)).cancel(`r${step.id}`);
      return;
    case "client request heartbeat":
      sim.client(at(CLIENTS, step.who)).requestHeartbeat(`r${step.id}`);
      return;
    case "input": {
      const granted = sim.held().filter(({ takesInput }) => takesInput && step.pick > 0);
      const random = { client: at(CLIENTS, step.who), requestId: `r${step.id}` };
      const { client, requestId: id } = pickFrom(granted, step.pick) ?? random;
      if (step.chunks === 0) sim.client(client).inputEnd(id);
      else sim.client(client).input(id, ...["a", "b", "c"].slice(3 - step.chunks));
      return;
    }
    case "grant":
      sim.client(at(CLIENTS, step.who)).grant(`r${step.id}`, step.chunks);
      return;
    case "undelivered grant": {
      const held = pickFrom(sim.held(), step.pick);
      if (held) sim.streamUndelivered(held.worker, held.address, step.what);
      return;
    }
    case "heartbeat from another socket":
      sim.client(at(CLIENTS, step.who)).heartbeatFor(at(WORKERS, step.worker));
      return;
    case "violation": {
      const name = step.role === 0 ? at(WORKERS, step.who) : at(CLIENTS, step.who);
      const role = step.role === 0 ? "worker" : step.role === 1 ? "client" : undefined;
      sim.violation(name, role, "P-MSG-1", step.id < 10 ? requestId(`r${step.id}`) : undefined);
      return;
    }
    case "receiving":
      return sim.receiving(step.role === 0 ? at(WORKERS, step.who) : at(CLIENTS, step.who));
    case "peer down":
      return sim.peerDown(step.role === 0 ? at(WORKERS, step.who) : at(CLIENTS, step.who));
    case "undelivered request": {
      const held = pickFrom(sim.held(), step.pick);
      if (held === undefined) return;
      sim.undeliveredToWorker(held.worker, held.requestId, "unreachable");
      // The shell reports the loss next; the core must handle any input in between.
      if (step.isGone) sim.peerDown(held.worker);
      return;
    }
    case "congested request": {
      const held = pickFrom(sim.held(), step.pick);
      if (held) sim.undeliveredToWorker(held.worker, held.requestId, "congested");
      return;
    }
    case "undelivered unheld request": {
      return sim.requestUndelivered(at(WORKERS, step.who), "~1", "congested");
    }
    case "undelivered to client": {
      const name = at(CLIENTS, step.who);
      if (sim.client(name).received.length > 0) sim.undeliveredToClient(name, step.reason);
      return;
    }
    case "advance":
      return sim.advance(step.ms, { keepAlive: step.isSilent ? [] : sim.known() });
    case "stall":
      return sim.stall(step.ms);
    case "store finishes":
      return sim.storeFinishes(step.pick);
    case "store fails":
      return sim.storeFails(step.pick);
    case "restore": {
      const key = String(1_000_000 + step.key);
      // Keys are unique.
      if (sim.stored.has(key)) return;
      const worker = step.target < WORKERS.length ? at(WORKERS, step.target) : null;
      const request = { version: 1, client: at(CLIENTS, step.who), requestId: `r${step.id}`, worker } as const;
      const content = { body: [writeText(`restored ${key}`)], trailer: [], timeoutMs: 5_000, retry: false };
      sim.stored.set(key, { ...request, ...content, service: at(SERVICES, step.service) });
      return sim.restore(key, { ...request, ...content, service: at(SERVICES, step.service) });
    }
    case "drain":
      return sim.drain(step.limitMs);
    default:
      step satisfies never;
  }
}

interface ReplyStep {
  readonly do: "final" | "partial" | "partials" | "null partial" | "reject" | "request heartbeat" | "credit";
  readonly who: number;
  readonly pick: number;
  readonly naming: Naming;
  readonly cacheMs: number | undefined;
}

function sendReply(sim: Scenario, step: ReplyStep): void {
  const request = named(sim, step);
  if (request === undefined) return;
  const { worker: name, address, requestId: id } = request;
  const cache = step.cacheMs === undefined ? {} : { cacheMs: step.cacheMs };
  const worker = sim.worker(name);
  switch (step.do) {
    case "final":
    case "partial": {
      const body = [writeText(`${name} on ${id}`)];
      const status = step.pick % 5 === 0 ? -1 : 0;
      worker.sends({ type: step.do, address, requestId: id, status, body, trailer: [], ...cache });
      return;
    }
    case "partials": {
      const chunks = ["one", "null", `${name} on ${id}`].slice(step.pick % 3).map(writeText);
      worker.sends({ type: "partials", address, requestId: id, chunks, options: writeText("{}"), ...cache });
      return;
    }
    case "null partial":
      worker.sends({
        ...{ type: "partial", address, requestId: id, status: 0, body: [writeText("null")], trailer: [] },
        ...cache,
      });
      return;
    case "reject":
      worker.sends({ type: "reject", address, requestId: id, reason: undefined });
      return;
    case "request heartbeat":
      worker.sends({ type: "request-heartbeat", address, requestId: id });
      return;
    case "credit":
      worker.sends({
        type: "credit",
        address,
        requestId: id,
        chunks: step.pick % 9 === 0 ? MAX_CREDIT : step.pick % 4,
      });
      return;
    default:
      step.do satisfies never;
  }
}

/** The worker that sends the message, and how it names the request. */
function named(
  sim: Scenario,
  { who, pick, naming }: ReplyStep,
): (Pick<HeldRequest, "address" | "requestId"> & { worker: string }) | undefined {
  const held = pickFrom(sim.held(), pick);
  const worker = at(WORKERS, who);
  switch (naming) {
    case "held":
      return held;
    case "held by id alone":
      return held && { ...held, address: "c1" };
    case "held by another":
      return held && { ...held, worker };
    case "held before": {
      const request = pickFrom(sim.worker(worker).received, pick);
      return request && { worker, address: request.address, requestId: request.requestId };
    }
    case "made up":
      return { worker, address: pick % 2 === 0 ? `~${pick}` : "", requestId: requestId(`r${pick % 10}`) };
    default:
      return naming satisfies never;
  }
}

function at(names: readonly string[], index: number): string {
  return names[index % names.length] ?? "";
}

function pickFrom<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items.length === 0 ? undefined : items[pick % items.length];
}
