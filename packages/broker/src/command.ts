// The `pigato-broker` command: turns flags and environment variables into options. bin.ts runs the process.

import { UsageError } from "@pigato/protocol";
import { nearestName } from "@pigato/protocol/internal";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Bind, type ListenerOptions, type Listeners, readBind } from "./binds.ts";
import { type Flag, flagsOf } from "./flags.ts";
import { type BrokerOptions, SCHEMA } from "./options.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const LOG_FORMATS = ["text", "json"] as const;
const DEFAULT_BIND = "tcp://*:55555";

/** What the command line and the environment ask for. */
export interface CommandSettings extends KeyFiles {
  readonly where: ListenerOptions | Listeners;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logFormat: (typeof LOG_FORMATS)[number];
  readonly options: BrokerOptions;
  /** A text for each unknown variable that starts with `PIGATO_`. */
  readonly unknownVariables: readonly string[];
}

interface KeyFiles {
  /** The file of the broker's secret key. */
  readonly curveSecretKeyFile?: string | undefined;
  /** The file of the authorized public keys. */
  readonly curveAuthorizedKeysFile?: string | undefined;
  /** Create a new secret key in this file and exit. */
  readonly newCurveKeyFile?: string | undefined;
}

interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface Addresses {
  readonly bind: Binds | undefined;
  readonly frontend: Binds | undefined;
  readonly backend: Binds | undefined;
}

type Binds = readonly (string | Bind)[];
type Parsed = Addresses & Omit<CommandSettings, "where" | "options" | "unknownVariables"> & BrokerOptions;

/**
 * Reads arguments (without the program's name) and environment variables. A flag overrides its variable.
 * @throws CommanderError for `--help`, `--version` and every mistake, after writing its text
 */
export function parseCommand(args: readonly string[], version: string, output: Output): CommandSettings {
  const command = newCommand(version, output);
  command.parse(args, { from: "user" });
  const { bind, frontend, backend, logLevel, logFormat, ...others } = command.opts<Parsed>();
  const { curveSecretKeyFile, curveAuthorizedKeysFile, newCurveKeyFile, ...options } = others;
  if (curveAuthorizedKeysFile !== undefined && curveSecretKeyFile === undefined) {
    command.error("error: --curve-authorized-keys-file requires --curve-secret-key-file");
  }
  const files = { curveSecretKeyFile, curveAuthorizedKeysFile, newCurveKeyFile };
  const where = listenersIn(command, { bind, frontend, backend });
  const unknownVariables = unknownVariablesIn(process.env, command);
  return { where, logLevel, logFormat, ...files, options, unknownVariables };
}

/** Kubernetes sets these for a service whose name starts with "pigato". */
const OF_KUBERNETES = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?$/;

function unknownVariablesIn(environment: NodeJS.ProcessEnv, command: Command): string[] {
  const known = command.options.flatMap(({ envVar }) => envVar ?? []);
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith("PIGATO_") && !known.includes(name) && !OF_KUBERNETES.test(name),
  );
  return unknown.map((name) => {
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? "--help lists the known ones" : `did you mean ${nearest}?`;
    return `unknown environment variable ${name}: ${hint}`;
  });
}

function newCommand(version: string, output: Output): Command {
  const command = new Command("pigato-broker")
    .description("Queues requests and routes them to workers.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: output.out,
      writeErr: output.err,
      outputError: (text, write) => write(text.replace(/^error: /, "pigato-broker: ")),
    });
  for (const option of [...addressFlags(), ...keyFlags(), ...flagsOf(SCHEMA).map(optionFlag), ...logFlags()]) {
    command.addOption(option);
  }
  return command;
}

function addressFlags(): Option[] {
  const special =
    "append ?dialect=omdp, ?dialect=butler, ?answersErrors=true or ?timeoutMs=5000 to configure one address";
  return [
    new Option("--bind <address...>", `listen at these addresses; ${special} (default: ${DEFAULT_BIND})`)
      .env("PIGATO_BIND")
      .argParser(collectBinds()),
    new Option("--frontend <address...>", "listen for clients only (requires --backend, excludes --bind)")
      .env("PIGATO_FRONTEND")
      .argParser(collectBinds()),
    new Option("--backend <address...>", "listen for workers only (requires --frontend, excludes --bind)")
      .env("PIGATO_BACKEND")
      .argParser(collectBinds()),
  ];
}

/** Files only: command lines and environment variables are visible to other users of the machine. */
function keyFlags(): Option[] {
  return [
    new Option("--curve-secret-key-file <file>", "read the broker's secret key; accept only CURVE peers").env(
      "PIGATO_CURVE_SECRET_KEY_FILE",
    ),
    new Option(
      "--curve-authorized-keys-file <file>",
      "authorize only these public keys, one per line (default: every peer that knows the broker's key)",
    ).env("PIGATO_CURVE_AUTHORIZED_KEYS_FILE"),
    new Option("--new-curve-key-file <file>", "create a secret key in a new file, print its public key, and exit"),
  ];
}

function logFlags(): Option[] {
  return [
    new Option("--log-level <level>", "log this level and above")
      .env("PIGATO_LOG_LEVEL")
      .choices(LOG_LEVELS)
      .default("info"),
    new Option("--log-format <format>", "log format").env("PIGATO_LOG_FORMAT").choices(LOG_FORMATS).default("text"),
  ];
}

function optionFlag(flag: Flag): Option {
  const option = new Option(`${flag.flag} ${flag.placeholder}`, flag.help)
    .env(flag.variable)
    .argParser((text) => argument(() => flag.parse(text)));
  return flag.default === undefined ? option : option.default(flag.default);
}

function listenersIn(command: Command, { bind, frontend, backend }: Addresses): ListenerOptions | Listeners {
  if (frontend === undefined && backend === undefined) return bind ?? DEFAULT_BIND;
  if (frontend === undefined || backend === undefined) {
    return command.error("error: --frontend and --backend require each other");
  }
  if (bind !== undefined) return command.error("error: --bind excludes --frontend and --backend");
  return { frontend, backend };
}

/** Each use of the flag adds to the list. A variable holds several addresses separated by commas. */
function collectBinds(): (value: string) => Binds {
  const binds: (string | Bind)[] = [];
  return (value) => {
    for (const text of value.split(",")) {
      if (text.trim() === "") throw new InvalidArgumentError("An address is empty.");
      binds.push(argument(() => readBind(text.trim())));
    }
    return [...binds];
  };
}

/** Reports a `UsageError` in the form that commander expects. */
function argument<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
  }
}
