// What user code passes or returns, of any realm and any implementation: `instanceof` does not know the classes of another realm.

/** Whether a value is a promise, or another object with a method `then`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Whether a value is an async iterable, such as a Node stream or an async generator. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === "function"
  );
}

/**
 * Whether a value inherits from the `Error.prototype` of any realm. `instanceof` does not know the errors of another realm, such as
 * that of `node:vm` or of a test runner.
 */
export function isError(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  try {
    let prototype: unknown = Object.getPrototypeOf(value);
    while (typeof prototype === "object" && prototype !== null) {
      // No other prototype of the language has both.
      if (hasOwnText(prototype, "name") && hasOwnText(prototype, "message")) return true;
      prototype = Object.getPrototypeOf(prototype);
    }
  } catch {
    // A proxy that is revoked, or whose traps throw.
  }
  return false;
}

function hasOwnText(object: object, name: string): boolean {
  return typeof Object.getOwnPropertyDescriptor(object, name)?.value === "string";
}
