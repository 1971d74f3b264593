// How large a value is at least once it is encoded, so that a value that is too large is refused before the time and the memory for its
// encoding are spent. HOT: it reads the data of each request before its encoding.
//
// It counts less than the encoding takes, never more: what it does not know counts as nothing. It stops at the bound.

import { types } from "node:util";
import type { BodyCodecName, SizeBounds } from "@pigato/protocol/internal";

/** Deeper data is not measured: the objects may refer to each other in a cycle. */
const MAX_DEPTH = 100;
/** The least bytes of a number, `true`, `null` and the like. */
const PRIMITIVE_BYTES = 1;

/** Data below this needs no count if the bound is above it. */
const SMALL_BYTES = 4096;
/** Characters of a number in JSON. */
const LONGEST_NUMBER = 25;

const JSON_BYTES = [2, 1, 4] as const;
const MSGPACK_BYTES = [1, 0, 1] as const;

type Properties = Readonly<Record<string, unknown>>;

interface Count {
  /** What is left of the bound. Negative: the value is too large. */
  left: number;
  readonly isJson: boolean;
  // What an encoding adds to each text, item and name. In JSON: two quotes; a comma; two quotes, a colon and a comma.
  readonly quoteBytes: number;
  readonly itemBytes: number;
  readonly nameBytes: number;
  /** The objects around what passed the bound, innermost first. */
  around: object[] | undefined;
}

/**
 * How the encoded value exceeds the bounds of its recipient, as an error says it; `undefined` if it may not.
 * @param codec of the body; JSON if absent
 */
export function excessOfValue(
  value: unknown,
  { maxFrameBytes, maxMessageBytes }: SizeBounds,
  codec: BodyCodecName | undefined,
): string | undefined {
  const bound = Math.min(maxFrameBytes, maxMessageBytes);
  const bytes = sizeBeyond(bound, value, codec !== "msgpack");
  if (bytes === undefined) return undefined;
  const name = bound === maxFrameBytes ? "maxFrameBytes" : "maxMessageBytes";
  return `data of at least ${bytes} bytes; the bound is ${bound} (${name})`;
}

/** Whether it is a plain object of primitives, clearly below the bound: most data, which needs no count. */
function isSmall(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || !isProperties(value)) return false;
  let left = SMALL_BYTES;
  for (const name in value) {
    const property = value[name];
    if (typeof property === "object" && property !== null) return false;
    left -= name.length + (typeof property === "string" ? property.length : LONGEST_NUMBER);
    if (left < 0) return false;
  }
  return true;
}

/** The bytes that were counted until they exceeded the bound; `undefined` if they may not. */
function sizeBeyond(bound: number, value: unknown, isJson: boolean): number | undefined {
  if (typeof value === "string") return value.length > bound ? value.length : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  let count: Count;
  try {
    if (bound > SMALL_BYTES && isSmall(value)) return undefined;
    count = newCount(bound, isJson);
    subtract(count, value, 0);
  } catch {
    // A getter that throws: the encoder says so.
    return undefined;
  }
  if (count.left >= 0) return undefined;
  // Within a cycle, the same objects count again and again. The encoder reports it.
  const { around = [] } = count;
  return new Set(around).size < around.length ? undefined : bound - count.left;
}

function newCount(left: number, isJson: boolean): Count {
  const [quoteBytes, itemBytes, nameBytes] = isJson ? JSON_BYTES : MSGPACK_BYTES;
  return { left, isJson, quoteBytes, itemBytes, nameBytes, around: undefined };
}

/** @returns whether to continue */
function subtract(count: Count, value: unknown, depth: number): boolean {
  if (typeof value === "string") count.left -= value.length + count.quoteBytes;
  else if (typeof value === "number") count.left -= count.isJson ? leastDigits(value) : PRIMITIVE_BYTES;
  else if (typeof value !== "object" || value === null) count.left -= PRIMITIVE_BYTES;
  else if (!subtractObject(count, value, depth)) {
    count.around ??= [];
    count.around.push(value);
    return false;
  }
  return count.left >= 0;
}

/** How many characters JSON writes for a number, at least. */
function leastDigits(value: number): number {
  // A fraction has at least three, as 0.5. An exponent has more.
  if ((value | 0) !== value) return 3;
  if (value < 100) return PRIMITIVE_BYTES;
  return value < 10_000 ? 3 : 5;
}

function subtractObject(count: Count, value: object, depth: number): boolean {
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return subtractItems(count, value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  if (!isPlain && isBuiltIn(value)) return subtractBuiltIn(count, value, depth);
  return isProperties(value) ? subtractProperties(count, value, isPlain, depth) : true;
}

function isBuiltIn(value: object): boolean {
  return ArrayBuffer.isView(value) || types.isMap(value) || types.isSet(value) || types.isBoxedPrimitive(value);
}

/** JSON has nothing of these, or too much: the check for what JSON loses has the better error. */
function subtractBuiltIn(count: Count, value: object, depth: number): boolean {
  if (count.isJson) return true;
  if (types.isMap(value) || types.isSet(value)) return subtractItems(count, [...value], depth);
  if (ArrayBuffer.isView(value)) count.left -= value.byteLength;
  return count.left >= 0;
}

function subtractItems(count: Count, items: readonly unknown[], depth: number): boolean {
  const { length } = items;
  // All of them at once, so that a long array needs no look at each.
  count.left -= length * count.itemBytes;
  if (count.left < 0) return false;
  for (let index = 0; index < length; index++) {
    if (!subtract(count, items[index], depth + 1)) return false;
  }
  return true;
}

function subtractProperties(count: Count, value: Properties, isPlain: boolean, depth: number): boolean {
  if (typeof value.toJSON === "function") return true;
  for (const name in value) {
    const property = value[name];
    // JSON leaves these out.
    if (property === undefined || typeof property === "function" || typeof property === "symbol") continue;
    // `for in` also has what the object inherits.
    if (!isPlain && !Object.hasOwn(value, name)) continue;
    count.left -= name.length + count.nameBytes;
    if (!subtract(count, property, depth + 1)) return false;
  }
  return true;
}

function isProperties(value: object): value is Properties {
  return !Array.isArray(value);
}
