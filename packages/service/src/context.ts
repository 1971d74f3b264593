// What a handler of a contract's method gets besides its input.

import { type AnyRequest, type ErrorCode, type ErrorData, type Method, MethodError } from "@pigato/contract";
import { UsageError } from "@pigato/protocol";
import type { Reply } from "@pigato/worker";
import type { HostedMethod } from "./hosted-method.ts";

/** One request, as the handler of its method sees it. */
export class Context<Of extends Method = Method> {
  readonly #reply: Reply;
  readonly #method: HostedMethod;
  readonly #request: AnyRequest | undefined;

  /** @param request as its interceptors left it; `undefined` without interceptors */
  constructor(method: HostedMethod, reply: Reply, request?: AnyRequest) {
    this.#method = method;
    this.#reply = reply;
    this.#request = request;
  }

  /** The name of the service that the client requested. */
  get service(): string {
    return this.#reply.service;
  }

  /** The name of the method. */
  get method(): string {
    return this.#method.name;
  }

  /** Aborts when the request ends before its handler does: its caller canceled it, or a connection was lost. */
  get signal(): AbortSignal {
    return this.#request?.signal ?? this.#reply.signal;
  }

  /**
   * Ends the request with an error that the contract declares. Throws it, so nothing after it runs.
   * @throws MethodError; UsageError for a code that the method does not declare
   */
  fail<Code extends ErrorCode<Of>>(code: Code, detail: ErrorData<Of, Code>): never {
    const { definition, fullName } = this.#method;
    if (definition === undefined || !Object.hasOwn(definition.errors, code)) {
      throw new UsageError(`${fullName} declares no error "${code}": add it to its contract`);
    }
    throw new MethodError({ code, detail, message: `${fullName} failed with ${code}` });
  }
}
