// Runs a transcript: a text file whose lines are inputs of a broker, each followed by the indented effects that it had.
//
//   # A comment. The first line of a file says what it shows.
//   options maxRequests=2
//   w1 ready echo concurrency=1
//     -> w1 ready [pigato/1 …]
//     event worker-up w1 echo
//   advance 3000 keep=w1
//     @3000
//     -> c1 failure r1 DEADLINE_EXCEEDED (maybe-executed)
//
// Names that start with `w` are workers, names that start with `c` are clients. A word `+name` sets an option, `name=value`
// sets it to a number, a text, true or false. `@3000` is the time of the effects that follow, in milliseconds.

import { type Dialect, majordomo, pigato, writeText } from "@pigato/protocol";
import type { Effect, UndeliveredReason } from "../effects.ts";
import { eventLine, toClientLine, toWorkerLine } from "./lines.ts";
import { type Scenario, scenario } from "./scenario.ts";

type Value = string | number | boolean;
type Settings = Readonly<Record<string, Value>>;

interface Command {
  readonly words: readonly string[];
  readonly settings: Settings;
}

/** When every scenario starts. */
const START = 1_000;

/** Runs the inputs of a transcript and returns the transcript with their current effects. */
export function replay(text: string): string {
  const lines: string[] = [];
  let timed = false;
  const record = (_input: unknown, now: number, effects: readonly Effect[]): void => {
    if (effects.length === 0) return;
    if (timed) lines.push(`  @${now - START}`);
    for (const effect of effects) lines.push(`  ${effectLine(effect)}`);
  };
  let sim: Scenario | undefined;
  for (const line of text.split("\n")) {
    // The effects are generated.
    if (line.startsWith(" ")) continue;
    lines.push(line);
    if (line === "" || line.startsWith("#")) continue;
    const command = parse(line);
    if (command.words[0] === "options") {
      sim = scenario({ ...command.settings, record });
      continue;
    }
    sim ??= scenario({ record });
    timed = command.words[0] === "advance";
    const before = lines.length;
    run(sim, command);
    if (lines.length === before) lines.push("  (nothing)");
  }
  return lines.join("\n");
}

function run(sim: Scenario, { words, settings }: Command): void {
  const [first = "", second = "", third = "", fourth = ""] = words;
  switch (first) {
    case "advance":
      return sim.advance(Number(second), {
        keepAlive: String(settings.keep ?? "")
          .split(",")
          .filter(Boolean),
      });
    case "drain":
      return sim.drain(Number(second));
    case "peer-down":
      return sim.peerDown(second);
    case "undelivered-request":
      return sim.undeliveredToWorker(second, third, reasonOf(fourth));
    case "undelivered-to-client":
      return sim.undeliveredToClient(second, reasonOf(third));
    case "store-finishes":
      return sim.storeFinishes();
    case "store-fails":
      return sim.storeFails();
    case "restore":
      return restore(sim, words, settings);
    case "violation":
      return sim.violation(second, second.startsWith("w") ? "worker" : "client", third);
    default:
      return first.startsWith("w") ? asWorker(sim, words, settings) : asClient(sim, words, settings);
  }
}

function restore(sim: Scenario, words: readonly string[], { worker }: Settings): void {
  const [, key = "", client = "", service = "", id = ""] = words;
  const options = { timeoutMs: 60_000, retry: false, worker: worker === undefined ? null : String(worker) };
  const stored = {
    version: 1,
    client,
    requestId: id,
    service,
    body: [writeText(id)],
    trailer: [],
    ...options,
  } as const;
  sim.stored.set(key, stored);
  sim.restore(key, stored);
}

function asWorker(sim: Scenario, words: readonly string[], { dialect, ...settings }: Settings): void {
  const [name = "", verb = "", id = "", text] = words;
  const worker = sim.worker(name, dialectOf(dialect));
  switch (verb) {
    case "ready":
      worker.ready(id, settings.classic === true ? "classic" : settings);
      return;
    case "heartbeat":
      worker.heartbeat(id === "" ? undefined : Number(id));
      return;
    case "partial":
      worker.partial(id, text, cacheMsOf(settings));
      return;
    case "final":
      worker.final(id, text, 0, cacheMsOf(settings));
      return;
    case "reject":
      worker.reject(id);
      return;
    case "request-heartbeat":
      worker.requestHeartbeat(id);
      return;
    case "disconnect":
      worker.disconnect();
      return;
    default:
      throw new Error(`a worker has no message "${verb}"`);
  }
}

function asClient(sim: Scenario, words: readonly string[], { dialect, ...settings }: Settings): void {
  const [name = "", verb = "", target = "", id = ""] = words;
  const client = sim.client(name, dialectOf(dialect));
  switch (verb) {
    case "request":
      client.request(target, id, settings);
      return;
    case "offer":
      client.offer(settings);
      return;
    case "heartbeat":
      client.heartbeat();
      return;
    case "cancel":
      client.cancel(target);
      return;
    case "grant":
      client.grant(target, Number(id));
      return;
    case "request-heartbeat":
      client.requestHeartbeat(target);
      return;
    case "disconnect":
      client.disconnect();
      return;
    default:
      throw new Error(`a client has no message "${verb}"`);
  }
}

function effectLine(effect: Effect): string {
  switch (effect.type) {
    case "to-client":
      return `-> ${effect.to} ${toClientLine(effect.message)}${effect.isContinuation ? " (continues)" : ""}`;
    case "to-worker":
      return `-> ${effect.to} ${toWorkerLine(effect.message)}`;
    case "report":
      return `event ${eventLine(effect.event)}`;
    case "announce":
      return `directory ${effect.snapshot.map(([service, ids]) => `${service}: ${ids.join(" ")}`).join(", ")}`;
    case "store":
    case "delete":
      return `${effect.type} ${Number(effect.key)}`;
    case "confirm":
    case "drained":
      return effect.type;
    default:
      return effect satisfies never;
  }
}

function parse(line: string): Command {
  const words: string[] = [];
  const settings: Record<string, Value> = {};
  for (const word of line.split(" ")) {
    const at = word.indexOf("=");
    if (at > 0) settings[word.slice(0, at)] = settingOf(word.slice(at + 1));
    else if (word.startsWith("+")) settings[word.slice(1)] = true;
    else words.push(word);
  }
  return { words, settings };
}

function settingOf(text: string): Value {
  if (text === "true" || text === "false") return text === "true";
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function cacheMsOf({ cacheMs }: Settings): number | undefined {
  return typeof cacheMs === "number" ? cacheMs : undefined;
}

function reasonOf(text: string): UndeliveredReason {
  return text === "congested" ? "congested" : "unreachable";
}

function dialectOf(id: Value | undefined): Dialect {
  if (id === undefined) return pigato;
  const found = majordomo().find((dialect) => dialect.id === id);
  if (found === undefined) throw new Error(`no dialect ${id}`);
  return found;
}
