// One run of a broker, from bind to close: binds the core to a socket and a clock. Dull on purpose: it never asks what a
// message means. One input at a time; all its effects are performed before the next; what goes wrong while they are
// performed comes back as inputs of their own.

import { EffectLoop, type Shell } from "@pigato/peer";
import { type BrokerDialect, display, encodeDirectory, type PeerId, type ToWorker } from "@pigato/protocol";
import type {
  Frames,
  FramesToSend,
  LinkError,
  PublisherLink,
  Refusal,
  RouterLink,
  SendOptions,
  SendOutcome,
} from "@pigato/transport";
import type { DoorSettings } from "./binds.ts";
import { BrokerCore, type CoreStats } from "./core/core.ts";
import type { BrokerEvent, DialectId, Effect, Input } from "./core/effects.ts";
import { doorOf, peerAtDoor, routingIdOf } from "./core/peer-names.ts";
import type { ConnectionRefused } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import { readInput } from "./reading.ts";
import type { Entrance } from "./security.ts";
import { StoreLine } from "./store-line.ts";

export interface RunListener {
  onEvent(event: BrokerEvent): void;
  onRefused(refused: ConnectionRefused): void;
  /** The socket failed: this run is over. */
  onError(error: LinkError): void;
}

/** User code to run: listeners, and the log. */
type Notice =
  | Extract<Effect, { type: "report" }>
  | { readonly type: "refused"; readonly refused: ConnectionRefused }
  | { readonly type: "link-failed"; readonly error: LinkError };

export class BrokerRun implements Shell<Effect, Notice> {
  readonly #core: BrokerCore;
  readonly #loop: EffectLoop<Input, Effect, Notice>;
  readonly #doors: readonly Door[];
  #channel: PublisherLink | undefined;
  readonly #options: ResolvedOptions;
  readonly #listener: RunListener;
  readonly #addresses: string[] = [];
  /** Peers that a send of the present round did not find. `peer-down` comes after all that did not reach them. */
  readonly #gone = new Set<PeerId>();
  readonly #store: StoreLine;
  readonly #dialects: Readonly<Record<string, BrokerDialect>>;
  /** Whether the connection refused the last message to a client because the client reads too slowly. */
  #isClientCongested = false;
  #onDrained: () => void = () => {};

  constructor(doors: readonly DoorSettings[], options: ResolvedOptions, listener: RunListener) {
    this.#options = options;
    this.#listener = listener;
    const dialects = doors.flatMap((door) => door.dialects);
    this.#dialects = Object.fromEntries(dialects.map((dialect) => [dialect.id, dialect]));
    this.#core = new BrokerCore({
      dialects: Object.fromEntries(dialects.map(({ id, traits }) => [id, traits])),
      heartbeatMs: options.heartbeat,
      heartbeatLiveness: options.heartbeatLiveness,
      busyTimeoutMs: options.busyTimeoutMs,
      dispatchMode: options.dmode,
      whenDeclined: options.whenDeclined,
      settleMs: options.settleMs,
      maxRequests: options.maxRequests,
      maxRequestsPerClient: options.maxRequestsPerClient,
      maxQueuedPerService: options.maxQueuedPerService,
      maxRequestBytes: options.maxRequestBytes,
      maxWorkers: options.maxWorkers,
      maxClients: options.maxClients,
      maxHeldAnswers: options.maxHeldAnswers,
      maxHeldAnswersPerClient: options.maxHeldAnswersPerClient,
      maxHeldBytes: options.maxHeldBytes,
      maxHeldBytesPerClient: options.maxHeldBytesPerClient,
      cacheMaxEntries: options.cacheMaxEntries,
      cacheMaxBytes: options.cacheMaxBytes,
      cacheMaxReplyBytes: options.cacheMaxReplyBytes,
      announces: options.intch !== false,
      random: options.random,
    });
    this.#loop = new EffectLoop<Input, Effect, Notice>(this.#core, this, options.clock);
    this.#store = new StoreLine(options.store, (input) => this.#loop.apply(input));
    this.#doors = doors.map((settings, index) => ({ settings, link: this.#open(settings, index) }));
  }

  /**
   * Opens the internal channel and tells who is there. @returns the address as bound
   * @throws LinkError (rejects) if it cannot be bound
   */
  async openChannel(address: string): Promise<string> {
    const { transport, securityOf } = this.#options;
    this.#channel = transport.publisher(
      {
        onRefused: (refusal) => this.#onRefused("intch", refusal, undefined),
        onError: (error) => this.#loop.notify({ type: "link-failed", error }),
      },
      { security: securityOf("intch") },
    );
    const bound = await this.#channel.bind(address);
    this.#loop.apply({ type: "start" });
    return bound;
  }

  /** What it listens at, with real ports. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  stats(): CoreStats {
    return this.#core.stats();
  }

  /**
   * Opens again what the store holds. To be called once, before anything else.
   * @throws (rejects) what the store rejects with; UsageError for what it should not hold
   */
  async restore(): Promise<void> {
    for (const input of await this.#store.load()) this.#loop.apply(input);
  }

  /** @throws LinkError (rejects) if an address cannot be bound */
  async bind(): Promise<void> {
    for (const { settings, link } of this.#doors) {
      for (const address of settings.addresses) this.#addresses.push(await link.bind(address));
    }
  }

  /** Takes no new work; resolves when nothing is open any more, or the limit has passed and all has been failed. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#loop.apply({ type: "drain", limitMs: this.#options.stopTimeoutMs });
    });
  }

  async close(): Promise<void> {
    this.#loop.close();
    await Promise.all([...this.#doors.map(({ link }) => link.close()), this.#channel?.close()]);
    await this.#storeIdle();
  }

  /** Waits for the store to finish with what it was asked, but no longer than for running requests. */
  async #storeIdle(): Promise<void> {
    const { clock, stopTimeoutMs } = this.#options;
    let give = (): void => {};
    const late = clock.alarm(() => give());
    late.set(clock.now() + stopTimeoutMs);
    await Promise.race([
      this.#store.idle(),
      new Promise<void>((resolve) => {
        give = resolve;
      }),
    ]);
    late.set(undefined);
  }

  deliver(notice: Notice): void {
    switch (notice.type) {
      case "report":
        return this.#listener.onEvent(notice.event);
      case "refused":
        return this.#listener.onRefused(notice.refused);
      case "link-failed":
        return this.#listener.onError(notice.error);
      default:
        notice satisfies never;
    }
  }

  settle(): void {
    if (this.#gone.size === 0) return;
    for (const peer of this.#gone) this.#loop.apply({ type: "peer-down", peer });
    this.#gone.clear();
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case "to-client":
        return this.#sendToClient(effect);
      case "to-worker":
        return this.#sendToWorker(effect.to, effect.message, this.#dialect(effect.dialect));
      case "confirm":
        this.#loop.apply({ type: "handed-over", address: effect.address });
        return;
      case "announce":
        return this.#channel?.publish([encodeDirectory(effect.snapshot)]);
      case "store":
        return this.#store.set(effect.key, effect.request);
      case "delete":
        return this.#store.delete(effect.key);
      case "report":
        return this.#loop.notify(effect);
      case "drained":
        return this.#onDrained();
      default:
        effect satisfies never;
    }
  }

  #sendToClient({ to, message, capabilities, dialect, isContinuation }: Effect & { readonly type: "to-client" }): void {
    const frames = this.#dialect(dialect).encodeToClient(message, capabilities);
    if (frames === undefined) return;
    const outcome =
      isContinuation && this.#isClientCongested
        ? "congested"
        : this.#send(to, frames, message.type === "failure" ? URGENT : undefined);
    this.#isClientCongested = outcome === "congested";
    if (outcome === "queued" || outcome === "slow") return;
    this.#loop.apply({ type: "undelivered-to-client", to, message, reason: outcome });
    if (outcome === "unreachable") this.#gone.add(to);
  }

  #sendToWorker(to: PeerId, message: ToWorker, dialect: BrokerDialect): void {
    const frames = dialect.encodeToWorker(message);
    if (frames === undefined) return;
    const outcome = this.#send(to, frames, message.type === "disconnect" ? URGENT : undefined);
    if (outcome === "queued" || outcome === "slow") return;
    if (message.type === "request") {
      this.#loop.apply({ type: "request-undelivered", to, address: message.address, reason: outcome });
    } else if (message.type === "credit" && outcome === "congested") {
      this.#loop.apply({ type: "credit-undelivered", to, address: message.address });
    }
    if (outcome === "unreachable") this.#gone.add(to);
  }

  #dialect(id: DialectId): BrokerDialect {
    const dialect = this.#dialects[id];
    if (dialect === undefined) throw new Error(`no listener has a dialect "${id}"`);
    return dialect;
  }

  #send(to: PeerId, frames: FramesToSend, options: SendOptions | undefined): SendOutcome {
    return this.#doors[doorOf(to)]?.link.send(routingIdOf(to), frames, options) ?? "unreachable";
  }

  /** The link tells so before it tells that the peer is down, which is how a request that never left is kept apart. */
  #onUndelivered(to: PeerId, frames: Frames): void {
    const dialect = this.#core.dialectOf(to);
    const address = dialect === undefined ? undefined : this.#dialect(dialect).addressIn(frames);
    if (address !== undefined) this.#loop.apply({ type: "request-undelivered", to, address, reason: "unreachable" });
  }

  #onRefused(entrance: Entrance, refusal: Refusal, peer: string | undefined): void {
    const { code, detail, mechanism, remoteAddress, localAddress, cause } = refusal;
    const refused = { entrance, code, detail, mechanism, remoteAddress, localAddress, peer, cause };
    this.#loop.notify({ type: "refused", refused });
  }

  #open(settings: DoorSettings, door: number): RouterLink {
    const { transport, maxFrameBytes, maxPeerBytes, maxPeerMessages, maxWorkers, maxClients, spinMs, securityOf } =
      this.#options;
    const entrance = settings.role === undefined ? "bind" : settings.role === "client" ? "frontend" : "backend";
    return transport.router(
      {
        onMessage: (id, frames) => this.#loop.apply(readInput(settings, peerAtDoor(door, id), frames)),
        onPeerDown: (id) => this.#loop.apply({ type: "peer-down", peer: peerAtDoor(door, id) }),
        onUndelivered: (id, frames) => this.#onUndelivered(peerAtDoor(door, id), frames),
        onRefused: (refusal, id) => {
          this.#onRefused(entrance, refusal, id === undefined ? undefined : display(peerAtDoor(door, id)));
        },
        onError: (error) => this.#loop.notify({ type: "link-failed", error }),
      },
      {
        spinMs,
        security: securityOf(entrance),
        limits: {
          maxFrameBytes,
          maxPeers: maxWorkers + maxClients,
          maxQueuedBytes: maxPeerBytes,
          maxQueuedMessages: maxPeerMessages,
        },
      },
    );
  }
}

/** One socket, and who may come in by it. */
interface Door {
  readonly settings: DoorSettings;
  readonly link: RouterLink;
}

const URGENT = { urgent: true };
