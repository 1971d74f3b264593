// One run of a broker, from bind to close: binds the core to a socket and a clock. Dull on purpose: it never asks what a
// message means. One input at a time; all its effects are performed before the next; what goes wrong while they are
// performed comes back as inputs of their own.

import {
  type Capabilities,
  encodeDirectory,
  type PeerId,
  peerId,
  pigato,
  type Role,
  type ToClient,
  type ToWorker,
} from "@pigato/protocol";
import type { Alarm, Frames, LinkError, PublisherLink, RouterLink } from "@pigato/transport";
import { BrokerCore, type CoreStats } from "./core/core.ts";
import type { BrokerEvent, Effect, Input } from "./core/effects.ts";
import type { ResolvedOptions } from "./options.ts";

export interface RunListener {
  onEvent(event: BrokerEvent): void;
  /** The socket failed: this run is over. */
  onError(error: LinkError): void;
}

export class BrokerRun {
  readonly #core: BrokerCore;
  readonly #link: RouterLink;
  #channel: PublisherLink | undefined;
  readonly #alarm: Alarm;
  readonly #options: ResolvedOptions;
  readonly #listener: RunListener;
  readonly #addresses: string[] = [];
  #pending: Input[] = [];
  /** Peers that a send did not find. That they are down is told once all that did not reach them has been. */
  readonly #gone = new Set<PeerId>();
  #isApplying = false;
  #isClosed = false;
  #onDrained: () => void = () => {};

  constructor(options: ResolvedOptions, listener: RunListener) {
    this.#options = options;
    this.#listener = listener;
    this.#core = new BrokerCore({
      heartbeatMs: options.heartbeat,
      heartbeatLiveness: options.heartbeatLiveness,
      dispatchMode: options.dmode,
      whenDeclined: options.whenDeclined,
      settleMs: options.settleMs,
      maxRequests: options.maxRequests,
      maxRequestsPerClient: options.maxRequestsPerClient,
      maxQueuedPerService: options.maxQueuedPerService,
      maxRequestBytes: options.maxRequestBytes,
      maxWorkers: options.maxWorkers,
      maxClients: options.maxClients,
      cacheMaxEntries: options.cacheMaxEntries,
      cacheMaxBytes: options.cacheMaxBytes,
      cacheMaxReplyBytes: options.cacheMaxReplyBytes,
      announces: options.intch !== false,
      random: options.random,
    });
    this.#alarm = options.clock.alarm(() => this.#apply({ type: "tick" }));
    this.#link = options.transport.router(
      {
        onMessage: (peer, frames) => this.#apply(inputOf(peerId(peer), frames)),
        onPeerDown: (peer) => this.#apply({ type: "peer-down", peer: peerId(peer) }),
        onUndelivered: (peer, frames) => this.#onUndelivered(peerId(peer), frames),
        onError: (error) => listener.onError(error),
      },
      {
        limits: {
          maxFrameBytes: options.maxFrameBytes,
          maxQueuedBytes: options.maxPeerBytes,
          maxQueuedMessages: options.maxPeerMessages,
        },
      },
    );
  }

  /**
   * Opens the internal channel and tells who is there. @returns the address as bound
   * @throws LinkError (rejects) if it cannot be bound
   */
  async openChannel(address: string): Promise<string> {
    this.#channel = this.#options.transport.publisher({ onError: (error) => this.#listener.onError(error) });
    const bound = await this.#channel.bind(address);
    this.#apply({ type: "start" });
    return bound;
  }

  /** What it listens at, with real ports. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  stats(): CoreStats {
    return this.#core.stats();
  }

  /** @throws LinkError (rejects) if an address cannot be bound */
  async bind(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) this.#addresses.push(await this.#link.bind(address));
  }

  /** Takes no new work; resolves when nothing is open any more, or the limit has passed and all has been failed. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#apply({ type: "drain", limitMs: this.#options.stopTimeoutMs });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#alarm.set(undefined);
    await Promise.all([this.#link.close(), this.#channel?.close()]);
  }

  #apply(input: Input): void {
    if (this.#isClosed) return;
    if (this.#isApplying) {
      this.#pending.push(input);
      return;
    }
    this.#isApplying = true;
    this.#step(input);
    while (this.#pending.length > 0 || this.#gone.size > 0) {
      for (const peer of this.#gone) this.#pending.push({ type: "peer-down", peer });
      this.#gone.clear();
      const inputs = this.#pending;
      this.#pending = [];
      for (const next of inputs) this.#step(next);
    }
    this.#isApplying = false;
    this.#alarm.set(this.#core.nextDeadline());
  }

  #step(input: Input): void {
    for (const effect of this.#core.handle(input, this.#options.clock.now())) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "to-client":
        return this.#sendToClient(effect.to, effect.message, effect.capabilities);
      case "to-worker":
        return this.#sendToWorker(effect.to, effect.message);
      case "announce":
        return this.#channel?.publish([encodeDirectory(effect.snapshot)]);
      case "report":
        return this.#listener.onEvent(effect.event);
      case "drained":
        return this.#onDrained();
      default:
        effect satisfies never;
    }
  }

  #sendToClient(to: PeerId, message: ToClient, capabilities: Capabilities): void {
    const outcome = this.#isCut(to, message)
      ? "congested"
      : this.#link.send(
          to,
          pigato.encodeToClient(message, capabilities),
          message.type === "failure" ? URGENT : undefined,
        );
    if (outcome === "queued" || outcome === "slow") return;
    this.#pending.push({ type: "undelivered-to-client", to, message, reason: outcome });
    if (outcome === "unreachable") this.#gone.add(to);
  }

  /**
   * Whether the link has just refused an earlier part of the same reply. All parts of a cached reply go out in one step;
   * no later one must arrive without it.
   */
  #isCut(to: PeerId, message: ToClient): boolean {
    if (this.#pending.length === 0 || (message.type !== "partial" && message.type !== "final")) return false;
    const refused = this.#pending.at(-1);
    if (refused?.type !== "undelivered-to-client" || refused.to !== to) return false;
    return refused.message.type === "partial" && refused.message.requestId === message.requestId;
  }

  #sendToWorker(to: PeerId, message: ToWorker): void {
    const frames = pigato.encodeToWorker(message);
    const outcome = this.#link.send(to, frames, message.type === "disconnect" ? URGENT : undefined);
    if (outcome === "queued" || outcome === "slow") return;
    this.#pending.push({ type: "undelivered-to-worker", to, message, reason: outcome });
    if (outcome === "unreachable") this.#gone.add(to);
  }

  /** The link tells so before it tells that the peer is down, which is how a request that never left is kept apart. */
  #onUndelivered(to: PeerId, frames: Frames): void {
    if (pigato.detect(frames) === "client") {
      const message = pigato.decodeToClient(frames);
      if (message.type !== "violation") {
        this.#apply({ type: "undelivered-to-client", to, message, reason: "unreachable" });
      }
      return;
    }
    const message = pigato.decodeToWorker(frames);
    if (message.type !== "violation") {
      this.#apply({ type: "undelivered-to-worker", to, message, reason: "unreachable" });
    }
  }
}

const URGENT = { urgent: true };

function inputOf(from: PeerId, frames: Frames): Input {
  switch (pigato.detect(frames)) {
    case "client": {
      const message = pigato.decodeFromClient(frames);
      return message.type === "violation"
        ? violationBy(from, "client", message)
        : { type: "from-client", from, message };
    }
    case "worker": {
      const message = pigato.decodeFromWorker(frames);
      return message.type === "violation"
        ? violationBy(from, "worker", message)
        : { type: "from-worker", from, message };
    }
    default: {
      const detail = `a message of ${frames.length} frames that starts like none of ours`;
      return violationBy(from, undefined, { type: "violation", clause: "P-MSG-1", detail });
    }
  }
}

function violationBy(
  from: PeerId,
  role: Role | undefined,
  violation: Extract<Input, { readonly type: "violation" }>["violation"],
): Input {
  return { type: "violation", from, role, violation };
}
