// Which functions of an object a host exposes: its own, and the methods of its class. Nothing else that an object can reach may be
// called from outside: no accessors, no symbols, no private names, no members of Object.prototype or of built-in classes.

import { isServedName } from "@pigato/contract";
import { invalidValue } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";

export type AnyFunction = (...args: readonly unknown[]) => unknown;

export function isFunction(value: unknown): value is AnyFunction {
  return typeof value === "function";
}

/**
 * The functions to register, by name. They are read once: what the object gets later is not exposed.
 * @param what an object, or one function
 * @param alias the name of the function; by default its own
 * @throws UsageError if there is nothing to expose, or under no possible name
 */
export function exposedFunctions(what: unknown, alias: string | undefined): ReadonlyMap<string, AnyFunction> {
  if (isFunction(what)) {
    if (isClass(what)) throw new UsageError(`cannot register the class ${what.name}: pass an instance of it`);
    return new Map([[readName(alias ?? what.name), what]]);
  }
  if (typeof what !== "object" || what === null) {
    throw invalidValue("what is registered", "an object or a function", what);
  }
  if (alias !== undefined)
    throw new UsageError(`cannot register an object as "${alias}": an alias is the name of one function`);
  const functions = functionsOf(what);
  if (functions.size === 0)
    throw new UsageError("cannot register an object without own functions and methods: nothing could be called");
  return functions;
}

/** An object's own functions and the methods of its class, by name. A property that hides a method by something else hides its name. */
export function functionsOf(object: object): Map<string, AnyFunction> {
  const functions = new Map<string, AnyFunction>();
  const hidden = new Set<string>();
  for (const owner of [object, ...classesOf(object)]) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (hidden.has(name)) continue;
      hidden.add(name);
      if (isFunction(value) && isServedName(name)) functions.set(name, value);
    }
  }
  return functions;
}

/** The prototypes with the methods of an instance's class and of those that it extends, up to one that is not of a program. */
function classesOf(instance: object): readonly object[] {
  const classes: object[] = [];
  let prototype: unknown = Object.getPrototypeOf(instance);
  while (isClassPrototype(prototype)) {
    classes.push(prototype);
    prototype = Object.getPrototypeOf(prototype);
  }
  return classes;
}

function isClass(value: AnyFunction): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * Whether a prototype belongs to a class that a program declared with `class`. Those of the language and of the platform, and the
 * emitters and streams of Node, are functions or globals.
 */
function isClassPrototype(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const declared: unknown = Object.getOwnPropertyDescriptor(value, "constructor")?.value;
  if (!isFunction(declared) || Reflect.get(declared, "prototype") !== value) return false;
  return isClass(declared) && Reflect.get(globalThis, declared.name) !== declared;
}

function readName(name: unknown): string {
  if (typeof name === "string" && isServedName(name)) return name;
  throw invalidValue(
    "the name of a registered function",
    "1 to 255 bytes that do not start with _ or $, and no member of Object.prototype",
    name,
  );
}
