// The options of a Picom instance, by the names of the original.

import {
  custom,
  integer,
  isAddress,
  type Logger,
  type Option,
  type OptionsOf,
  PeerSchema,
  resolveOptions as resolve,
  type SettingsOf,
} from "@pigato/peer";
import { UsageError } from "@pigato/protocol";

const { logger } = new PeerSchema();

export class PicomSchema {
  /**
   * The port of this host at which instances find each other. The first one runs a broker there, for its own host alone. When it ends,
   * another one takes over. @defaultValue 55 555
   */
  readonly port: Option<number> = integer({ min: 1, max: 65_535, default: 55_555 });
  /** The address of a broker, for instances on several hosts: `tcp://host:55555`. No broker is run then. @defaultValue none */
  readonly broker: Option<string, string | undefined> = custom<string, string | undefined>({
    expected: "text such as tcp://localhost:55555",
    read: (value) => (isAddress(value) ? value : undefined),
    default: undefined,
  });
  /** How often a request is sent again that no method has executed, such as one that the broker refused. @defaultValue 3 */
  readonly retries: Option<number> = integer({ min: 0, max: 100, default: 3 });
  /** Seconds of silence after which an instance gets no further requests. @defaultValue 30 */
  readonly ttl: Option<number> = integer({ min: 1, max: 3_600, default: 30 });
  /** Where to log, as of a worker; `false` turns warnings off. @defaultValue none: warnings of the process */
  readonly logger: Option<Logger | false, Logger> = logger;
}

const SCHEMA: PicomSchema = new PicomSchema();
/** Options of the original that have no meaning here. */
const CONSUL = ["consulHost", "consulPort"] as const;

export interface PicomOptions extends OptionsOf<PicomSchema> {}

/** @throws UsageError for an unknown option or a value out of its bounds */
export function resolveOptions(input: PicomOptions): SettingsOf<PicomSchema> {
  for (const name of CONSUL) {
    if (typeof input === "object" && input !== null && Object.hasOwn(input, name)) {
      throw new UsageError(`Picom finds services at a broker, not in Consul: replace ${name} by the option "broker"`);
    }
  }
  return resolve("Picom", SCHEMA, input);
}
