// From what users pass to settings in which nothing is missing. A schema is an object with one `Option` per name.
// Written as a class with one documented field per option, it keeps the doc comments for editors:
//
//   class WorkerSchema {
//     /** Milliseconds between heartbeats. @defaultValue 2500 */
//     readonly heartbeat: Option<number> = integer({ unit: "ms", min: 10, max: 60_000, default: 2_500 });
//   }
//   interface WorkerOptions extends OptionsOf<WorkerSchema> {}

import { inspect } from "node:util";
import { UsageError } from "@pigato/protocol";
import { nearestName } from "@pigato/protocol/internal";
import type { Option } from "./option.ts";

type AnyOption = Option<unknown, unknown>;

/** An object with one option per name. */
export type OptionSchema<Schema> = { readonly [Name in keyof Schema]: AnyOption };

/** The type that users pass: every option may be absent. */
export type OptionsOf<Schema> = {
  readonly [Name in keyof Schema]?: Schema[Name] extends { readonly isStrict: true }
    ? GivenOf<Schema[Name]>
    : GivenOf<Schema[Name]> | undefined;
};

/** The type that the code reads: every option has a value. */
export type SettingsOf<Schema> = {
  readonly [Name in keyof Schema]: Schema[Name] extends Option<unknown, infer Resolved> ? Resolved : never;
};

type GivenOf<Declared> = Declared extends Option<infer Given, unknown> ? Given : never;

/** @param owner the owner of the options, for error texts: "the broker", "a worker" */
export function resolveOptions<Schema extends OptionSchema<Schema>>(
  owner: string,
  schema: Schema,
  input: OptionsOf<Schema>,
): SettingsOf<Schema> {
  if (typeof input !== "object" || input === null) {
    throw invalidValue(`the options of ${owner}`, "an object", input);
  }
  rejectUnknownOptions(owner, schema, input);
  const settings = optionsIn(schema).map(([name, option]) => ({ [name]: resolveOne(name, option, input) }));
  // The spread gives an object with fast properties; `assign` alone gives a dictionary.
  return { ...Object.assign({}, ...settings) };
}

/** @throws UsageError that names the nearest option */
export function rejectUnknownOptions(owner: string, schema: object, input: object): void {
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(schema, name)) throw unknownOption(owner, name, Object.keys(schema));
  }
}

/**
 * Checks one value, for an option that can be set later.
 * @throws UsageError that names the option, the expectation and the value
 */
export function readOption<Resolved>(name: string, option: Option<unknown, Resolved>, value: unknown): Resolved {
  const resolved = option.read(value);
  if (resolved !== undefined) return resolved;
  // The value of a strict option may be secret.
  if (option.isStrict) throw new UsageError(`${name} must be ${option.expected}`);
  throw invalidValue(name, option.expected, value);
}

/** @param expected what the value must be: "an integer from 1 to 10" */
export function invalidValue(name: string, expected: string, value: unknown): UsageError {
  return new UsageError(`${name} must be ${expected}, not ${shown(value)}`);
}

/** Names and options of a schema, in the order of their declaration. */
export function optionsIn<Schema extends OptionSchema<Schema>>(schema: Schema): [name: string, option: AnyOption][] {
  return Object.entries(schema);
}

function resolveOne(name: string, option: AnyOption, input: object): unknown {
  const value: unknown = Reflect.get(input, name);
  if (value !== undefined) return readOption(name, option, value);
  if (option.isStrict && Object.hasOwn(input, name)) {
    throw new UsageError(`${name} is undefined: leave it out, or give it a value`);
  }
  return option.makeDefault();
}

function unknownOption(owner: string, name: string, known: readonly string[]): UsageError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `it has ${known.toSorted().join(", ")}` : `did you mean "${nearest}"?`;
  return new UsageError(`${owner} has no option "${name}": ${hint}`);
}

function shown(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 100, maxArrayLength: 5 });
}
