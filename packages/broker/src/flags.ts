// The command-line flags and environment variables of an option schema. It does not depend on a command-line library.

import { type OptionSchema, optionsIn, readOption } from "@pigato/peer";

/** One flag: `--heartbeat-liveness <number>`, `PIGATO_HEARTBEAT_LIVENESS`. */
export interface Flag {
  /** The name of its option: `heartbeatLiveness`. */
  readonly name: string;
  readonly flag: string;
  readonly variable: string;
  /** The placeholder of the value: `<ms>`, `<load|lru>`. */
  readonly placeholder: string;
  readonly help: string;
  readonly choices: readonly string[] | undefined;
  /** The default, where it is a fixed value that can be shown. */
  readonly default: string | number | boolean | undefined;
  /**
   * Reads the value of the flag or the variable.
   * @throws UsageError that says what it must be
   */
  parse(text: string): unknown;
}

/** The flags of every option that has a `help` line. */
export function flagsOf<Schema extends OptionSchema<Schema>>(schema: Schema): Flag[] {
  return optionsIn(schema).flatMap(([name, option]) => {
    const { help, choices, type, unit } = option;
    if (help === undefined) return [];
    const words = kebabCase(name);
    const value = type === "custom" || type === "text" ? undefined : option.makeDefault();
    return {
      name,
      flag: `--${words}`,
      variable: `PIGATO_${words.replaceAll("-", "_").toUpperCase()}`,
      placeholder: `<${choices?.join("|") ?? unit ?? PLACEHOLDERS[type]}>`,
      help,
      choices,
      default: isShown(value) ? value : undefined,
      parse: (text) => readOption(flagged(name), option, option.fromText ? (option.fromText(text) ?? text) : text),
    };
  });
}

const PLACEHOLDERS = {
  integer: "number",
  number: "number",
  boolean: "boolean",
  choice: "choice",
  text: "text",
  object: "value",
  function: "value",
  custom: "value",
} as const;

function flagged(name: string): string {
  return `--${kebabCase(name)}`;
}

/** `heartbeatLiveness` becomes `heartbeat-liveness`. */
function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function isShown(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
