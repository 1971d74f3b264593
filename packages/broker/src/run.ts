// One run of a broker, from bind to close: connects the core to its sockets, its store and the clock. It performs effects
// and never interprets a message. A failure becomes an input.

import { EffectLoop, guardedRandom, type Shell } from "@pigato/peer";
import type { BrokerDialect, PeerId, ToWorker } from "@pigato/protocol";
import { encodeDirectory } from "@pigato/protocol/internal";
import type {
  Frames,
  FramesToSend,
  LinkError,
  PublisherLink,
  RouterLink,
  SendOptions,
  SendOutcome,
} from "@pigato/transport";
import type { ListenerSettings } from "./binds.ts";
import { removeLeftChannels } from "./channel-address.ts";
import { BrokerCore } from "./core/core.ts";
import type { CoreStats } from "./core/core-stats.ts";
import type { DialectId, Effect, Input } from "./core/effects.ts";
import { listenerOf, routingIdOf } from "./core/peer-names.ts";
import type { ConnectionRejected } from "./events.ts";
import { type ListenerHandlers, openChannel, openListener } from "./listener.ts";
import type { ResolvedOptions } from "./options.ts";
import { StoreAdapter } from "./store-adapter.ts";

/** What to report to listeners and the log. */
export type Notice =
  | Extract<Effect, { type: "report" }>
  | { readonly type: "rejected"; readonly rejected: ConnectionRejected }
  /** The socket failed: this run is over. */
  | { readonly type: "link-failed"; readonly error: LinkError };

type ToClientEffect = Effect & { readonly type: "to-client" };
type ToWorkerEffect = Effect & { readonly type: "to-worker" };

const URGENT: SendOptions = Object.freeze({ urgent: true });

export class BrokerRun implements Shell<Effect, Notice>, ListenerHandlers {
  readonly #options: ResolvedOptions;
  readonly #report: (notice: Notice) => void;
  readonly #core: BrokerCore;
  readonly #loop: EffectLoop<Input, Effect, Notice>;
  readonly #store: StoreAdapter;
  readonly #listeners: readonly { readonly settings: ListenerSettings; readonly link: RouterLink }[];
  readonly #dialects: Readonly<Record<string, BrokerDialect>>;
  readonly #addresses: string[] = [];
  #channel: PublisherLink | undefined;
  /** Peers that a send of this round did not reach. Their `peer-down` comes after every `undelivered` of the round. */
  readonly #unreachable = new Set<PeerId>();
  /** Whether the link refused the last message to a client because the client reads too slowly. */
  #isClientCongested = false;
  #onDrained: () => void = () => {};

  /** @param report runs user code; an exception in it disturbs nothing here */
  constructor(listeners: readonly ListenerSettings[], options: ResolvedOptions, report: (notice: Notice) => void) {
    const dialects = listeners.flatMap((listener) => listener.dialects);
    this.#options = options;
    this.#report = report;
    this.#dialects = Object.fromEntries(dialects.map((dialect) => [dialect.id, dialect]));
    this.#core = new BrokerCore({
      ...options,
      dialects: Object.fromEntries(dialects.map(({ id, traits }) => [id, traits])),
      heartbeatMs: options.heartbeat,
      dispatchMode: options.dmode,
      announces: options.intch !== false,
      random: guardedRandom(options.random),
    });
    this.#loop = new EffectLoop<Input, Effect, Notice>(this.#core, this, options.clock);
    this.#store = new StoreAdapter(options.store, (input) => this.#loop.apply(input));
    this.#listeners = listeners.map((settings, index) => ({
      settings,
      link: openListener(index, settings, options, this),
    }));
  }

  /** The addresses that it listens at, with real ports. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  stats(): CoreStats {
    return this.#core.stats();
  }

  /**
   * Reopens the stored requests. Call it once, before anything else.
   * @throws (rejects) what the store rejects with; UsageError for an entry that is no stored request
   */
  async restore(): Promise<void> {
    for (const input of await this.#store.load()) this.#loop.apply(input);
  }

  /** @throws LinkError (rejects) if an address cannot be bound */
  async bind(): Promise<void> {
    for (const { settings, link } of this.#listeners) {
      for (const address of settings.addresses) this.#addresses.push(await link.bind(address));
    }
  }

  /**
   * Opens the internal channel and announces the directory.
   * @returns the address as bound
   * @throws LinkError (rejects) if it cannot be bound
   */
  async openChannel(address: string): Promise<string> {
    await removeLeftChannels(address);
    this.#channel = openChannel(this.#options, this);
    const bound = await this.#channel.bind(address);
    this.#loop.apply({ type: "start" });
    return bound;
  }

  /** Rejects new requests. Resolves when no request is open, or when the limit has passed and all have failed. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#loop.apply({ type: "drain", limitMs: this.#options.stopTimeoutMs });
    });
  }

  async close(): Promise<void> {
    this.#loop.close();
    await Promise.all([...this.#listeners.map(({ link }) => link.close()), this.#channel?.close()]);
    const { clock, stopTimeoutMs } = this.#options;
    await this.#store.idle(clock, stopTimeoutMs);
  }

  onInput(input: Input): void {
    this.#loop.apply(input);
  }

  /** Comes before the `peer-down` of the same peer, so the core knows that the request was never delivered. */
  onUndelivered(to: PeerId, frames: Frames): void {
    const dialect = this.#core.dialectOf(to);
    const address = dialect === undefined ? undefined : this.#dialect(dialect).addressIn(frames);
    if (address !== undefined) this.#loop.apply({ type: "request-undelivered", to, address, reason: "unreachable" });
  }

  onRejected(rejected: ConnectionRejected): void {
    this.#loop.notify({ type: "rejected", rejected });
  }

  onError(error: LinkError): void {
    this.#loop.notify({ type: "link-failed", error });
  }

  deliver(notice: Notice): void {
    this.#report(notice);
  }

  settle(): void {
    if (this.#unreachable.size === 0) return;
    for (const peer of this.#unreachable) this.#loop.apply({ type: "peer-down", peer });
    this.#unreachable.clear();
  }

  perform(effect: Effect): void {
    switch (effect.type) {
      case "to-client":
        return this.#sendToClient(effect);
      case "to-worker":
        return this.#sendToWorker(effect);
      case "confirm":
        return this.#loop.apply({ type: "handed-over", address: effect.address });
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

  #sendToClient({ to, message, capabilities, dialect, isContinuation }: ToClientEffect): void {
    const frames = this.#dialect(dialect).encodeToClient(message, capabilities);
    if (frames === undefined) return;
    const outcome =
      isContinuation && this.#isClientCongested
        ? "congested"
        : this.#send(to, frames, message.type === "failure" ? URGENT : undefined);
    this.#isClientCongested = outcome === "congested";
    if (outcome === "queued" || outcome === "slow") return;
    this.#loop.apply({ type: "undelivered-to-client", to, message, reason: outcome });
    if (outcome === "unreachable") this.#unreachable.add(to);
  }

  #sendToWorker({ to, message, dialect }: ToWorkerEffect): void {
    const frames = this.#dialect(dialect).encodeToWorker(message);
    if (frames === undefined) return;
    const outcome = this.#send(to, frames, message.type === "disconnect" ? URGENT : undefined);
    if (outcome === "queued" || outcome === "slow") return;
    if (message.type === "request") {
      this.#loop.apply({ type: "request-undelivered", to, address: message.address, reason: outcome });
    } else if (outcome === "congested" && isOfStream(message)) {
      const what = message.type === "credit" ? "grant" : "input";
      this.#loop.apply({ type: "stream-undelivered", to, address: message.address, what });
    }
    if (outcome === "unreachable") this.#unreachable.add(to);
  }

  #send(to: PeerId, frames: FramesToSend, options: SendOptions | undefined): SendOutcome {
    return this.#listeners[listenerOf(to)]?.link.send(routingIdOf(to), frames, options) ?? "unreachable";
  }

  #dialect(id: DialectId): BrokerDialect {
    const dialect = this.#dialects[id];
    if (dialect === undefined) throw new Error(`no listener has the dialect "${id}"`);
    return dialect;
  }
}

/** Whether a stream would have a gap, or would stop, without this message. */
function isOfStream(message: ToWorker): message is Extract<ToWorker, { type: "credit" | "input" | "input-end" }> {
  return message.type === "credit" || message.type === "input" || message.type === "input-end";
}
