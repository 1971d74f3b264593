// The directory that a broker publishes on its internal channel: the workers of every service, complete each time, in one text
// frame that classic peers read (P-DIR-1).

import type { Frame } from "./frame.ts";
import { exactText, type PeerId, readText, type ServiceName, writeText } from "./ids.ts";

/** The workers of each service that has any. Each service occurs once. */
export type DirectorySnapshot = readonly (readonly [service: ServiceName, workers: readonly PeerId[]])[];

/** The ids of the workers of each service, from a directory. Services without workers are left out. */
export type ServiceMap = ReadonlyMap<string, readonly string[]>;

/** The topic to subscribe to: the start of every directory frame. */
export const DIRECTORY_TOPIC = "$dir ";

/** Leaves out names and ids that are not UTF-8, because JSON cannot carry them. */
export function encodeDirectory(snapshot: DirectorySnapshot): Frame {
  const entries: [string, string[]][] = [];
  for (const [service, workers] of snapshot) {
    const name = exactText(service);
    if (name !== undefined) entries.push([name, workers.map(exactText).filter((id) => id !== undefined)]);
  }
  // `fromEntries` makes an own property even of `__proto__`.
  return writeText(DIRECTORY_TOPIC + JSON.stringify(Object.fromEntries(entries)));
}

/** The ids of the workers by service, as text; `undefined` for a frame that is not a directory. */
export function decodeDirectory(frame: Frame): ServiceMap | undefined {
  const text = readText(frame);
  if (!text.startsWith(DIRECTORY_TOPIC)) return undefined;
  const value = parse(text.slice(DIRECTORY_TOPIC.length));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const directory = new Map<string, readonly string[]>();
  for (const [service, workers] of Object.entries(value)) {
    if (!isTexts(workers)) return undefined;
    directory.set(service, workers);
  }
  return directory;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
