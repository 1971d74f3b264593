// The options of a host: those of a worker, and its own.

import type { Client } from "@pigato/client";
import {
  boolean,
  custom,
  invalidValue,
  type Option,
  type OptionsOf,
  PeerSchema,
  rejectUnknownOptions,
  resolveOptions as resolve,
  type SettingsOf,
} from "@pigato/peer";
import type { WorkerOptions } from "@pigato/worker";
import { resolveOptions as resolveWorkerOptions, WorkerSchema, type WorkerSettings } from "@pigato/worker/internal";

export class HostSchema {
  /** Whether callers get the stacks of errors that handlers throw. They show paths and code. @defaultValue false */
  readonly exposeStacks: Option<boolean> = boolean({ default: false });
  /**
   * Whether input that does not match its schema fails with `INVALID_ARGUMENT`. Without it, handlers get the input as it was sent,
   * which the schema has neither checked nor converted. @defaultValue true
   */
  readonly validateInput: Option<boolean> = boolean({ default: true });
  /**
   * Whether a handler fails whose output, chunk or error does not match its schema. The output is checked, and sent
   * unchanged. @defaultValue true, unless `NODE_ENV` is `production`; in Deno true
   */
  readonly validateOutput: Option<boolean> = boolean({ makeDefault: () => !isProduction() });
  /**
   * The client of `ctx.client`, which the host neither starts nor stops. @defaultValue one that the first such request creates, with the
   * host's addresses and connection options; it stops with the host
   */
  readonly client: Option<Client, Client | undefined> = custom<Client, Client | undefined>({
    expected: "a Client",
    read: (value) => (isClient(value) ? value : undefined),
    default: undefined,
  });
  /** Names of headers that requests of `ctx.client` inherit from the request at the host. @defaultValue traceparent, tracestate, baggage */
  readonly inheritHeaders: Option<readonly string[]> = custom<readonly string[]>({
    expected: "an array of names",
    read: (value) => (isNames(value) ? value.map((name) => name.toLowerCase()) : undefined),
    default: ["traceparent", "tracestate", "baggage"],
  });
}

/** Deno asks for a permission to read the environment. A default must not need one. */
function isProduction(): boolean {
  return process.versions.deno === undefined && process.env["NODE_ENV"] === "production";
}

/** Of any copy of the package. */
function isClient(value: unknown): value is Client {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "scoped") === "function";
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}

const OWN: HostSchema = new HostSchema();
const { methods: _methods, ...WORKER } = new WorkerSchema();
const ALL: object = { ...new PeerSchema(), ...WORKER, ...OWN };

/** Durations are milliseconds. `concurrency` and the other bounds apply to each connection, and so to all services that share it. */
export interface HostOptions extends Omit<WorkerOptions, "methods">, OptionsOf<HostSchema> {}

export interface HostSettings extends SettingsOf<HostSchema> {
  readonly worker: WorkerSettings;
}

/** @throws UsageError for an unknown option or a value out of its bounds */
export function resolveOptions(input: HostOptions = {}): HostSettings {
  if (typeof input !== "object" || input === null) throw invalidValue("the options of a host", "an object", input);
  rejectUnknownOptions("a host", ALL, input);
  const { exposeStacks, validateInput, validateOutput, client, inheritHeaders, ...worker } = input;
  return {
    ...resolve("a host", OWN, { exposeStacks, validateInput, validateOutput, client, inheritHeaders }),
    // Majordomo has no options that could name a method: there it comes with the data.
    worker: resolveWorkerOptions({ ...worker, methods: (worker.dialect ?? "pigato") === "pigato" }),
  };
}
