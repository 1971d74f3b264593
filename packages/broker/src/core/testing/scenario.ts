// Runs a scenario with the core of a broker: peers have names, only the scenario moves the clock, and every message is kept
// as a readable line. After every input it checks the tables against each other, and the effects against a model.

import { EffectLoop } from "@pigato/peer";
import {
  type BrokerDialect,
  type FromClient,
  type FromWorker,
  type PeerId,
  peerId,
  pigato,
  type RequestId,
  type ToClient,
  type ToWorker,
} from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { StepLimit } from "@pigato/testkit";
import { BrokerCore } from "../core.ts";
import type { CoreOptions } from "../core-options.ts";
import type { CoreStats } from "../core-stats.ts";
import type { Effect, Input, UndeliveredReason } from "../effects.ts";
import type { StoredRequest } from "../stored-request.ts";
import { ClientActor, WorkerActor } from "./actors.ts";
import { assertConsistent } from "./consistency.ts";
import { TRAITS } from "./dialects.ts";
import { eventLine, toClientLine, toWorkerLine } from "./lines.ts";
import { type HeldRequest, Observer } from "./observer.ts";

/** The default options of a scenario. Bounds are out of reach. */
export const SCENARIO_OPTIONS: CoreOptions = {
  dialects: TRAITS,
  heartbeatMs: 1_000,
  heartbeatLiveness: 3,
  busyTimeoutMs: 900_000,
  dispatchMode: "load",
  whenDeclined: "fail",
  settleMs: 100,
  maxDispatches: 3,
  maxTimeoutMs: Number.POSITIVE_INFINITY,
  maxRequests: 1_000_000,
  maxRequestsPerClient: 1_000_000,
  maxQueuedPerService: 1_000_000,
  maxRequestBytes: 1_000_000_000,
  maxRequestBytesPerClient: 1_000_000_000,
  maxStoredRequests: 1_000_000,
  maxStoredRequestsPerClient: 1_000_000,
  maxStoredBytes: 1_000_000_000,
  maxStoredBytesPerClient: 1_000_000_000,
  maxStoredMs: Number.POSITIVE_INFINITY,
  maxHeldReplies: 1_000,
  maxHeldRepliesPerClient: 1_000,
  maxHeldBytes: 1_000_000_000,
  maxHeldBytesPerClient: 1_000_000_000,
  maxFrameBytes: 64 * 1024 * 1024,
  maxMessageBytes: 256 * 1024 * 1024,
  maxWorkers: 1_000,
  maxClients: 1_000,
  cacheMaxEntries: 1_000,
  cacheMaxBytes: 1_000_000_000,
  cacheMaxReplyBytes: 1_000_000,
  announces: false,
  random: () => 0,
};

export interface ScenarioOptions extends Partial<CoreOptions> {
  /** False leaves out the checks after each step, for a scenario of very many steps. */
  readonly isChecked?: boolean;
  /** Called with every input and its effects. */
  readonly record?: (input: Input, now: Instant, effects: readonly Effect[]) => void;
}

export function scenario(options: ScenarioOptions = {}): Scenario {
  return new Scenario(options);
}

export class Scenario {
  /** Every event so far, one line each. */
  readonly events: string[] = [];
  /** Every directory announced so far, one line for each service. */
  readonly announced: string[][] = [];
  /** What the store has or was asked to store, by key. */
  readonly stored: Map<string, StoredRequest> = new Map();
  /** The calls of the store that have not settled, oldest first. */
  readonly #pendingStoreCalls: { readonly key: string; readonly operation: "store" | "delete" }[] = [];
  readonly #options: CoreOptions;
  readonly #core: BrokerCore;
  readonly #observer: Observer | undefined;
  readonly #record: ScenarioOptions["record"];
  readonly #workers = new Map<string, WorkerActor>();
  readonly #clients = new Map<string, ClientActor>();
  /** Clients whose connection is broken, which the broker does not know yet. */
  readonly #cutOff = new Set<string>();
  /** Clients whose connections are full. */
  readonly #full = new Set<string>();
  readonly #loop: EffectLoop<Input, Effect>;
  readonly #failures: unknown[] = [];
  /** Peers that a send did not reach. Their `peer-down` comes after everything else that could not be delivered. */
  readonly #gone = new Set<string>();
  #now: Instant = 1_000;
  #isDrained = false;
  #limit = new StepLimit("effects cause inputs");

  constructor({ isChecked = true, record, ...options }: ScenarioOptions) {
    this.#record = record;
    this.#options = { ...SCENARIO_OPTIONS, ...options };
    this.#core = new BrokerCore(this.#options);
    this.#observer = isChecked ? new Observer(this.#options) : undefined;
    this.#loop = new EffectLoop<Input, Effect>(
      { handle: (input) => this.#handleChecked(input), nextDeadline: () => undefined },
      { perform: (effect) => this.#deliver(effect), settle: () => this.#reportGone() },
      // `advance` sends the ticks.
      { now: () => this.#now, alarm: () => ({ set: () => {} }) },
    );
  }

  /** @param dialect of its messages, from the first one on */
  worker(name: string, dialect: BrokerDialect = pigato): WorkerActor {
    const known = this.#workers.get(name);
    if (known) return known;
    const worker = new WorkerActor((message) => this.fromWorker(name, message, dialect));
    this.#workers.set(name, worker);
    return worker;
  }

  /** @param dialect as for a worker. A client without request ids needs `isChecked: false`. */
  client(name: string, dialect: BrokerDialect = pigato): ClientActor {
    const known = this.#clients.get(name);
    if (known) return known;
    const client = new ClientActor(name, (message) => this.fromClient(name, message, dialect));
    this.#clients.set(name, client);
    return client;
  }

  fromClient(name: string, message: FromClient, dialect: BrokerDialect = pigato): void {
    this.#cutOff.delete(name);
    this.step({ type: "from-client", from: peerId(name), message, dialect: dialect.id });
  }

  fromWorker(name: string, message: FromWorker, dialect: BrokerDialect = pigato): void {
    this.step({ type: "from-worker", from: peerId(name), message, dialect: dialect.id });
  }

  /** The peer sends an invalid message. */
  violation(
    name: string,
    role: "client" | "worker" | undefined,
    clause: string,
    requestId?: RequestId,
    dialect: BrokerDialect = pigato,
  ): void {
    const violation = {
      type: "violation",
      clause,
      detail: "…",
      ...(requestId === undefined ? {} : { requestId }),
    } as const;
    this.step({ type: "violation", from: peerId(name), role, dialect: role && dialect.id, violation });
  }

  /** The client's connection breaks: the next message to it is reported as unreachable. */
  cutOff(name: string): void {
    this.#cutOff.add(name);
  }

  /** The client's connection takes no more messages, except failures. */
  fillUp(name: string): void {
    this.#full.add(name);
  }

  /** Bytes of a message that is not whole yet came from a peer. */
  receiving(name: string): void {
    this.#cutOff.delete(name);
    this.step({ type: "receiving", from: peerId(name) });
  }

  peerDown(name: string): void {
    this.#cutOff.delete(name);
    this.step({ type: "peer-down", peer: peerId(name) });
  }

  /** A call of the store succeeds, the oldest unless `pick` says otherwise. */
  storeFinishes(pick = 0): void {
    const done = this.#takeStoreCall(pick);
    if (done === undefined) return;
    if (done.operation === "delete") this.stored.delete(done.key);
    this.step({ type: done.operation === "store" ? "stored" : "deleted", key: done.key });
  }

  /** A call of the store fails, the oldest unless `pick` says otherwise. */
  storeFails(pick = 0): void {
    const failed = this.#takeStoreCall(pick);
    if (failed === undefined) return;
    const type = failed.operation === "store" ? "store-failed" : "delete-failed";
    this.step({ type, key: failed.key, reason: "the disk is full" });
  }

  /** The store held this when the broker started. */
  restore(key: string, request: StoredRequest, ageMs = 0): void {
    this.step({ type: "restore", key, request, ageMs });
  }

  drain(limitMs: number): void {
    this.step({ type: "drain", limitMs });
  }

  /** The last request under this id does not reach the worker. */
  undeliveredToWorker(name: string, requestId: string, reason: UndeliveredReason): void {
    const { address } = this.worker(name).receivedAs(requestId);
    this.step({ type: "request-undelivered", to: peerId(name), address, reason });
  }

  /** A request does not reach the worker, which may or may not hold it. */
  requestUndelivered(name: string, address: string, reason: UndeliveredReason): void {
    this.step({ type: "request-undelivered", to: peerId(name), address, reason });
  }

  /** A grant, or a chunk of input, does not reach a worker. */
  streamUndelivered(name: string, address: string, what: "grant" | "input"): void {
    this.step({ type: "stream-undelivered", to: peerId(name), address, what });
  }

  /** The last message to this client does not reach it. */
  undeliveredToClient(name: string, reason: UndeliveredReason): void {
    const message = this.client(name).received.at(-1);
    if (message === undefined) throw new Error(`no message was sent to ${name}`);
    this.step({ type: "undelivered-to-client", to: peerId(name), message, reason });
  }

  /** Time passes, with the ticks that the core asks for. Peers in `keepAlive` send unrecorded heartbeats twice per interval. */
  advance(ms: number, { keepAlive = [] }: { readonly keepAlive?: readonly string[] } = {}): void {
    const end = this.#now + ms;
    const pulseMs = this.#options.heartbeatMs / 2;
    const limit = new StepLimit("the core asks for a tick");
    let pulseAt = keepAlive.length > 0 ? this.#now : Number.POSITIVE_INFINITY;
    for (;;) {
      const next = Math.min(this.#core.nextDeadline() ?? Number.POSITIVE_INFINITY, pulseAt);
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
      limit.onStep(this.#now);
      if (next === pulseAt) {
        for (const name of keepAlive) this.#beat(name);
        pulseAt += pulseMs;
      }
      this.#handle({ type: "tick" });
    }
    this.#now = end;
    this.#handle({ type: "tick" });
  }

  /** Time passes while the broker is suspended: no tick comes until the next step. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Every message to a peer so far, one line each. */
  sentTo(name: string): string[] {
    return [...(this.#workers.get(name)?.lines ?? []), ...(this.#clients.get(name)?.lines ?? [])];
  }

  /** The ids of the requests that were sent to a worker so far, oldest first. */
  requestsSentTo(name: string): string[] {
    return this.worker(name).requestIds;
  }

  /** The requests that workers hold now. Only with checks. */
  held(): HeldRequest[] {
    return this.#observer?.held() ?? [];
  }

  /** The peers that the broker knows now. Only with checks. */
  known(): string[] {
    return this.#observer?.known() ?? [];
  }

  /** Clears the messages and events so far. */
  forget(): void {
    this.events.length = 0;
    for (const worker of this.#workers.values()) worker.lines.length = 0;
    for (const client of this.#clients.values()) client.lines.length = 0;
  }

  get isDrained(): boolean {
    return this.#isDrained;
  }

  get now(): Instant {
    return this.#now;
  }

  stats(): CoreStats {
    return this.#core.stats();
  }

  nextDeadline(): Instant | undefined {
    return this.#core.nextDeadline();
  }

  /** Throws if the tables contradict each other. Every step checks this, unless `isChecked` is false. */
  assertConsistent(): void {
    assertConsistent(this.#core.state);
  }

  /** Handles one input now, after the timers that are due. */
  step(input: Input): void {
    this.#handle(input);
  }

  #takeStoreCall(pick: number): { readonly key: string; readonly operation: "store" | "delete" } | undefined {
    return this.#pendingStoreCalls.splice(pick % Math.max(1, this.#pendingStoreCalls.length), 1)[0];
  }

  #beat(name: string): void {
    const worker = this.#workers.get(name);
    const client = this.#clients.get(name);
    if (worker) worker.quietly(() => worker.heartbeat());
    if (client) client.quietly(() => client.heartbeat());
  }

  /** Handles one input and all inputs that it leads to. Throws the first failure of the core or of a check. */
  #handle(input: Input): void {
    this.#limit = new StepLimit("effects cause inputs", 100_000);
    this.#loop.apply(input);
    const [failure] = this.#failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  /** The core with its checks, as the loop calls it. Keeps their exceptions, because the loop would report them and continue. */
  #handleChecked(input: Input): readonly Effect[] {
    try {
      this.#limit.onStep(this.#now);
      // The observer expects a tick before each input.
      const due = this.#observer === undefined || input.type === "tick" ? [] : this.#handleOne({ type: "tick" });
      return [...due, ...this.#handleOne(input)];
    } catch (error) {
      this.#failures.push(error);
      return [];
    }
  }

  #handleOne(input: Input): readonly Effect[] {
    this.#observer?.before(input, this.#now);
    const effects = this.#core.handle(input, this.#now);
    this.#record?.(input, this.#now, effects);
    if (this.#observer === undefined) return effects;
    assertConsistent(this.#core.state);
    this.#observer.after(effects, this.#core, this.#now);
    return effects;
  }

  #reportGone(): void {
    const gone = [...this.#gone];
    this.#gone.clear();
    for (const name of gone) this.#loop.apply({ type: "peer-down", peer: peerId(name) });
  }

  #deliver(effect: Effect): void {
    switch (effect.type) {
      case "to-client":
        return this.#deliverToClient(effect.to, effect.message);
      case "to-worker":
        return this.#deliverToWorker(effect.to, effect.message);
      case "confirm":
        this.#loop.apply({ type: "handed-over", address: effect.address });
        return;
      case "announce":
        this.announced.push(effect.snapshot.map(([service, workers]) => `${service}: ${workers.join(" ")}`).sort());
        return;
      case "store":
        this.stored.set(effect.key, effect.request);
        this.#pendingStoreCalls.push({ key: effect.key, operation: "store" });
        return;
      case "delete":
        this.#pendingStoreCalls.push({ key: effect.key, operation: "delete" });
        return;
      case "report":
        this.events.push(eventLine(effect.event));
        return;
      case "drained":
        this.#isDrained = true;
        return;
      default:
        effect satisfies never;
    }
  }

  #deliverToClient(to: PeerId, message: ToClient): void {
    if (this.#cutOff.has(to)) {
      this.#loop.apply({ type: "undelivered-to-client", to, message, reason: "unreachable" });
      this.#gone.add(to);
    } else if (this.#full.has(to) && message.type !== "failure") {
      this.#loop.apply({ type: "undelivered-to-client", to, message, reason: "congested" });
    } else {
      this.client(to).receive(message, toClientLine(message));
    }
  }

  #deliverToWorker(to: PeerId, message: ToWorker): void {
    this.worker(to).receive(message, toWorkerLine(message));
  }
}
