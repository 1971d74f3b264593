// The functions that a host registered without a contract, called by their names with positional arguments.

import { isServedName } from "@pigato/contract";
import { InterceptorChain } from "@pigato/contract/internal";
import type { RequestError } from "@pigato/protocol";
import type { FunctionOptions, Remote } from "./api.ts";
import type { MethodPort } from "./method-port.ts";

type AnyCall = (...args: readonly unknown[]) => Promise<unknown>;

/** The most functions that are cached. A program may call any number of names. */
const MAX_KEPT = 1_000;

/**
 * An object that has every name that a method can have, and nothing else: no `then`, and no method that sets it up.
 * @throws UsageError for an option out of its bounds
 */
export function remoteFunctions<Functions>(
  service: string,
  options: FunctionOptions,
  port: MethodPort,
): Remote<Functions>;
export function remoteFunctions(
  service: string,
  { interceptors = [], ...calls }: FunctionOptions,
  port: MethodPort,
): object {
  const chain = new InterceptorChain(port, interceptors);
  const kept = new Map<string, AnyCall>();
  const newCall = (method: string): AnyCall => {
    const target = port.target({ service, method, definition: undefined, chain, toError }, calls);
    return (...args) => port.call(target, withoutTrailing(args));
  };
  // Options that cannot be used fail here, not at the first call.
  newCall("check");
  return new Proxy(Object.freeze(Object.create(null)), {
    get(_target, name) {
      if (typeof name !== "string" || !isServedName(name)) return undefined;
      let call = kept.get(name);
      if (call === undefined) {
        call = newCall(name);
        if (kept.size < MAX_KEPT) kept.set(name, call);
      }
      return call;
    },
  });
}

function toError(failure: RequestError): Error {
  return failure;
}

/** JSON would write an argument that was left out as null. */
function withoutTrailing(args: readonly unknown[]): readonly unknown[] {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  return length === args.length ? args : args.slice(0, length);
}
