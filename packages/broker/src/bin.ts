// The `pigato-broker` process: starts one broker, prints a line to stdout when it is ready, logs to stderr, and drains on SIGTERM
// and SIGINT. A failure is one line on stderr and an exit code other than 0.

import { readFileSync } from "node:fs";
import { UsageError } from "@pigato/protocol";
import { reasonOf } from "@pigato/protocol/internal";
import { CommanderError } from "commander";
import { type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { Broker } from "./broker.ts";
import { type CommandSettings, parseCommand } from "./command.ts";
import { authorizeFrom, isReadByOthers, readOwnKey, writeNewKey } from "./curve-files.ts";
import { LogOutput, stderrSink } from "./log-output.ts";
import type { BrokerOptions } from "./options.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const output = new LogOutput(stderrSink());
// A failed write of the line on stdout must not end the service.
process.stdout.on("error", () => {});

const settings = readSettings();
const logger = newLogger(settings);
if (settings.newCurveKeyFile !== undefined) makeKey(settings.newCurveKeyFile);
for (const text of settings.unknownVariables) logger.warn(text);
const broker = newBroker();

broker.on("error", (error) => fail(error));
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    logger.info({ signal }, "stopping");
    broker.stop().then(() => process.exit(0), fail);
  });
}

try {
  await broker.start();
  process.stdout.write(`pigato-broker ready at ${broker.addresses.join(", ")}\n`);
} catch (error) {
  fail(error);
}

function readSettings(): CommandSettings {
  try {
    return parseCommand(process.argv.slice(2), packageVersion(), {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
    });
  } catch (error) {
    // Help and version exit with 0. For a mistake, commander has written the line.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
    throw error;
  }
}

function newBroker(): Broker {
  try {
    return new Broker(settings.where, { ...settings.options, ...securityIn(settings), logger });
  } catch (error) {
    return fail(error);
  }
}

function securityIn({ curveSecretKeyFile, curveAuthorizedKeysFile }: CommandSettings): BrokerOptions {
  if (curveSecretKeyFile === undefined) return {};
  const curve = forFlag("--curve-secret-key-file", () => readOwnKey(curveSecretKeyFile));
  logger.info({ publicKey: curve.publicKey }, "CURVE is required");
  if (isReadByOthers(curveSecretKeyFile))
    logger.warn({ file: curveSecretKeyFile }, "other users may read the secret key");
  if (curveAuthorizedKeysFile !== undefined) {
    const authenticate = forFlag("--curve-authorized-keys-file", () => authorizeFrom(curveAuthorizedKeysFile));
    return { curve, authenticate };
  }
  logger.warn("no authorized keys: every peer that knows the public key may connect");
  return { curve };
}

function makeKey(path: string): never {
  try {
    process.stdout.write(`${forFlag("--new-curve-key-file", () => writeNewKey(path))}\n`);
  } catch (error) {
    fail(error);
  }
  process.exit(0);
}

/** Adds the flag to an error of the system, which names only the file. */
function forFlag<Result>(flag: string, use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    throw new UsageError(`${flag}: ${reasonOf(cause)}`, { cause });
  }
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const version: unknown =
    typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : undefined;
  return String(version);
}

function newLogger({ logLevel, logFormat }: CommandSettings): Logger {
  const show = logFormat === "json" ? undefined : prettyFactory({ ignore: "pid,hostname" });
  const stream = { write: (line: string) => output.write(show === undefined ? line : show(line)) };
  const newest = pino({ level: logLevel }, stream);
  output.onDropped = (lines) => newest.warn({ lines }, "log lines were dropped: stderr was full or not read");
  return newest;
}

function fail(error: unknown): never {
  output.write(`pigato-broker: ${reasonOf(error).replaceAll("\n", " ")}\n`);
  process.exit(EXIT_FAILED);
}
