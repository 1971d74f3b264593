// Finds what JSON would lose of a value without an error: NaN becomes null, a Map becomes {}, a function is left out. HOT: it
// reads all of the data of each request and each reply, after JSON has written it, so it finds no cycles.
//
// JSON's own meaning is no loss: an object with `toJSON` (a Date, a Buffer) is what that returns, an undefined property is absent,
// and undefined in an array is null.

import { types } from "node:util";
import { encodePayload, type Frame, UsageError } from "@pigato/protocol";
import { reasonOf } from "@pigato/protocol/internal";
import { type PathStep, shownPath, uncarried } from "./uncarried.ts";

type Properties = Readonly<Record<string, unknown>>;

const USE_MSGPACK = 'use the codec "msgpack"';
const USE_BYTES = 'use the codec "raw" for bytes alone, or "msgpack" for data with bytes';
const USE_NONE = "no codec can carry it";

/**
 * A value as JSON.
 * @param absent the frame for undefined
 * @throws UsageError that names the first value that JSON cannot carry, and what carries it
 */
export function encodeJson(value: unknown, absent: Frame): Frame {
  let frame: Frame;
  try {
    frame = encodePayload(value, absent);
  } catch (error) {
    rejectBigInt(value);
    throw error;
  }
  rejectJsonLoss(value);
  return frame;
}

/**
 * @param advice what to do where there is no choice of codecs
 * @throws UsageError that names the first value that JSON would lose
 */
export function rejectJsonLoss(value: unknown, advice?: string): void {
  let path: PathStep[] | undefined;
  let loss: string | undefined;
  try {
    if (isFlat(value)) return;
    path = [];
    loss = lossOf(value, path, 0, undefined);
  } catch (cause) {
    throw new UsageError(`data cannot be checked: ${reasonOf(cause)}`, { cause });
  }
  if (loss === undefined) return;
  const [what = ""] = loss.split(": ");
  throw new UsageError(`JSON cannot carry ${shownPath(path)}, ${advice === undefined ? loss : `${what}: ${advice}`}`);
}

/** Whether it is a primitive or a plain object of primitives, and JSON keeps all of it: most data of small requests. */
function isFlat(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isKept(value);
  if (Object.getPrototypeOf(value) !== Object.prototype || !isProperties(value)) return false;
  for (const name in value) if (!isKept(value[name])) return false;
  return true;
}

/** As `rejectJsonLoss`, for data that JSON refused to write: a BigInt may be the reason, or a cycle. */
function rejectBigInt(value: unknown): void {
  const path: PathStep[] = [];
  let loss: string | undefined;
  try {
    loss = lossOf(value, path, 0, new Set());
  } catch {
    // A getter that throws, or data too deep: JSON's own error says so.
  }
  if (loss !== undefined) throw new UsageError(`JSON cannot carry ${shownPath(path)}, ${loss}`);
}

/** @param path receives the steps from `depth` on. @param seen for data with cycles */
function lossOf(value: unknown, path: PathStep[], depth: number, seen: Set<object> | undefined): string | undefined {
  switch (typeof value) {
    case "object":
      return value === null ? undefined : lossOfObject(value, path, depth, seen);
    case "number":
      return Number.isFinite(value) ? undefined : `${value}: ${USE_MSGPACK}`;
    case "bigint":
      return `a BigInt: ${USE_MSGPACK}`;
    case "function":
    case "symbol":
      return `a ${typeof value}: ${USE_NONE}`;
    default:
      return undefined;
  }
}

function lossOfObject(
  value: object,
  path: PathStep[],
  depth: number,
  seen: Set<object> | undefined,
): string | undefined {
  if (seen !== undefined) {
    if (seen.has(value)) return undefined;
    seen.add(value);
  }
  if (Array.isArray(value)) return lossInArray(value, path, depth, seen);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (typeof Reflect.get(value, "toJSON") === "function") return undefined;
    const loss = lossOfBuiltIn(value);
    if (loss !== undefined) return loss;
  }
  return isProperties(value) ? lossInProperties(value, path, depth, seen) : undefined;
}

function lossInArray(
  items: readonly unknown[],
  path: PathStep[],
  depth: number,
  seen: Set<object> | undefined,
): string | undefined {
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (isKept(item)) continue;
    const loss = lossOf(item, path, depth + 1, seen);
    if (loss === undefined) continue;
    path[depth] = index;
    return loss;
  }
  return undefined;
}

function lossInProperties(
  value: Properties,
  path: PathStep[],
  depth: number,
  seen: Set<object> | undefined,
): string | undefined {
  for (const name in value) {
    const property = value[name];
    if (isKept(property)) continue;
    const loss = lossOf(property, path, depth + 1, seen);
    // `for in` also has what the object inherits, which JSON does not write.
    if (loss === undefined || !Object.hasOwn(value, name)) continue;
    if (typeof value.toJSON === "function") return undefined;
    path[depth] = name;
    return loss;
  }
  return undefined;
}

/** Whether JSON keeps a primitive. */
function isKept(value: unknown): boolean {
  // Only a finite number minus itself is 0.
  if (typeof value === "number") return value - value === 0;
  return typeof value === "string" || value === null || value === undefined || typeof value === "boolean";
}

/** Objects whose content is not in their properties. */
function lossOfBuiltIn(value: object): string | undefined {
  if (types.isMap(value)) return `a Map: ${USE_MSGPACK}`;
  if (types.isSet(value)) return `a Set: ${USE_MSGPACK}`;
  if (types.isNativeError(value)) return `an Error: ${USE_MSGPACK}`;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `${withArticle(tagOf(value))}: ${USE_BYTES}`;
  return uncarried(value);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

function withArticle(noun: string): string {
  return `${/^[AEIOU]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function isProperties(value: object): value is Properties {
  return !Array.isArray(value);
}
