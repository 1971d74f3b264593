// A contract lists the methods of a service, with the schemas of their input and output, and the errors that they report. It is a value
// that client and host share. The types of both sides follow from it.

import { UsageError } from "@pigato/protocol";
import { isFailureCode, isMethodName, nearestName } from "@pigato/protocol/internal";
import { isMethod, type Method } from "./method.ts";

export type Methods = Readonly<Record<string, Method>>;

// Registered, because a process may load two copies of this package.
const NAME: unique symbol = Symbol.for("@pigato/contract: service");

/** The methods of a service, by their names. */
export type Contract<Of extends Methods = Methods> = Of & { readonly [NAME]: string };

/**
 * The contract of a service.
 * @param name of the service, with or without a version: `stocks@1.2.0`
 * @throws UsageError for a method name that no peer can call, see `isServedName`, and for an error code that failures have
 */
export function service<const Of extends Methods>(name: string, methods: Of): Contract<Of> {
  if (typeof name !== "string" || name === "")
    throw new UsageError("a contract needs the name of its service: pass it as the first argument of service()");
  if (typeof methods !== "object" || methods === null)
    throw new UsageError(
      `the contract of "${name}" needs its methods: pass an object of them as the second argument of service()`,
    );
  for (const [method, definition] of Object.entries(methods)) checkMethod(name, method, definition);
  return Object.freeze({ ...methods, [NAME]: name });
}

/**
 * The name of the service that a contract describes.
 * @throws UsageError for anything but a contract
 */
export function nameOf(contract: Contract): string {
  const name: unknown = typeof contract === "object" && contract !== null ? contract[NAME] : undefined;
  if (typeof name === "string") return name;
  throw new UsageError("a contract must be what service() returns: service(name, methods)");
}

/** @throws UsageError for a name that is no method of a contract */
export function checkMethodNames(contract: Contract, names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(contract, name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, Object.keys(contract));
  const hint = nearest === undefined ? "" : `: did you mean "${nearest}"?`;
  throw new UsageError(`the contract of service "${nameOf(contract)}" has no method "${shortName(unknown)}"${hint}`);
}

/** The most characters of a name in an error message. */
const MAX_SHOWN_NAME = 64;
/** Starts the names of built-in methods, such as `$info`. */
const RESERVED_PREFIX = "$";
/** `await` would call a method `then` of a client, and `JSON.stringify` a method `toJSON`. */
const RESERVED: ReadonlySet<string> = new Set(["then", "toJSON", ...Object.getOwnPropertyNames(Object.prototype)]);

/**
 * Whether a host serves methods of this name: 1 to 255 bytes that start with neither `_`, for private methods, nor `$`, for built-in ones,
 * without control characters. `then`, `toJSON` and the members of `Object.prototype` are no names.
 */
export function isServedName(name: string): boolean {
  return isMethodName(name) && !name.startsWith("_") && !name.startsWith(RESERVED_PREFIX) && !RESERVED.has(name);
}

/** The name of a method for an error message: at most 64 characters of it. */
export function shortName(name: string): string {
  return name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name;
}

function checkMethod(service: string, name: string, method: unknown): void {
  if (!isServedName(name)) {
    const shown = shortName(name);
    const rule =
      "a name has 1 to 255 bytes, does not start with _ or $, and is not then, toJSON or a member of Object.prototype";
    throw new UsageError(`service "${service}" cannot have a method "${shown}": ${rule}`);
  }
  if (!isMethod(method)) {
    throw new UsageError(
      `${service}.${name} must be a method: the result of unary(), serverStream(), clientStream() or duplex()`,
    );
  }
  const code = Object.keys(method.errors).find(isFailureCode);
  if (code === undefined) return;
  throw new UsageError(
    `${service}.${name} cannot declare the error "${code}", a code of failures: choose another code`,
  );
}
