// The options of a client: their names, defaults and bounds. Those that it shares with a worker are in @pigato/peer.

import {
  bit,
  custom,
  integer,
  isRoutingIdText,
  milliseconds,
  notCarried,
  type Option,
  type OptionsOf,
  PeerSchema,
  prefixOption,
  resolveOptions as resolve,
  resolvePeerSecurity,
  type SettingsOf,
  type Warnings,
  warningsOf,
} from "@pigato/peer";
import { DEFAULT_TIMEOUT_MS } from "@pigato/protocol/internal";
import type { PeerSecurity } from "@pigato/transport";
import { MAX_DURATION_MS, retryOption, timeoutOption } from "./call-options.ts";
import { type ClientDialect, DIALECTS } from "./dialect.ts";

const MAX_REQUESTS = 10_000_000;
const MAX_CLIENT_ID_BYTES = 255;

export class ClientSchema {
  /** Whether to start when it is created. @defaultValue false */
  readonly autostart: Option<boolean | 0 | 1, boolean> = bit({ default: false });
  /** The first part of the client's id at the broker; the second is new with every connection. @defaultValue `C` and a random id */
  readonly prefix: Option<string> = prefixOption("C");
  /**
   * The client's id at the broker on every connection, in place of `prefix`. Requests with `persist` then survive the loss of
   * a connection: the broker holds their replies until the client is back. Must be unique among the clients of a broker, which
   * rejects a second connection with the same id. 1 to 255 bytes. @defaultValue none: an id for each connection
   */
  readonly clientId: Option<string, string | undefined> = custom<string, string | undefined>({
    expected: `text of 1 to ${MAX_CLIENT_ID_BYTES} bytes of UTF-8 that does not start with U+0000`,
    read: (value) => (typeof value === "string" && isRoutingIdText(value, MAX_CLIENT_ID_BYTES) ? value : undefined),
    default: undefined,
  });
  /** Milliseconds that a request may stay without any reply; −1 is no limit, 0 expires at once. @defaultValue 60 000 */
  readonly timeout: Option<number> = timeoutOption(DEFAULT_TIMEOUT_MS);
  /**
   * Whether a request is sent again when its worker is lost, or its broker is lost or stops, before the first reply. It may then
   * run more than once. `true` allows 10 attempts in all, a number from 2 that many; 1 is `true`, as on the classic wire. The
   * pauses between attempts are those of `reconnect` and `reconnectMaxMs`. After the last attempt, it fails.
   * @defaultValue false
   */
  readonly retry: Option<boolean | number> = retryOption();
  /**
   * Milliseconds after a request's timeout in which the broker may still report how far the request got; only with a broker
   * that reports it. @defaultValue 200
   */
  readonly timeoutGraceMs: Option<number> = milliseconds({ min: 0, max: MAX_DURATION_MS, default: 200 });
  /**
   * Requests that may wait while no link is up, or in Majordomo for their turn; the next one fails with `BUSY`.
   * @defaultValue 10 000
   */
  readonly maxQueuedRequests: Option<number> = integer({ min: 0, max: MAX_REQUESTS, default: 10_000 });
  /** Requests that may be open; the next one fails with `BUSY`. @defaultValue 100 000 */
  readonly maxOpenRequests: Option<number> = integer({ min: 1, max: MAX_REQUESTS, default: 100_000 });
  /**
   * Whether the `stack` of a failure shows the code that made the request also where no `await` leads to it: in a callback, in the
   * `error` event of a stream, and in `pipeline`. It costs about as much CPU as the request itself. @defaultValue false
   */
  readonly callerStacks: Option<boolean | 0 | 1, boolean> = bit({ default: false });
}

const SCHEMA: PeerSchema & ClientSchema = { ...new PeerSchema(), ...new ClientSchema() };

/** Durations are milliseconds. */
export interface ClientOptions extends OptionsOf<PeerSchema>, OptionsOf<ClientSchema> {}

/** Every option with its value. `security` stands for `curve` and `plain`, and shows no key. `speaker` is the dialect. */
export interface ClientSettings extends Omit<SettingsOf<PeerSchema>, "curve" | "plain">, SettingsOf<ClientSchema> {
  readonly security: PeerSecurity | undefined;
  readonly warnings: Warnings;
  readonly speaker: ClientDialect;
}

/** Options that zmq-omdp cannot support. Its brokers send no heartbeats to clients. */
const BEYOND_OMDP = ["heartbeatLiveness", "negotiate"] as const satisfies readonly (keyof ClientOptions)[];

/** Options that Majordomo cannot support. */
const BEYOND_MAJORDOMO = [
  "heartbeat",
  "heartbeatLiveness",
  "retry",
  "timeoutGraceMs",
  "negotiate",
  "clientId",
] as const satisfies readonly (keyof ClientOptions)[];

/** Whether a client has an option of this name. */
export function isClientOption(name: string): name is keyof ClientOptions {
  return Object.hasOwn(SCHEMA, name);
}

/** @throws UsageError for an unknown option or a value out of its bounds */
export function resolveOptions(input: ClientOptions = {}): ClientSettings {
  const { curve, plain, ...settings } = resolve("a client", SCHEMA, input);
  const { dialect, transport } = settings;
  if (dialect !== "pigato") {
    for (const name of dialect === "omdp" ? BEYOND_OMDP : BEYOND_MAJORDOMO) {
      const value = input[name];
      if (value !== undefined && value !== false && value !== 0) throw notCarried(dialect, name);
    }
  }
  return {
    ...settings,
    warnings: warningsOf(input.logger, settings.clock),
    security: resolvePeerSecurity(input, transport),
    speaker: DIALECTS[dialect],
  };
}
