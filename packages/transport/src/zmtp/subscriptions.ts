// The table of subscriptions. A message is matched by one lookup for each length of prefix in the table, whatever the number of
// subscribers. A subscriber with several matching prefixes is found once. Pure.
//
// A prefix counts once for each subscriber, as in libzmq: one cancellation removes it.

import { MAX_PREFIX_BYTES, MAX_PREFIXES } from "../prefixes.ts";
import type { Violation } from "./wire.ts";

const SUBSCRIBE = 1;
const CANCEL = 0;

/** A prefix, as a byte string, that a peer subscribes to or cancels. */
export interface Subscription {
  readonly prefix: string;
  readonly isSubscribed: boolean;
}

/**
 * Decodes a message from a subscriber; `undefined` for any other message. libzmq's SUB sends commands to peers of ZMTP 3.1 and
 * such messages to peers of 3.0. Its XSUB always sends messages, and may send others, too.
 */
export function readSubscription(frames: readonly Uint8Array[]): Subscription | undefined {
  const [frame] = frames;
  if (frame === undefined || frames.length > 1) return undefined;
  const first = frame[0];
  if (first !== SUBSCRIBE && first !== CANCEL) return undefined;
  return { prefix: Buffer.from(frame.subarray(1)).toString("latin1"), isSubscribed: first === SUBSCRIBE };
}

export class Subscriptions<Subscriber> {
  /** The table, in both directions. */
  readonly #subscribersOf = new Map<string, Set<Subscriber>>();
  readonly #prefixesOf = new Map<Subscriber, Set<string>>();
  /** The number of prefixes of each length. */
  readonly #lengths = new Map<number, number>();

  /** @returns why the subscriber must be disconnected */
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
    if (this.#prefixesOf.get(subscriber)?.delete(prefix)) this.#removePrefix(subscriber, prefix);
  }

  /** The subscriber has disconnected. */
  removeAll(subscriber: Subscriber): void {
    for (const prefix of this.#prefixesOf.get(subscriber) ?? []) this.#removePrefix(subscriber, prefix);
    this.#prefixesOf.delete(subscriber);
  }

  /** The subscribers with a prefix of `start`, each once. @param start of a message, as long as a prefix can be */
  matching(start: string): ReadonlySet<Subscriber> {
    const found = new Set<Subscriber>();
    for (const length of this.#lengths.keys()) {
      if (length > start.length) continue;
      for (const subscriber of this.#subscribersOf.get(start.slice(0, length)) ?? []) found.add(subscriber);
    }
    return found;
  }

  #removePrefix(subscriber: Subscriber, prefix: string): void {
    const subscribers = this.#subscribersOf.get(prefix);
    subscribers?.delete(subscriber);
    if (subscribers === undefined || subscribers.size > 0) return;
    this.#subscribersOf.delete(prefix);
    const others = (this.#lengths.get(prefix.length) ?? 1) - 1;
    if (others > 0) this.#lengths.set(prefix.length, others);
    else this.#lengths.delete(prefix.length);
  }
}

/** The set of a key, created if it is missing. */
function entryOf<Key, Value>(map: Map<Key, Set<Value>>, key: Key): Set<Value> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Set<Value>();
  map.set(key, made);
  return made;
}
