// A dealer's or a subscriber's connection, derived from libzmq's events: up, lost, and up again. Over inproc there are no events:
// the other end counts as connected from the call to `connect` on, and its end is never reported.
//
// libzmq reconnects by itself after it lost a connection, and reports so ("connect:retry"). After a violation of the protocol,
// such as a frame over the bound or a peer of the wrong type, it reports "disconnect" and then nothing more: then this class
// reconnects. A "disconnect" alone means nothing, because libzmq reports it before it delivers the last messages.

import { type LookupAddress, lookup } from "node:dns";
import { isIP } from "node:net";
import type { Dealer, Event, Subscriber } from "zeromq";
import { connectError, hostOf, isIpv6, kindToConnect, rejectedError, unreachableError } from "../addresses.ts";
import { type Alarm, systemClock } from "../clock.ts";
import { descriptorShortage } from "../descriptors.ts";
import { type ConnectionRejection, LinkError, type PeerFacts } from "../link.ts";
import type { Mechanism } from "../security/auth-request.ts";
import { queueMicrotask } from "../timers.ts";
import { rejectionByPeer } from "./handshake-events.ts";
import { noSecurity } from "./listener-security.ts";
import { Monitor } from "./monitor.ts";

/** Milliseconds of silence after a "disconnect" before this end reconnects. They double up to the longest pause. */
const FIRST_PAUSE_MS = 200;

const UNKNOWN_REASON = "no process accepts connections there (libzmq reports no cause)";

interface MonitoredConnectionSettings {
  /** The link, as errors name it. */
  readonly owner: "dealer" | "subscriber";
  readonly longestPauseMs: number;
  /** The mechanism of this end. */
  readonly mechanism: Mechanism;
}

interface MonitoredConnectionListener {
  onUp(facts: PeerFacts): void;
  /** The socket has all messages of the lost connection. */
  onLost(): void;
  /** The other end rejected this one, or is not the expected one. */
  onRejected(rejection: ConnectionRejection): void;
  /** An attempt failed before the connection was up. After `onRejected`, if that was the reason. */
  onAttemptFailed(error: LinkError): void;
}

export class MonitoredConnection {
  readonly #socket: Dealer | Subscriber;
  readonly #settings: MonitoredConnectionSettings;
  readonly #listener: MonitoredConnectionListener;
  /** Created by `connect`; never over inproc. */
  #monitor: Monitor | undefined;
  readonly #silence: Alarm = systemClock.alarm(() => this.#onSilence());
  readonly #nextLookup: Alarm = systemClock.alarm(() => this.#resolve(this.#address ?? ""));
  #pauseMs = FIRST_PAUSE_MS;
  #address: string | undefined;
  /** What the present attempt, or the connection, has come to. */
  #outcome: "connecting" | "up" | "rejected" = "connecting";

  constructor(
    socket: Dealer | Subscriber,
    settings: MonitoredConnectionSettings,
    listener: MonitoredConnectionListener,
  ) {
    this.#socket = socket;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** Starts to connect, once. @throws LinkError for an invalid address, and for a second call */
  connect(address: string): void {
    const { owner, mechanism } = this.#settings;
    const kind = kindToConnect(address);
    if (this.#address !== undefined) {
      throw new LinkError("FAILED", `cannot connect to ${address}: the ${owner} already connects to ${this.#address}`);
    }
    if (kind === "inproc" && mechanism !== "NULL") throw noSecurity(address);
    if (kind !== "inproc") this.#monitor ??= new Monitor(this.#socket, (event) => this.#onEvent(event));
    if (kind === "tcp" && isName(hostOf(address))) this.#resolve(address);
    else this.#start(address, isIpv6(address));
    this.#address = address;
    if (kind === "inproc") queueMicrotask(() => this.#listener.onUp({}));
  }

  /** Closes the socket; see `Monitor.closeSocket`. Over inproc, written messages are in the reader's queue already. */
  async closeSocket(lingerMs: number): Promise<void> {
    this.#silence.set(undefined);
    this.#nextLookup.set(undefined);
    if (this.#monitor === undefined) this.#socket.close();
    else await this.#monitor.closeSocket(lingerMs);
  }

  /** libzmq resolves a name to addresses of one family and reports no failure. So this link resolves the name first, and selects the family. */
  #resolve(address: string): void {
    lookup(hostOf(address), { all: true }, (error, found) => {
      if (this.#socket.closed) return;
      if (error === null) return this.#startResolved(address, found);
      this.#listener.onAttemptFailed(unreachableError(address, error));
      this.#pauseMs = Math.min(this.#pauseMs * 2, Math.max(FIRST_PAUSE_MS, this.#settings.longestPauseMs));
      this.#nextLookup.set(systemClock.now() + this.#pauseMs);
    });
  }

  #startResolved(address: string, found: readonly LookupAddress[]): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    try {
      this.#start(
        address,
        found.every(({ family }) => family === 6),
      );
    } catch (error) {
      this.#listener.onAttemptFailed(unreachableError(address, String(error)));
    }
  }

  #start(address: string, usesIpv6: boolean): void {
    if (usesIpv6) this.#socket.ipv6 = true;
    try {
      this.#socket.connect(address);
    } catch (error) {
      throw connectError(address, error);
    }
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case "handshake":
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#outcome = "up";
        return this.#listener.onUp({ remoteAddress: event.address });
      case "disconnect":
        // A socket that is closing still has events.
        if (!this.#socket.closed) this.#silence.set(systemClock.now() + this.#pauseMs);
        return;
      case "connect:retry":
        this.#silence.set(undefined);
        return this.#onRetry();
      default: {
        const rejection = rejectionByPeer(event, this.#settings.mechanism);
        if (rejection !== undefined && !this.#socket.closed) this.#onRejected(rejection);
      }
    }
  }

  #onRetry(): void {
    const outcome = this.#outcome;
    this.#outcome = "connecting";
    this.#listener.onLost();
    if (outcome !== "connecting") return;
    this.#listener.onAttemptFailed(unreachableError(this.#address ?? "", descriptorShortage() ?? UNKNOWN_REASON));
  }

  #onRejected(rejection: ConnectionRejection): void {
    this.#outcome = "rejected";
    this.#listener.onRejected(rejection);
    this.#listener.onAttemptFailed(rejectedError(this.#address ?? "", rejection));
  }

  #onSilence(): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, Math.max(FIRST_PAUSE_MS, this.#settings.longestPauseMs));
    this.#outcome = "connecting";
    this.#listener.onLost();
    if (this.#address === undefined) return;
    this.#socket.disconnect(this.#address);
    this.#socket.connect(this.#address);
  }
}

/** Not an IP address, which may name an interface, nor libzmq's form with an address of this end. */
function isName(host: string): boolean {
  return isIP(host) === 0 && !host.includes(";");
}
