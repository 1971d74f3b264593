// The declaration of one option, and the constructors for each type. Everything about an option comes from it: its
// TypeScript type, its validation, its command-line flag, its environment variable and its row in the docs.

/**
 * @typeParam Given what users pass
 * @typeParam Resolved what the code reads once defaults are filled in
 */
export interface Option<Given, Resolved = Given> {
  readonly type: "integer" | "number" | "boolean" | "choice" | "text" | "object" | "function" | "custom";
  readonly unit?: Unit | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** The values of a choice. */
  readonly choices?: readonly string[] | undefined;
  /** One line for `--help`. Without it, the option has no flag and no environment variable. */
  readonly help?: string | undefined;
  /** The expectation in error texts: "an integer from 10 to 60000". */
  readonly expected: string;
  /**
   * For security: rejects `undefined` as a value, because a missing option would leave the connection open. Errors hide the
   * value.
   */
  readonly isStrict?: true;
  /** The value that the code reads; `undefined` if the option does not allow `value`. */
  read(value: unknown): Resolved | undefined;
  /** The value for an absent option. */
  makeDefault(): Resolved;
  /** Reads a flag or an environment variable into a value for `read`. */
  fromText?(text: string): unknown;
  /** Never set. Carries the type that users pass. */
  readonly given?: Given;
}

/** A strict option; see `isStrict`. */
export type StrictOption<Given, Resolved = Given> = Option<Given, Resolved> & { readonly isStrict: true };

export type Unit = "ms" | "bytes";

interface Described {
  readonly unit?: Unit;
  readonly help?: string;
}

/** The default: a fixed value, or a function that creates one each time. */
type Default<Value> = { readonly default: Value } | { readonly makeDefault: () => Value };

export function integer(
  spec: Described & Default<number> & { readonly min: number; readonly max: number },
): Option<number> {
  const { min, max, unit, help } = spec;
  return {
    type: "integer",
    unit,
    min,
    max,
    help,
    expected: `an integer from ${min} to ${max}`,
    read: (value) => (Number.isInteger(value) && isWithin(value, min, max) ? value : undefined),
    makeDefault: makerOf(spec),
    fromText: numberFromText,
  };
}

/** A duration in milliseconds, which may have a fraction. */
export function milliseconds(
  spec: { readonly help?: string } & Default<number> & { readonly min: number; readonly max: number },
): Option<number> {
  const { min, max, help } = spec;
  return {
    type: "number",
    unit: "ms",
    min,
    max,
    help,
    expected: `a number of milliseconds from ${min} to ${max}`,
    read: (value) => (isWithin(value, min, max) ? value : undefined),
    makeDefault: makerOf(spec),
    fromText: numberFromText,
  };
}

export function boolean(spec: Described & Default<boolean>): Option<boolean> {
  return {
    type: "boolean",
    help: spec.help,
    expected: "true or false",
    read: (value) => (typeof value === "boolean" ? value : undefined),
    makeDefault: makerOf(spec),
    fromText: (text) => (text === "true" ? true : text === "false" ? false : undefined),
  };
}

/** A boolean that may also be written 0 or 1, as on the wire. */
export function bit(spec: Described & Default<boolean>): Option<boolean | 0 | 1, boolean> {
  return {
    ...boolean(spec),
    expected: "true, false, 0 or 1",
    read: (value) => (value === true || value === 1 ? true : value === false || value === 0 ? false : undefined),
  };
}

export function choice<const Value extends string>(
  spec: Described & Default<Value> & { readonly choices: readonly Value[] },
): Option<Value> {
  const { choices, help } = spec;
  return {
    type: "choice",
    choices,
    help,
    expected: `one of ${choices.join(", ")}`,
    read: (value) => choices.find((word) => word === value),
    makeDefault: makerOf(spec),
  };
}

export function text(
  spec: Described & Default<string> & { readonly expected: string; readonly isValid: (value: string) => boolean },
): Option<string> {
  const { help, expected, isValid } = spec;
  return {
    type: "text",
    help,
    expected,
    read: (value) => (typeof value === "string" && isValid(value) ? value : undefined),
    makeDefault: makerOf(spec),
  };
}

/** An object with the methods that are called on it. */
export function objectWith<Value extends object>(
  spec: Default<Value> & { readonly methods: readonly (keyof Value & string)[] },
): Option<Value> {
  const { methods } = spec;
  const isValue = (value: unknown): value is Value =>
    typeof value === "object" &&
    value !== null &&
    methods.every((method) => typeof Reflect.get(value, method) === "function");
  return {
    type: "object",
    expected: `an object with ${methods.map((method) => `${method}()`).join(", ")}`,
    read: (value) => (isValue(value) ? value : undefined),
    makeDefault: makerOf(spec),
  };
}

/** A function that has a default. */
export function callable<Value extends (...args: never[]) => unknown>(spec: Default<Value>): Option<Value> {
  return { ...optionalCallable<Value>(), makeDefault: makerOf(spec) };
}

/** A function, or nothing. */
export function optionalCallable<Value extends (...args: never[]) => unknown>(): Option<Value, Value | undefined> {
  const isValue = (value: unknown): value is Value => typeof value === "function";
  return {
    type: "function",
    expected: "a function",
    read: (value) => (isValue(value) ? value : undefined),
    makeDefault: () => undefined,
  };
}

/** Any other option. `read` returns `undefined` for a value that it does not allow, or throws its own `UsageError`. */
export function custom<Given, Resolved = Given>(
  spec: Described & Default<Resolved> & Pick<Option<Given, Resolved>, "expected" | "read" | "fromText">,
): Option<Given, Resolved> {
  const { unit, help, expected, read, fromText } = spec;
  return {
    type: "custom",
    unit,
    help,
    expected,
    read,
    makeDefault: makerOf(spec),
    ...(fromText && { fromText }),
  };
}

/** Makes an option strict. */
export function strict<Given, Resolved>(option: Option<Given, Resolved>): StrictOption<Given, Resolved> {
  return { ...option, isStrict: true };
}

function makerOf<Value>(spec: Default<Value>): () => Value {
  return "makeDefault" in spec ? spec.makeDefault : () => spec.default;
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && value >= min && value <= max;
}

function numberFromText(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(number) ? undefined : number;
}
