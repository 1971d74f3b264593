// The methods of one service, by name: those of contracts, and registered functions.

import type { Contract } from "@pigato/contract";
import { checkMethodNames } from "@pigato/contract/internal";
import { invalidValue } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import { nearestName } from "@pigato/protocol/internal";
import { type AnyFunction, functionsOf, isFunction } from "./exposed-functions.ts";
import { type HostedMethod, MethodStats } from "./hosted-method.ts";
import { builtInMethods, type HostFacts } from "./introspection.ts";

/** The most names in an error message. */
const MAX_SHOWN_NAMES = 20;

export class HostedService {
  readonly name: string;
  /** A `Map`, so that no name finds a member of an object's prototype. */
  readonly methods: Map<string, HostedMethod> = new Map();
  /** By name. No other method has such a name. */
  readonly #builtIn = new Map<string, HostedMethod>();

  constructor(name: string, facts: HostFacts) {
    this.name = name;
    for (const method of builtInMethods(this, facts)) this.#builtIn.set(method.name, method);
  }

  find(name: string): HostedMethod | undefined {
    return this.methods.get(name) ?? this.#builtIn.get(name);
  }

  /** @throws UsageError for a handler that is missing, or that the contract does not have */
  addContract(contract: Contract, handlers: object): void {
    if (typeof handlers !== "object" || handlers === null) {
      throw invalidValue(`the handlers of service "${this.name}"`, "an object", handlers);
    }
    const methods = Object.entries(contract).map(([name, definition]) => {
      // The name of a method is no member of Object.prototype. The handlers may be an instance of a class.
      const handler: unknown = Reflect.get(handlers, name);
      if (!isFunction(handler)) throw this.#noHandler(name, contract, handlers);
      return this.#checked({ name, definition, handler, target: handlers });
    });
    // An instance may have functions besides its methods, such as those that it was constructed with.
    if (isPlain(handlers)) checkMethodNames(contract, [...functionsOf(handlers).keys()]);
    for (const method of methods) this.methods.set(method.name, method);
  }

  /** @throws UsageError for a name that is taken */
  addFunctions(functions: ReadonlyMap<string, AnyFunction>, target: unknown): void {
    const methods = [...functions].map(([name, handler]) =>
      this.#checked({ name, definition: undefined, handler, target }),
    );
    for (const method of methods) this.methods.set(method.name, method);
  }

  /** For the error of a request that names no method of this service. */
  describeMethods(): string {
    const names = [...this.methods.keys()];
    const shown = names.slice(0, MAX_SHOWN_NAMES).join(", ");
    return names.length > MAX_SHOWN_NAMES ? `${shown} and ${names.length - MAX_SHOWN_NAMES} more` : shown;
  }

  #noHandler(name: string, contract: Contract, handlers: object): UsageError {
    const others = [...functionsOf(handlers).keys()].filter((other) => !Object.hasOwn(contract, other));
    const misspelled = nearestName(name, others);
    const hint = misspelled === undefined ? `pass a function "${name}"` : `rename "${misspelled}" to "${name}"`;
    return new UsageError(`${this.name}.${name} has no handler: ${hint}`);
  }

  #checked(method: Omit<HostedMethod, "fullName" | "stats">): HostedMethod {
    const fullName = `${this.name}.${method.name}`;
    if (this.methods.has(method.name)) throw new UsageError(`${fullName} is already served`);
    return { ...method, fullName, stats: new MethodStats() };
  }
}

/** Whether an object has no class. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
