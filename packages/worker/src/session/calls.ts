// The requests in flight of one connection. A call is looked up by what the broker calls it, and known by being the very
// object: a handler of an earlier connection holds another one, whatever its names. On the path of every request,
// measured by apps/bench.
//
// A table of chains, hashed over both parts of a name, rather than a Map with joined names for its keys: a Map that is
// filled and emptied all the time makes itself a new table every few calls and keeps ended ones alive (IdIndex), which
// was a quarter of what a request cost the worker. Clients choose their ids, so the hash is salted: nobody can know which
// ids fall together.

import { MAX_CREDIT, type RequestId } from "@pigato/protocol";
import type { Held } from "./held-parts.ts";

/** How the broker names a request to a worker; echoed as it came. */
export interface Named {
  readonly address: string;
  readonly requestId: RequestId;
}

/** One request from the moment it is taken. Whoever has it hands it back; its other fields are the business of `Calls`. */
export class Call implements Named {
  readonly address: string;
  readonly requestId: RequestId;
  readonly hash: number;
  /** Counts the calls of a worker. */
  readonly number: number;
  /** Whether it has neither been answered nor taken out. */
  isInFlight = true;
  /** Whoever answers it: the shell's, and never looked at here. */
  owner: unknown;
  /** Parts of its reply that may leave before more are granted; `MAX_CREDIT` where it is not paced. */
  credit: number = MAX_CREDIT;
  /** What its handler wrote beyond that, and behind it. */
  held: Held | undefined;
  /** The next one of its chain. */
  next: Call | undefined;

  constructor(named: Named, hash: number, number: number) {
    this.address = named.address;
    this.requestId = named.requestId;
    this.hash = hash;
    this.number = number;
  }
}

/** Chains at first; doubled when there are more calls than chains, and kept: a worker's calls have a bound. */
const FEWEST_CHAINS = 64;

export class Calls {
  readonly #salt: number;
  #chains: (Call | undefined)[] = emptyChains(FEWEST_CHAINS);
  #size = 0;
  #lastNumber = 0;

  /** @param random from 0 up to 1; what nobody outside knows of it keeps clients from choosing ids that collide */
  constructor(random: () => number) {
    this.#salt = Math.floor(random() * 2 ** 32) | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns `undefined` if one of that name is in flight already */
  add(named: Named): Call | undefined {
    const hash = hashOf(named, this.#salt);
    if (this.#findHashed(named, hash) !== undefined) return undefined;
    if (this.#size === this.#chains.length) this.#grow();
    this.#lastNumber += 1;
    const call = new Call(named, hash, this.#lastNumber);
    this.#link(call);
    this.#size += 1;
    return call;
  }

  find(named: Named): Call | undefined {
    return this.#findHashed(named, hashOf(named, this.#salt));
  }

  /** Takes out the call of that name. */
  take(named: Named): Call | undefined {
    const call = this.find(named);
    if (call !== undefined) this.remove(call);
    return call;
  }

  /** Takes out all calls, oldest first. */
  takeAll(): readonly Call[] {
    const calls: Call[] = [];
    for (const first of this.#chains) {
      for (let call = first; call !== undefined; call = call.next) calls.push(call);
    }
    for (const call of calls) this.remove(call);
    return calls.sort((left, right) => left.number - right.number);
  }

  /** @returns whether it was in flight */
  remove(call: Call): boolean {
    if (!call.isInFlight) return false;
    const chain = call.hash & (this.#chains.length - 1);
    let before = this.#chains[chain];
    if (before === call) {
      this.#chains[chain] = call.next;
    } else {
      while (before !== undefined && before.next !== call) before = before.next;
      if (before !== undefined) before.next = call.next;
    }
    call.next = undefined;
    call.isInFlight = false;
    this.#size -= 1;
    return true;
  }

  #findHashed(named: Named, hash: number): Call | undefined {
    let call = this.#chains[hash & (this.#chains.length - 1)];
    while (call !== undefined && !isNamed(call, hash, named)) call = call.next;
    return call;
  }

  #link(call: Call): void {
    const chain = call.hash & (this.#chains.length - 1);
    call.next = this.#chains[chain];
    this.#chains[chain] = call;
  }

  #grow(): void {
    const chains = this.#chains;
    this.#chains = emptyChains(chains.length * 2);
    for (const first of chains) {
      for (let call = first; call !== undefined; ) {
        const { next } = call;
        this.#link(call);
        call = next;
      }
    }
  }
}

function emptyChains(count: number): (Call | undefined)[] {
  return new Array<Call | undefined>(count).fill(undefined);
}

function isNamed(call: Call, hash: number, named: Named): boolean {
  return call.hash === hash && call.requestId === named.requestId && call.address === named.address;
}

function hashOf({ address, requestId }: Named, salt: number): number {
  return hashText(address, hashText(requestId, salt));
}

function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}
