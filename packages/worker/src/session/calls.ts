// The requests in flight of one connection. A call is looked up by what the broker calls it, and known by being the very
// object: a handler of an earlier connection holds another one, whatever its names.

import type { RequestId } from "@pigato/protocol";

/** How the broker names a request to a worker; echoed as it came. */
interface Named {
  readonly address: string;
  readonly requestId: RequestId;
}

export interface Call extends Named {
  readonly key: string;
}

export class Calls {
  readonly #byKey = new Map<string, Call>();

  get size(): number {
    return this.#byKey.size;
  }

  /** @returns `undefined` if one of that name is in flight already */
  add(named: Named): Call | undefined {
    const key = keyOf(named);
    if (this.#byKey.has(key)) return undefined;
    const call: Call = { address: named.address, requestId: named.requestId, key };
    this.#byKey.set(key, call);
    return call;
  }

  find(named: Named): Call | undefined {
    return this.#byKey.get(keyOf(named));
  }

  /** Takes out the call of that name. */
  take(named: Named): Call | undefined {
    const call = this.#byKey.get(keyOf(named));
    if (call !== undefined) this.#byKey.delete(call.key);
    return call;
  }

  /** Takes out all calls, oldest first. */
  takeAll(): readonly Call[] {
    const calls = [...this.#byKey.values()];
    this.#byKey.clear();
    return calls;
  }

  has(call: Call): boolean {
    return this.#byKey.get(call.key) === call;
  }

  /** @returns whether it was in flight */
  remove(call: Call): boolean {
    return this.has(call) && this.#byKey.delete(call.key);
  }
}

/** The length keeps two pairs apart whose concatenations are equal. */
function keyOf({ address, requestId }: Named): string {
  return `${address.length} ${address}${requestId}`;
}
