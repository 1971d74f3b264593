// Clients that the broker knows. One that announced how often it sends heartbeats is given up when it falls silent, and
// with it the interest in its requests. An old one promised nothing: it is only forgotten, once it has nothing open and
// has not been heard of for a while.

import type { Capabilities, Deadlines, Instant, PeerId } from "@pigato/protocol";
import { intervalOf, UNKNOWN_RHYTHM } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import type { ClientDownReason } from "./effects.ts";
import { countSilence, noteHeard, startLease } from "./lease.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { Client, type Due } from "./records.ts";
import type { Requests } from "./requests.ts";

/** Milliseconds after which a client that announced no interval and has nothing open is forgotten. */
const IDLE_MS = 60_000;

export class Clients {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  readonly #open: OpenRequests;
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #byId = new Map<PeerId, Client>();

  constructor(options: CoreOptions, deadlines: Deadlines<Due>, open: OpenRequests, requests: Requests, outbox: Outbox) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#open = open;
    this.#requests = requests;
    this.#outbox = outbox;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: PeerId): Client | undefined {
    return this.#byId.get(id);
  }

  values(): IterableIterator<Client> {
    return this.#byId.values();
  }

  /** A record to answer a client by, which is not remembered. */
  stranger(id: PeerId): Client {
    return new Client(id, IDLE_MS, this.#open, this.#deadlines);
  }

  /** The client's record, made if there is none; `undefined` at the bound. */
  require(id: PeerId, now: Instant): Client | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    if (this.#byId.size >= this.#options.maxClients) return undefined;
    const client = new Client(id, IDLE_MS, this.#open, this.#deadlines);
    this.#byId.set(id, client);
    startLease(client, client.leaseMs, this.#deadlines, now);
    this.#outbox.report({ type: "client-up", client: id });
    return client;
  }

  negotiate(client: Client, shared: Capabilities, intervalMs: number | undefined, now: Instant): void {
    client.capabilities = shared;
    client.hasPromised = intervalMs !== undefined;
    client.leaseMs = client.hasPromised
      ? intervalOf({ ...UNKNOWN_RHYTHM, announcedMs: intervalMs }, this.#options.heartbeatMs)
      : IDLE_MS;
    startLease(client, client.leaseMs, this.#deadlines, now);
  }

  /** Any sign of life. */
  onHeard(client: Client, now: Instant): void {
    noteHeard(client, now);
  }

  /** Its lease has come: it may have been silent. */
  onLease(client: Client, now: Instant): void {
    const missed = countSilence(client, client.leaseMs, this.#deadlines, now);
    if (missed === 0) return;
    if (client.hasPromised && missed >= this.#options.heartbeatLiveness) return this.lose(client, "silent");
    if (!client.hasPromised && client.requests.size === 0) return this.lose(client, "idle");
  }

  /** A client is gone: nobody waits for its requests any more. */
  lose(client: Client, reason: ClientDownReason): void {
    this.#byId.delete(client.id);
    this.#deadlines.clear(client.lease);
    this.#outbox.report({ type: "client-down", client: client.id, reason });
    this.#requests.cancelAll(client.requests);
  }
}
