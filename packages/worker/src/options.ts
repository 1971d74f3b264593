// The options of a worker: their names, defaults and bounds. Those that it shares with a client are in @pigato/peer.

import {
  boolean,
  type DialectName,
  integer,
  notCarried,
  type Option,
  type OptionsOf,
  PeerSchema,
  prefixOption,
  readOption,
  resolveOptions as resolve,
  resolvePeerSecurity,
  type SettingsOf,
  type Warnings,
  warningsOf,
} from "@pigato/peer";
import type { PeerSecurity } from "@pigato/transport";

const MAX_COUNT = 1_000_000;

export class WorkerSchema {
  /** The first part of the worker's id at the broker; the second is new with every connection. @defaultValue `W` and a random id */
  readonly prefix: Option<string> = prefixOption("W");
  /**
   * The most requests that the broker may have this worker handle at a time; −1 is no limit, 0 a pause. In Majordomo it is 1.
   * May be changed later: `worker.conf.concurrency = 2`. @defaultValue 100
   */
  readonly concurrency: Option<number> = integer({ min: -1, max: MAX_COUNT, default: 100 });
  /**
   * Whether the handler reads the method of a request from `opts.method`. Otherwise it gets the method with the data, as
   * `{ args, kwargs, method }`. @defaultValue false
   */
  readonly methods: Option<boolean> = boolean({ default: false });
  /**
   * Requests in flight above which further ones are rejected at once, or `concurrency` if that is more: protects a worker
   * without a limit, and from a broker that ignores it. @defaultValue 100 000
   */
  readonly maxInFlight: Option<number> = integer({ min: 1, max: MAX_COUNT, default: 100_000 });
  /**
   * Bytes that handlers may write without waiting for `drain` while their clients do not read, for all requests together;
   * beyond, a request ends: its client gets `WORKER_FAILED` with `BUSY` as the `code` in `detail`. A chunk counts with 256
   * bytes more than it has. @defaultValue 64 MiB
   */
  readonly maxHeldBytes: Option<number> = integer({
    unit: "bytes",
    min: 0,
    max: 1024 * 1024 * 1024,
    default: 64 * 1024 * 1024,
  });
}

const SCHEMA: PeerSchema & WorkerSchema = { ...new PeerSchema(), ...new WorkerSchema() };

/** Durations are milliseconds. */
export interface WorkerOptions extends OptionsOf<PeerSchema>, OptionsOf<WorkerSchema> {}

/** Every option with its value. `security` stands for `curve` and `plain`, and shows no key. */
export interface WorkerSettings extends Omit<SettingsOf<PeerSchema>, "curve" | "plain">, SettingsOf<WorkerSchema> {
  readonly security: PeerSecurity | undefined;
  readonly warnings: Warnings;
}

/** `worker.conf`: the options in force. Setting `concurrency` notifies the broker; the rest is read-only. */
export type WorkerConf = Omit<WorkerSettings, "concurrency" | "warnings"> & { concurrency: number };

/** Whether a worker has an option of this name. */
export function isWorkerOption(name: string): name is keyof WorkerOptions {
  return Object.hasOwn(SCHEMA, name);
}

/** @throws UsageError for an unknown option or a value out of its bounds */
export function resolveOptions(input: WorkerOptions): WorkerSettings {
  const { curve, plain, ...settings } = resolve("a worker", SCHEMA, input);
  const security = resolvePeerSecurity(input, settings.transport);
  const warnings = warningsOf(input.logger, settings.clock);
  if (settings.dialect === "pigato") return { ...settings, security, warnings };
  checkCarried(settings.dialect, input);
  return { ...settings, security, warnings, concurrency: 1, maxInFlight: 1 };
}

/** The settings as `worker.conf`. @param onConcurrency called with every new limit, as from `limitOf` */
export function liveOptions(settings: WorkerSettings, onConcurrency: (limit: number) => void): WorkerConf {
  const { warnings: _warnings, ...shown } = settings;
  let { concurrency } = settings;
  return Object.freeze({
    ...shown,
    get concurrency(): number {
      return concurrency;
    },
    set concurrency(value: number) {
      readOption("concurrency", SCHEMA.concurrency, value);
      checkCarried(settings.dialect, { concurrency: value });
      concurrency = value;
      onConcurrency(limitOf(value));
    },
  });
}

/** A `concurrency` as a number to compare with: −1 is `Infinity`. */
export function limitOf(concurrency: number): number {
  return concurrency < 0 ? Number.POSITIVE_INFINITY : concurrency;
}

/** @throws UsageError for options that the dialect cannot support */
function checkCarried(dialect: DialectName, { concurrency, maxInFlight, methods, negotiate }: WorkerOptions): void {
  if (dialect === "pigato") return;
  if (concurrency !== undefined && concurrency !== 1) {
    throw notCarried(dialect, `a concurrency of ${concurrency}`, "a worker there has one request at a time");
  }
  if (maxInFlight !== undefined) {
    throw notCarried(dialect, "maxInFlight", "a worker there has one request at a time");
  }
  if (methods === true) throw notCarried(dialect, "methods");
  if (negotiate !== undefined && negotiate !== false) throw notCarried(dialect, "negotiate");
}
