// The `pigato-broker` command: flags and environment variables to options. What the process then does is in bin.ts.

import { UsageError } from "@pigato/protocol";
import { Command, InvalidArgumentError, Option } from "commander";
import { readBind } from "./bind-text.ts";
import type { Bind, Side, Sides } from "./binds.ts";
import { type BrokerOptions, DISPATCH_MODES, NUMERIC_OPTIONS, type NumericOption } from "./options.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const LOG_FORMATS = ["text", "json"] as const;
const DEFAULT_BIND = "tcp://*:55555";

/** What the command line and the environment ask for. */
export interface CommandSettings {
  readonly where: Side | Sides;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  /** The files of its own secret key, and of the public keys that may come in. */
  readonly curveSecretKeyFile?: string | undefined;
  readonly curveAuthorizedKeysFile?: string | undefined;
  /** Where to make a new secret key, and nothing else. */
  readonly newCurveKeyFile?: string | undefined;
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
      new Option(
        "--bind <address...>",
        `where to listen, several times if need be; tcp://*:2?dialect=omdp (or butler, answersErrors=true, timeoutMs=5000) says more of one (default: ${DEFAULT_BIND})`,
      )
        .env("PIGATO_BIND")
        .argParser(collectBinds()),
    )
    .addOption(
      new Option("--frontend <address...>", "where clients alone come in; with --backend, instead of --bind")
        .env("PIGATO_FRONTEND")
        .argParser(collectBinds()),
    )
    .addOption(
      new Option("--backend <address...>", "where workers alone come in")
        .env("PIGATO_BACKEND")
        .argParser(collectBinds()),
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
  for (const option of CURVE_FLAGS) command.addOption(option());
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
  const { bind, frontend, backend, logLevel, logFormat, ...others } = command.opts<Flags & BrokerOptions>();
  const { curveSecretKeyFile, curveAuthorizedKeysFile, newCurveKeyFile, ...options } = others;
  if (curveAuthorizedKeysFile !== undefined && curveSecretKeyFile === undefined) {
    command.error("error: --curve-authorized-keys-file is given with --curve-secret-key-file");
  }
  const files = { curveSecretKeyFile, curveAuthorizedKeysFile, newCurveKeyFile };
  return { where: whereOf(command, { bind, frontend, backend }), logLevel, logFormat, ...files, options };
}

/** Names of files alone: what is on the command line or in a variable is for everybody to see. */
const CURVE_FLAGS: readonly (() => Option)[] = [
  () =>
    new Option("--curve-secret-key-file <file>", "its own secret key: peers come in by CURVE, and no others").env(
      "PIGATO_CURVE_SECRET_KEY_FILE",
    ),
  () =>
    new Option(
      "--curve-authorized-keys-file <file>",
      "the public keys that may come in, one on a line; without it, whoever knows the broker's",
    ).env("PIGATO_CURVE_AUTHORIZED_KEYS_FILE"),
  () => new Option("--new-curve-key-file <file>", "makes a secret key in a new file, prints its public key, and ends"),
];

interface Places {
  readonly bind: Binds | undefined;
  readonly frontend: Binds | undefined;
  readonly backend: Binds | undefined;
}

type Binds = readonly (string | Bind)[];
type Flags = Places & Omit<CommandSettings, "where" | "options">;

function whereOf(command: Command, { bind, frontend, backend }: Places): Side | Sides {
  if (frontend === undefined && backend === undefined) return bind ?? DEFAULT_BIND;
  if (frontend === undefined || backend === undefined) {
    return command.error("error: --frontend and --backend are given together");
  }
  if (bind !== undefined) return command.error("error: --bind is not given with --frontend and --backend");
  return { frontend, backend };
}

/** Each use of the flag adds to the list; a variable holds several addresses separated by commas. */
function collectBinds(): (value: string) => Binds {
  const binds: (string | Bind)[] = [];
  return (value) => {
    for (const text of value.split(",")) {
      if (text.trim() === "") throw new InvalidArgumentError("An address is empty.");
      binds.push(bindIn(text.trim()));
    }
    return [...binds];
  };
}

function bindIn(text: string): string | Bind {
  try {
    return readBind(text);
  } catch (error) {
    throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
  }
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
