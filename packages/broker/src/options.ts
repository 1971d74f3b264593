// From what a broker's user passes to settings in which nothing is missing.

import { type OptionsOf, resolveOptions as resolve, type SettingsOf } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import { RequestBoundsSchema } from "./request-bounds.ts";
import { BrokerSchema } from "./schema.ts";
import { resolveSecurity, type SecurityOf } from "./security.ts";

/** The options of a `Broker`. */
export interface BrokerOptions extends OptionsOf<BrokerSchema>, OptionsOf<RequestBoundsSchema> {}

type SecurityOption = "curve" | "plain" | "authenticate" | "zapDomain";

/** Every option with its value. */
export interface ResolvedOptions
  extends Omit<SettingsOf<BrokerSchema>, "intch" | SecurityOption>,
    SettingsOf<RequestBoundsSchema> {
  /** The address as given; after a start, as bound. */
  intch: string | false;
  /** The security of a listener, from `curve`, `plain`, `authenticate` and `zapDomain`. It shows no key. */
  readonly securityOf: SecurityOf;
}

export const SCHEMA: BrokerSchema & RequestBoundsSchema = { ...new BrokerSchema(), ...new RequestBoundsSchema() };

/** Whether a broker has an option of this name. */
export function isBrokerOption(name: string): name is keyof BrokerOptions {
  return Object.hasOwn(SCHEMA, name);
}

/** @throws UsageError that names an unknown option or an invalid value */
export function resolveOptions(input: BrokerOptions): ResolvedOptions {
  const settings = resolve("the broker", SCHEMA, withoutNulls(input));
  const { curve, plain, authenticate, zapDomain, ...others } = settings;
  const securityOf = resolveSecurity(settings);
  const { isSecurable = false } = settings.transport;
  const isSecured = isSecurable === true || (isSecurable === "without-curve" && curve === undefined);
  if (securityOf("bind") !== undefined && !isSecured) {
    const reason = 'curve, plain and authenticate need the transport "libzmq", which is the default with them';
    throw new UsageError(`${reason}; without curve, "zmtp" works as well`);
  }
  return { ...others, securityOf };
}

/** `null` counts as absent, as in npm `pigato`, except where that would leave a broker open. */
function withoutNulls(input: BrokerOptions): BrokerOptions {
  if (typeof input !== "object" || input === null) return input;
  const isGiven = (name: string, value: unknown): boolean =>
    value !== null || !isBrokerOption(name) || SCHEMA[name].isStrict === true;
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => isGiven(name, value)));
}
