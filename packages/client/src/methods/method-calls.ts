// The methods of a contract as functions. Their options are resolved, and encoded, once for each method.

import {
  type Contract,
  callerErrorOf,
  describeIssues,
  type Interceptor,
  isBytesSchema,
  type Method,
  type Methods,
  nameOf,
  type Schema,
  type Validated,
  validate,
} from "@pigato/contract";
import {
  checkMethodNames,
  InterceptorChain,
  inputSchemaOf,
  outputSchemaOf,
  returnsChunks,
  takesChunks,
} from "@pigato/contract/internal";
import { invalidValue } from "@pigato/peer";
import { type Failure, RequestError, UsageError } from "@pigato/protocol";
import type { ReplyStream } from "../call.ts";
import { InvalidChunk, isInputSource, type RequestInputSource, SourceChunks } from "../input-source.ts";
import type { Api, MethodCallOptions, MethodOptions } from "./api.ts";
import type { MethodInfo, MethodPort, Target } from "./method-port.ts";

/** One method of a contract. */
interface MethodRef {
  readonly service: string;
  readonly name: string;
  readonly definition: Method;
  readonly interceptors: readonly Interceptor[];
}

/** @throws UsageError for an option out of its bounds, and for options of a method that the contract does not have */
export function methodsOf<Of extends Methods, IsValidated extends boolean>(
  contract: Contract<Of>,
  options: MethodOptions,
  port: MethodPort,
): Api<Of, IsValidated>;
export function methodsOf(
  contract: Contract,
  { validate: isValidated = false, interceptors = [], methods = {}, ...options }: MethodOptions,
  port: MethodPort,
): object {
  const service = nameOf(contract);
  checkMethodNames(contract, Object.keys(methods));
  // Without a prototype, so that nothing but a method is found.
  const api: object = Object.create(null);
  for (const [name, definition] of Object.entries(contract)) {
    const { interceptors: own = [], ...calls } = (Object.hasOwn(methods, name) ? methods[name] : undefined) ?? {};
    const ref = { service, name, definition, interceptors: [...interceptors, ...own] };
    const caller = new MethodCaller(ref, { ...options, ...calls }, port);
    Object.defineProperty(api, name, {
      value: Object.assign(functionFor(caller, isValidated), { definition }),
      enumerable: true,
    });
  }
  return Object.freeze(api);
}

type AnyCall = (input?: unknown, options?: MethodCallOptions) => unknown;

function functionFor(caller: MethodCaller, isValidated: boolean): AnyCall {
  if (returnsChunks(caller.definition.kind)) {
    return (input, options) => (isValidated ? caller.streamValidated(input, options) : caller.stream(input, options));
  }
  const call = (input?: unknown, options?: MethodCallOptions): Promise<unknown> =>
    isValidated ? caller.callValidated(input, options) : caller.call(input, options);
  return Object.assign(call, {
    safe: (input?: unknown, options?: MethodCallOptions) => safely(call(input, options)),
  });
}

/** Whether a method takes or returns bytes, which the codec `raw` carries without JSON. */
function hasBytes(definition: Method): boolean {
  const { errors: _errors, kind: _kind, idempotent: _idempotent, ...schemas } = definition;
  return Object.values(schemas).some(isBytesSchema);
}

async function safely(calling: Promise<unknown>): Promise<readonly [error: unknown, output: unknown]> {
  try {
    return [null, await calling];
  } catch (error) {
    return [error, undefined];
  }
}

/** Calls one method. Its input is a value, or a source of chunks. */
class MethodCaller {
  readonly definition: Method;
  readonly fullName: string;
  readonly #info: MethodInfo;
  readonly #options: MethodCallOptions;
  readonly #port: MethodPort;
  readonly #takesChunks: boolean;
  readonly #inputSchema: Schema | undefined;
  readonly #outputSchema: Schema | undefined;
  /** For a call with a value and without options. */
  readonly #target: Target;

  constructor(ref: MethodRef, options: MethodCallOptions, port: MethodPort) {
    const { service, name, definition, interceptors } = ref;
    this.definition = definition;
    this.fullName = `${service}.${name}`;
    this.#info = {
      service,
      method: name,
      definition,
      chain: new InterceptorChain(port, interceptors),
      toError: (failure) => callerErrorOf(failure, definition),
    };
    this.#options = options;
    this.#port = port;
    this.#takesChunks = takesChunks(definition.kind);
    this.#inputSchema = inputSchemaOf(definition);
    this.#outputSchema = outputSchemaOf(definition);
    this.#target = this.#newTarget(options);
  }

  call(input: unknown, options: MethodCallOptions | undefined): Promise<unknown> {
    // Not async: V8 would lose the stack of the awaiting functions at the additional promise.
    try {
      return this.#port.call(this.#targetOf(input, options), this.#dataOf(input));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  stream(input: unknown, options: MethodCallOptions | undefined): ReplyStream {
    return this.#port.stream(this.#targetOf(input, options), this.#dataOf(input));
  }

  async callValidated(input: unknown, options: MethodCallOptions | undefined): Promise<unknown> {
    const value = this.#valueSchema;
    if (value !== undefined) this.#checkInput(await validate(value, input));
    const output = await this.call(this.#checkedChunks(input), options);
    const schema = this.#outputSchema;
    return schema === undefined ? output : this.#read(await validate(schema, output));
  }

  streamValidated(input: unknown, options: MethodCallOptions | undefined): ReplyStream {
    const value = this.#valueSchema;
    if (value !== undefined) this.#checkInput(this.#now(validate(value, input)));
    const schema = this.#outputSchema;
    const read = schema && ((chunk: unknown): unknown => this.#read(this.#now(validate(schema, chunk))));
    return this.#port.stream(this.#targetOf(this.#checkedChunks(input), options), this.#dataOf(input), read);
  }

  /** The schema of input that is a value. */
  get #valueSchema(): Schema | undefined {
    return this.#takesChunks ? undefined : this.#inputSchema;
  }

  /** Chunks do not travel with the data. */
  #dataOf(input: unknown): unknown {
    return this.#takesChunks ? null : input;
  }

  /** The same chunks, which fail the call at the first one that does not match. A value stays unchanged. */
  #checkedChunks(input: unknown): unknown {
    const schema = this.#inputSchema;
    if (!this.#takesChunks || schema === undefined || isBytesSchema(schema) || !isInputSource(input)) return input;
    return SourceChunks.checked(input, async (chunk) => {
      const invalid = this.#invalidInput(await validate(schema, chunk));
      if (invalid !== undefined) throw new InvalidChunk(invalid.message, invalid.detail);
    });
  }

  #targetOf(input: unknown, options: MethodCallOptions | undefined): Target {
    if (!this.#takesChunks) return options === undefined ? this.#target : this.#newTarget(this.#optionsWith(options));
    if (isInputSource(input)) return this.#newTarget(this.#optionsWith(options), input);
    throw new UsageError(
      `${this.fullName} takes chunks: an iterable, a stream, a Blob, bytes, or a function that returns one`,
    );
  }

  /** @throws UsageError for anything but an object, of which nothing would be read */
  #optionsWith(options: MethodCallOptions = {}): MethodCallOptions {
    if (typeof options !== "object" || options === null)
      throw invalidValue(`the options of ${this.fullName}`, "an object", options);
    return { ...this.#options, ...options };
  }

  #newTarget(options: MethodCallOptions, chunks?: RequestInputSource): Target {
    const { codec = hasBytes(this.definition) ? "raw" : undefined } = options;
    return this.#port.target(this.#info, { ...options, codec }, chunks);
  }

  #checkInput(validated: Validated<unknown>): void {
    const invalid = this.#invalidInput(validated);
    if (invalid !== undefined) throw this.#failure({ code: "INVALID_ARGUMENT", delivery: "not-sent", ...invalid });
  }

  #invalidInput(validated: Validated<unknown>): Pick<Failure, "message" | "detail"> | undefined {
    if (!("issues" in validated)) return undefined;
    const { issues } = validated;
    return { message: `the input of ${this.fullName} is invalid: ${describeIssues(issues)}`, detail: { issues } };
  }

  /** The output as its schema converts it. */
  #read(validated: Validated<unknown>): unknown {
    if (!("issues" in validated)) return validated.value;
    const { issues } = validated;
    const message = `the output of ${this.fullName} is invalid: ${describeIssues(issues)}`;
    throw this.#failure({ code: "INVALID", message, delivery: "maybe-executed", detail: { issues } });
  }

  /** Chunks are not validated later than they arrive. */
  #now(validating: Validated<unknown> | Promise<Validated<unknown>>): Validated<unknown> {
    if (!("then" in validating)) return validating;
    validating.catch(() => {});
    throw new UsageError(
      `the schemas of ${this.fullName} are asynchronous, which a client that validates a stream cannot use`,
    );
  }

  #failure(failure: Failure): RequestError {
    return new RequestError(failure, { service: this.#info.service, requestId: undefined });
  }
}
