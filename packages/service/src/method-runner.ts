// Runs methods: validates input, calls handlers, and turns what they return or throw into replies. On the path of every request.

import {
  describeIssues,
  isError,
  type Method,
  type Next,
  type Schema,
  type Validated,
  validate,
} from "@pigato/contract";
import { inputSchemaOf, outputSchemaOf, returnsChunks, takesChunks } from "@pigato/contract/internal";
import type { Warnings } from "@pigato/peer";
import { RequestError, UsageError } from "@pigato/protocol";
import { type Instant, isAsyncIterable, isThenable, reasonOf } from "@pigato/protocol/internal";
import type { Clock } from "@pigato/transport";
import { Reply, type WorkerRequest, writeChunks } from "@pigato/worker/internal";
import { argumentsOf, type CallForm, type Flaw, inputOf, isFlaw, readCall } from "./call-form.ts";
import { Context, type ContextPort, type HostedRequest } from "./context.ts";
import { type HostInterceptors, interceptRequest } from "./host-interceptors.ts";
import type { HostedMethod } from "./hosted-method.ts";
import type { HostedService } from "./hosted-service.ts";
import type { HostSettings } from "./options.ts";
import { invalidInput, isRefusal, noChunks, refuse, unknownMethod, unreadable } from "./refusals.ts";

/** The host, as its methods use it. */
export interface RunnerPort {
  readonly interceptors: HostInterceptors;
  readonly context: ContextPort;
}

export class MethodRunner {
  readonly #settings: HostSettings;
  readonly #warnings: Warnings;
  readonly #clock: Pick<Clock, "now">;
  readonly #port: RunnerPort;

  constructor(settings: HostSettings, port: RunnerPort) {
    this.#settings = settings;
    this.#warnings = settings.worker.warnings;
    this.#clock = settings.worker.clock;
    this.#port = port;
  }

  /** @param readData decodes the body of the request; returns `NOT_JSON` or `MALFORMED` if it is not in its codec */
  run(service: HostedService, { options, requestId }: WorkerRequest, readData: () => unknown, reply: Reply): void {
    const { interceptors } = this.#port;
    const { hasInput = false } = options;
    const named = interceptors.isEmpty || options.method === undefined ? undefined : service.find(options.method);
    const next = named && interceptors.nextFor(named);
    if (named !== undefined && next !== undefined) {
      const request = { method: named, requestId, reply };
      const readInput = (): unknown => inputFor(request, readable(service, readCall(options, readData())), hasInput);
      return this.#run(request, () => this.#intercept(next, request, readInput));
    }
    const call = readCall(options, readData());
    if (isFlaw(call)) return refuse(reply, unreadable(service, call));
    const method = service.find(call.method);
    if (method === undefined) return refuse(reply, unknownMethod(service, call.method));
    const request = { method, requestId, reply };
    this.#run(request, () => this.#start(request, inputFor(request, call, hasInput)));
  }

  /** Calls the handler, and replies with its result. @param start returns what the handler returns, or a promise of it */
  #run({ method, reply }: HostedRequest, start: () => unknown): void {
    const startedAt = this.#clock.now();
    method.stats.requests += 1;
    try {
      const settling = this.#settle(method, start(), reply);
      if (settling === undefined) return this.#onEnd(method, startedAt);
      settling.then(
        () => this.#onEnd(method, startedAt),
        (error: unknown) => this.#onError(method, error, { reply, startedAt }),
      );
    } catch (error) {
      this.#onError(method, error, { reply, startedAt });
    }
  }

  /** The method of a call in the form of butler is known only with its data. */
  #start(request: HostedRequest, input: unknown): unknown {
    const next = this.#port.interceptors.nextFor(request.method);
    return next === undefined ? this.#invoke(request, input) : this.#intercept(next, request, () => input);
  }

  #intercept(next: Next, request: HostedRequest, readInput: () => unknown): Promise<unknown> {
    return interceptRequest(next, { request, readInput }, (changed, input) => this.#invoke(changed, input));
  }

  /** Validates the input and calls the handler. */
  #invoke(request: HostedRequest, input: unknown): unknown {
    const { method } = request;
    const { definition, handler, target } = method;
    if (definition === undefined) return Reflect.apply(handler, target, Array.isArray(input) ? input : [input]);
    const context = new Context(request, this.#port.context);
    const schema = this.#settings.validateInput ? inputSchemaOf(definition) : undefined;
    if (schema === undefined) return handler.call(target, input, context);
    if (takesChunks(definition.kind)) return handler.call(target, validChunks(method, schema, input), context);
    const run = (validated: Validated<unknown>): unknown => {
      if ("issues" in validated) throw new RequestError(invalidInput(method, validated.issues));
      return handler.call(target, validated.value, context);
    };
    const validated = validate(schema, input);
    return isThenable(validated) ? validated.then(run) : run(validated);
  }

  /** Replies with a result. @returns a promise if the reply ends later. Rejects, or throws, if the result cannot be sent. */
  #settle(method: HostedMethod, result: unknown, reply: Reply): Promise<void> | undefined {
    if (isThenable(result)) return this.#settleLater(method, result, reply);
    if (!reply.active()) return undefined;
    const { definition, fullName } = method;
    const isStream = isAsyncIterable(result);
    if (definition !== undefined && isStream !== returnsChunks(definition.kind)) {
      const expected = isStream
        ? "one value, not chunks: a method with chunks is made with serverStream() or duplex()"
        : "an async iterable, such as an async generator";
      throw new UsageError(`the handler of ${fullName} must return ${expected}`);
    }
    if (isStream) return this.#writeAll(method, result, reply);
    // A reply would take it as the callback of its end.
    if (typeof result === "function")
      throw new UsageError(`the handler of ${fullName} must return data, not a function`);
    const checking = this.#check(method, this.#outputSchema(definition), result);
    if (checking !== undefined) return checking.then(() => end(reply, result));
    end(reply, result);
    return undefined;
  }

  async #settleLater(method: HostedMethod, result: PromiseLike<unknown>, reply: Reply): Promise<void> {
    await this.#settle(method, await result, reply);
  }

  async #writeAll(method: HostedMethod, chunks: AsyncIterable<unknown>, reply: Reply): Promise<void> {
    const { definition } = method;
    const schema = this.#outputSchema(definition);
    const final = await writeChunks(schema === undefined ? chunks : this.#checked(method, schema, chunks), reply);
    // The chunks of a contract have a type, and what a generator returns has not.
    end(reply, definition === undefined ? final : undefined);
  }

  async *#checked(method: HostedMethod, schema: Schema, chunks: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const chunk of chunks) {
      await this.#check(method, schema, chunk);
      yield chunk;
    }
  }

  /** `undefined` if output is not validated. */
  #outputSchema(definition: Method | undefined): Schema | undefined {
    return this.#settings.validateOutput && definition !== undefined ? outputSchemaOf(definition) : undefined;
  }

  /** Throws, or rejects, if what a handler returned does not match its schema. */
  #check(method: HostedMethod, schema: Schema | undefined, value: unknown): Promise<void> | undefined {
    if (schema === undefined) return undefined;
    const check = (validated: Validated<unknown>): void => {
      if (!("issues" in validated)) return;
      throw new Error(`the output of ${method.fullName} is invalid: ${describeIssues(validated.issues)}`);
    };
    const validated = validate(schema, value);
    if (isThenable(validated)) return validated.then(check);
    check(validated);
    return undefined;
  }

  #onEnd({ stats }: HostedMethod, startedAt: Instant): void {
    stats.onEnd(this.#clock.now() - startedAt);
  }

  #onError(
    method: HostedMethod,
    error: unknown,
    { reply, startedAt }: { readonly reply: Reply; readonly startedAt: Instant },
  ): void {
    this.#onEnd(method, startedAt);
    try {
      this.#fail(method, error, reply);
    } catch (cause) {
      // A getter of the thrown value may throw as well.
      const text = `the handler of ${method.fullName} failed with an error that cannot be read: ${reasonOf(cause)}`;
      this.#fail(method, new Error(text), reply);
    }
  }

  #fail(method: HostedMethod, error: unknown, reply: Reply): void {
    const { definition, fullName, stats } = method;
    if (isRefusal(error)) {
      refuse(reply, error);
      stats.refused += 1;
      return;
    }
    const declared = definition !== undefined && isError(error, definition) && !isNested(error) ? error : undefined;
    const schema = this.#settings.validateOutput && declared ? definition?.errors[declared.code] : undefined;
    const flaw = declared && schema && flawOf(schema, declared.detail);
    const isDeclared = declared !== undefined && flaw === undefined;
    const thrown =
      declared === undefined || isDeclared
        ? error
        : new Error(`the data of the error ${declared.code} of ${fullName} is invalid: ${flaw}`);
    // A handler may fail because its request was aborted.
    if (!Reply.fail(reply, thrown, !isDeclared && this.#settings.exposeStacks)) return;
    stats.failures += 1;
    if (isDeclared) return;
    const text = `the handler of ${fullName} failed: ${reasonOf(thrown)}`;
    this.#warnings.warn("PIGATO_HANDLER_FAILED", text, { service: fullName, err: thrown });
  }
}

/**
 * What the handler of a method takes: arguments, one value, or chunks.
 * @param hasInput whether the request has streamed input; otherwise its data may be an array of chunks
 */
function inputFor({ method, reply }: HostedRequest, call: CallForm, hasInput: boolean): unknown {
  const { definition } = method;
  if (definition === undefined) return argumentsOf(call);
  const input = inputOf(call);
  if (!takesChunks(definition.kind)) return input;
  if (hasInput) return reply.input;
  if (Array.isArray(input)) return chunksIn(input);
  throw new RequestError(noChunks(method));
}

async function* chunksIn(array: readonly unknown[]): AsyncGenerator<unknown> {
  yield* array;
}

/** The chunks of input as their schema converts them. Reading throws for the first one that does not match. */
async function* validChunks(method: HostedMethod, schema: Schema, chunks: unknown): AsyncGenerator<unknown> {
  if (!isAsyncIterable(chunks)) throw new RequestError(noChunks(method));
  for await (const chunk of chunks) {
    const validated = await validate(schema, chunk);
    if ("issues" in validated) {
      throw new RequestError({ ...invalidInput(method, validated.issues), delivery: "maybe-executed" });
    }
    yield validated.value;
  }
}

/** @throws RequestError for a request that is no call */
function readable(service: HostedService, call: CallForm | Flaw): CallForm {
  if (isFlaw(call)) throw new RequestError(unreadable(service, call));
  return call;
}

/** Whether an error is that of a request that the handler made. */
function isNested(error: { readonly requestId: string | undefined }): boolean {
  return error.requestId !== undefined;
}

/** What is wrong with the data of an error, which an asynchronous schema cannot delay. */
function flawOf(schema: Schema, value: unknown): string | undefined {
  try {
    const validated = validate(schema, value);
    if (!isThenable(validated)) return "issues" in validated ? describeIssues(validated.issues) : undefined;
    validated.catch(() => {});
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function end(reply: Reply, value: unknown): void {
  if (reply.active()) reply.end(value);
}
