// The `pigato-broker` command: flags and environment variables to options. What the process then does is in bin.ts.

import { Command, InvalidArgumentError, Option } from "commander";
import { type BrokerOptions, DISPATCH_MODES, NUMERIC_OPTIONS, type NumericOption } from "./options.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const LOG_FORMATS = ["text", "json"] as const;
const DEFAULT_BIND = "tcp://*:55555";

/** What the command line and the environment ask for. */
export interface CommandSettings {
  readonly bind: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly options: BrokerOptions;
}

/**
 * Reads arguments (without the program's name) and environment variables; a flag wins over its variable.
 * @throws CommanderError for `--help`, `--version` and every mistake, its text already written
 */
export function parseCommand(
  args: readonly string[],
  version: string,
  output: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): CommandSettings {
  const command = new Command("pigato-broker")
    .description("Queues requests and routes them to workers.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      outputError: (text, write) => write(text.replace(/^error: /, "pigato-broker: ")),
    })
    .addOption(
      new Option("--bind <address...>", "where to listen, e.g. tcp://*:55555; may be given several times")
        .env("PIGATO_BIND")
        .default([DEFAULT_BIND])
        .argParser(collectAddresses()),
    )
    .addOption(
      new Option("--dmode <mode>", "how a worker is chosen")
        .env("PIGATO_DMODE")
        .choices(DISPATCH_MODES)
        .default("load"),
    );
  command.addOption(
    new Option(
      "--intch <address>",
      "where the internal channel is bound, or none; an ipc address of its own if not given",
    )
      .env("PIGATO_INTCH")
      .argParser((text) => (text === "none" ? false : text)),
  );
  for (const option of NUMERIC_OPTIONS) command.addOption(numericFlag(option));
  command
    .addOption(
      new Option("--log-level <level>", "least level to log")
        .env("PIGATO_LOG_LEVEL")
        .choices(LOG_LEVELS)
        .default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "how to write logs")
        .env("PIGATO_LOG_FORMAT")
        .choices(LOG_FORMATS)
        .default("text"),
    );
  command.parse(args, { from: "user" });
  const { bind, logLevel, logFormat, ...options } = command.opts<Omit<CommandSettings, "options"> & BrokerOptions>();
  return { bind, logLevel, logFormat, options };
}

/** Each use of the flag adds to the list; a variable holds several addresses separated by commas. */
function collectAddresses(): (value: string) => string[] {
  const addresses: string[] = [];
  return (value) => {
    addresses.push(...value.split(",").map((address) => address.trim()));
    if (addresses.includes("")) throw new InvalidArgumentError("An address is empty.");
    return [...addresses];
  };
}

function numericFlag({ name, default: value, min, max, help }: NumericOption): Option {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new Option(`--${words} <number>`, help)
    .env(`PIGATO_${words.replaceAll("-", "_").toUpperCase()}`)
    .default(value)
    .argParser((text) => {
      const number = Number(text);
      if (text.trim() === "" || !Number.isInteger(number) || number < min || number > max) {
        throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
      }
      return number;
    });
}
