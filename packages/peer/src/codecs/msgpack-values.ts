// Prepares a value for msgpackr, and restores what its extensions read. msgpackr would write a Map as an object, a function as
// undefined, and a cycle until the stack is full. What needs no change is passed on without a copy.

import { types } from "node:util";
import { UsageError } from "@pigato/protocol";
import { isBytes, isWellFormed, reasonOf } from "@pigato/protocol/internal";
import { MAX_BIGINT_BYTES, MAX_CONTAINERS, MAX_DEPTH, TYPED_ARRAYS } from "./msgpack-check.ts";
import { type PathStep, shownPath, uncarried } from "./uncarried.ts";

type Properties = Record<string, unknown>;
type Callable = (...args: never[]) => unknown;

/** A Map as its extension has it: keys and values in turn. */
export class MapParts {
  readonly parts: readonly unknown[];

  constructor(parts: readonly unknown[]) {
    this.parts = parts;
  }
}

/** An Error as its extension has it: name, message, cause, and an object with its other own fields. */
export class ErrorParts {
  readonly parts: readonly unknown[];

  constructor(parts: readonly unknown[]) {
    this.parts = parts;
  }
}

/** @throws UsageError that names a value that MessagePack cannot carry */
export function toPackable(value: unknown): unknown {
  const preparation = new Preparation();
  let packable: unknown;
  try {
    packable = preparation.prepare(value, 0);
  } catch (cause) {
    throw new UsageError(`data cannot be written as MessagePack: ${reasonOf(cause)}`, { cause });
  }
  const { loss, path } = preparation;
  if (loss !== undefined) throw new UsageError(`MessagePack cannot carry ${shownPath(path)}, ${loss}`);
  return packable;
}

/** @param parts keys and values in turn */
export function mapFrom(parts: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < parts.length; index += 2) map.set(parts[index], parts[index + 1]);
  return map;
}

const ERRORS: ReadonlyMap<unknown, ErrorConstructor> = new Map<unknown, ErrorConstructor>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
);

export function errorFrom([name, message, cause, fields]: readonly unknown[]): Error {
  const Type = ERRORS.get(name) ?? Error;
  const error = new Type(String(message ?? ""), cause === undefined ? {} : { cause });
  if (Type.name !== name) Object.defineProperty(error, "name", hidden(String(name)));
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
    for (const [key, value] of Object.entries(fields)) {
      Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return error;
}

function hidden(value: unknown): PropertyDescriptor {
  return { value, enumerable: false, configurable: true, writable: true };
}

class Preparation {
  /** What MessagePack cannot carry, once it is found. Then nothing else is prepared. */
  loss: string | undefined;
  /** Where that is. */
  readonly path: PathStep[] = [];
  #containers = 0;

  prepare(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
        return isWellFormed(value) ? value : this.#lose("text with half of a surrogate pair");
      case "object":
        return value === null ? value : this.#prepareObject(value, depth);
      case "function":
      case "symbol":
        return this.#lose(`a ${typeof value}`);
      case "bigint":
        // A digit of base 2 ** 32 has at least four bytes.
        return isShort(value) ? value : this.#lose(`a BigInt of more than ${MAX_BIGINT_BYTES} bytes`);
      default:
        return value;
    }
  }

  #lose(loss: string): undefined {
    this.loss = loss;
    return undefined;
  }

  #prepareObject(value: object, depth: number): unknown {
    this.#containers += 1;
    if (depth >= MAX_DEPTH) return this.#lose(`more than ${MAX_DEPTH} levels deep, or a cycle`);
    if (this.#containers > MAX_CONTAINERS) return this.#lose(`which comes after ${MAX_CONTAINERS} other objects`);
    if (Array.isArray(value)) return this.#prepareItems(value, depth);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#preparePlain(value, depth);
    return this.#prepareInstance(value, depth);
  }

  #prepareItems(items: readonly unknown[], depth: number): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      const packable = this.prepare(item, depth + 1);
      if (this.loss !== undefined) {
        this.path[depth] = index;
        return items;
      }
      if (packable === item) continue;
      copy ??= [...items];
      copy[index] = packable;
    }
    return copy ?? items;
  }

  #preparePlain(value: object, depth: number): unknown {
    const toJson: unknown = Reflect.get(value, "toJSON");
    if (isCallable(toJson)) return this.#prepareJson(value, toJson, depth);
    return this.#prepareProperties(value, depth);
  }

  #prepareProperties(value: object, depth: number): unknown {
    let copy: Properties | undefined;
    for (const [name, property] of Object.entries(value)) {
      const packable = this.prepare(property, depth + 1);
      if (name === "__proto__") this.#lose("whose name is reserved");
      else if (!isWellFormed(name)) this.#lose("whose name has half of a surrogate pair");
      if (this.loss !== undefined) {
        this.path[depth] = name;
        return value;
      }
      if (packable === property) continue;
      copy ??= { ...value };
      copy[name] = packable;
    }
    return copy ?? value;
  }

  #prepareInstance(value: object, depth: number): unknown {
    if (types.isDate(value)) return isOf(value, Date) ? value : new Date(Number(value));
    if (isBytes(value)) return Buffer.from(value.buffer, value.byteOffset, value.length);
    if (types.isMap(value)) return this.#prepareMap(value, depth);
    if (types.isSet(value)) return this.#prepareSet(value, depth);
    if (ArrayBuffer.isView(value)) return this.#prepareView(value);
    if (types.isArrayBuffer(value))
      return isOf(value, ArrayBuffer) ? value : Uint8Array.from(new Uint8Array(value)).buffer;
    const toJson: unknown = Reflect.get(value, "toJSON");
    if (isCallable(toJson)) return this.#prepareJson(value, toJson, depth);
    if (types.isNativeError(value)) return this.#prepareError(value, depth);
    const reason = uncarried(value);
    return reason === undefined ? this.#prepareProperties(value, depth) : this.#lose(reason);
  }

  #prepareJson(value: object, toJson: Callable, depth: number): unknown {
    const replaced: unknown = Reflect.apply(toJson, value, [""]);
    return replaced === value ? this.#prepareProperties(value, depth) : this.prepare(replaced, depth + 1);
  }

  #prepareMap(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    const parts: unknown[] = [];
    for (const [key, value] of map) {
      parts.push(this.prepare(key, depth + 1), this.prepare(value, depth + 1));
      if (this.loss === undefined) continue;
      this.path[depth] = { mapKey: key };
      return map;
    }
    return new MapParts(parts);
  }

  #prepareSet(set: ReadonlySet<unknown>, depth: number): unknown {
    const items = [...set];
    const prepared = this.#prepareItems(items, depth);
    return prepared === items && isOf(set, Set) ? set : new Set(prepared);
  }

  #prepareView(view: ArrayBufferView): unknown {
    const tag = Object.prototype.toString.call(view).slice("[object ".length, -1);
    const isKnown = tag === "DataView" ? isOf(view, DataView) : isTypedArray(view) && TYPED_ARRAYS.has(tag);
    return isKnown && view.constructor.name === tag ? view : this.#lose(`a ${tag} that msgpackr does not know`);
  }

  #prepareError(error: Error, depth: number): unknown {
    const { name, message } = error;
    const cause = this.prepare(error.cause, depth + 1);
    if (this.loss !== undefined) {
      this.path[depth] = "cause";
      return error;
    }
    const { name: _name, message: _message, cause: _cause, ...own } = error;
    const errors: unknown = Reflect.get(error, "errors");
    const fields = this.#prepareProperties(Array.isArray(errors) ? { ...own, errors } : own, depth + 1);
    // The fields are one level deeper in MessagePack than in the Error.
    if (this.loss !== undefined) this.path.splice(depth, 1);
    return new ErrorParts([String(name), String(message), cause, fields]);
  }
}

function isCallable(value: unknown): value is Callable {
  return typeof value === "function";
}

function isShort(value: bigint): boolean {
  const bits = BigInt(8 * MAX_BIGINT_BYTES - 1);
  return value >> bits === 0n || value >> bits === -1n;
}

/** Whether it is a direct instance: msgpackr knows the classes of its own realm. */
function isOf(value: object, type: { readonly prototype: object }): boolean {
  return Object.getPrototypeOf(value) === type.prototype;
}

/** Of this realm: msgpackr uses `instanceof`. */
function isTypedArray(view: ArrayBufferView): boolean {
  const TypedArray: unknown = Object.getPrototypeOf(Uint8Array);
  return typeof TypedArray === "function" && view instanceof TypedArray;
}
