// Who subscribed to what. A message is matched by looking up its beginnings, as many as there are lengths of prefixes: that
// costs the same however many subscribers there are, and a subscriber with several prefixes that fit is found once. Pure.
//
// A prefix counts once for each subscriber, as it does to libzmq: whoever cancels it has it no more.

import { MAX_PREFIX_BYTES, MAX_PREFIXES } from "../prefixes.ts";
import type { Violation } from "./violation.ts";

const SUBSCRIBE = 1;
const CANCEL = 0;

/** A prefix, as a byte string, that a subscriber wants from now on, or no more. */
export interface Subscription {
  readonly prefix: string;
  readonly isWanted: boolean;
}

/**
 * What a message from a subscriber says. SUB of libzmq sends commands to peers of ZMTP 3.1 and such messages to those of 3.0;
 * XSUB always sends messages, and may send any others too.
 */
export function readSubscription(frames: readonly Uint8Array[]): Subscription | undefined {
  const [frame] = frames;
  if (frame === undefined || frames.length > 1) return undefined;
  const first = frame[0];
  if (first !== SUBSCRIBE && first !== CANCEL) return undefined;
  return { prefix: Buffer.from(frame.subarray(1)).toString("latin1"), isWanted: first === SUBSCRIBE };
}

export class Subscriptions<Subscriber> {
  /** Both ways round. */
  readonly #subscribersOf = new Map<string, Set<Subscriber>>();
  readonly #prefixesOf = new Map<Subscriber, Set<string>>();
  /** How many prefixes there are of each length. */
  readonly #lengths = new Map<number, number>();

  /** @returns why the subscriber is to be cut off */
  add(subscriber: Subscriber, prefix: string): Violation | undefined {
    if (prefix.length > MAX_PREFIX_BYTES) {
      const detail = `a subscription of ${prefix.length} bytes; the bound is ${MAX_PREFIX_BYTES}`;
      return { code: "FRAME_TOO_LARGE", detail };
    }
    const prefixes = entryOf(this.#prefixesOf, subscriber);
    if (prefixes.has(prefix)) return undefined;
    if (prefixes.size === MAX_PREFIXES) {
      return { code: "TOO_MANY_SUBSCRIPTIONS", detail: `more than ${MAX_PREFIXES} subscriptions` };
    }
    prefixes.add(prefix);
    const subscribers = entryOf(this.#subscribersOf, prefix);
    if (subscribers.size === 0) this.#lengths.set(prefix.length, (this.#lengths.get(prefix.length) ?? 0) + 1);
    subscribers.add(subscriber);
    return undefined;
  }

  remove(subscriber: Subscriber, prefix: string): void {
    if (this.#prefixesOf.get(subscriber)?.delete(prefix)) this.#forget(subscriber, prefix);
  }

  /** The subscriber is gone. */
  removeAll(subscriber: Subscriber): void {
    for (const prefix of this.#prefixesOf.get(subscriber) ?? []) this.#forget(subscriber, prefix);
    this.#prefixesOf.delete(subscriber);
  }

  /** Everybody who wants what starts so, each once. @param start of a message, as long as a prefix can be */
  wanting(start: string): ReadonlySet<Subscriber> {
    const found = new Set<Subscriber>();
    for (const length of this.#lengths.keys()) {
      if (length > start.length) continue;
      for (const subscriber of this.#subscribersOf.get(start.slice(0, length)) ?? []) found.add(subscriber);
    }
    return found;
  }

  #forget(subscriber: Subscriber, prefix: string): void {
    const subscribers = this.#subscribersOf.get(prefix);
    subscribers?.delete(subscriber);
    if (subscribers === undefined || subscribers.size > 0) return;
    this.#subscribersOf.delete(prefix);
    const others = (this.#lengths.get(prefix.length) ?? 1) - 1;
    if (others > 0) this.#lengths.set(prefix.length, others);
    else this.#lengths.delete(prefix.length);
  }
}

/** The set under a key, made if there is none. */
function entryOf<Key, Value>(map: Map<Key, Set<Value>>, key: Key): Set<Value> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Set<Value>();
  map.set(key, made);
  return made;
}
