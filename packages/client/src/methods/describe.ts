// Asks a service for its methods. People know a service by its name, and hosts offer a version of it. So the bare name stands for its
// highest version where no worker offers the name itself.

import type { ServiceDescription } from "@pigato/contract";
import { HOST_METHODS, isServiceDescription } from "@pigato/contract/internal";
import { RequestError, UsageError } from "@pigato/protocol";
import type { CallOptions } from "../call-options.ts";

export type DescribeOptions = Omit<CallOptions, "method" | "args">;

/** A range that includes every version. */
const ANY_VERSION = "@x";

type Call = (service: string, data: undefined, options: CallOptions) => Promise<unknown>;

/**
 * @param isPigato whether the broker may know ranges of versions and `failFast`
 * @throws UsageError if the worker that answers is no host
 */
export async function describeService(
  service: string,
  options: DescribeOptions,
  { call, isPigato }: { readonly call: Call; readonly isPigato: boolean },
): Promise<ServiceDescription> {
  const asked = { ...options, method: HOST_METHODS.info };
  const names = isPigato && !String(service).includes("@") ? [service, service + ANY_VERSION] : [];
  const served = await firstServed(names, asked, call);
  const described = served === undefined ? await call(service, undefined, asked) : served.reply;
  if (isServiceDescription(described)) return described;
  throw new UsageError(`service "${service}" cannot be described: the worker that answered is no host`);
}

/** The reply of the first service that has a worker now; `undefined` if none has. */
async function firstServed(
  names: readonly string[],
  options: CallOptions,
  call: Call,
): Promise<{ readonly reply: unknown } | undefined> {
  for (const name of names) {
    try {
      return { reply: await call(name, undefined, { ...options, failFast: true }) };
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "UNAVAILABLE") throw error;
    }
  }
  return undefined;
}
