// A service with a method of each kind, and what its handlers saw: for tests of what is around methods.

import type { Client } from "@pigato/client";
import type { AnyReply, AnyRequest, MethodKind } from "@pigato/contract";
import { type Context, clientStream, duplex, type Host, serverStream, service, unary } from "../index.ts";

const CALLS = service("calls", {
  unary: unary<number, number>(),
  serverStream: serverStream<number, number>(),
  clientStream: clientStream<number, number>(),
  duplex: duplex<number, number>(),
  /** Passes none of the interceptors under test, if they leave it alone. */
  honest: unary<number, number>(),
});

export const KINDS: readonly MethodKind[] = ["unary", "serverStream", "clientStream", "duplex"];

export class CallsHandlers {
  /** How often a handler has started, and how many of the first runs must fail. */
  runs = 0;
  failures = 0;
  readonly events: string[] = [];
  readonly contexts: Context[] = [];

  serve(host: Host): void {
    const self = this;
    host.serve(CALLS, {
      unary: (value, ctx) => this.#run(ctx, () => value * 2),
      clientStream: async (chunks, ctx) => {
        this.#begin(ctx);
        let sum = 0;
        for await (const chunk of chunks) sum += chunk;
        this.#end(ctx);
        return sum;
      },
      async *serverStream(value, ctx) {
        self.#begin(ctx);
        yield value;
        yield value * 2;
        self.#end(ctx);
      },
      async *duplex(chunks, ctx) {
        self.#begin(ctx);
        for await (const chunk of chunks) yield chunk * 2;
        self.#end(ctx);
      },
      honest: (value) => value,
    });
  }

  #run(ctx: Context, run: () => number): number {
    this.#begin(ctx);
    const result = run();
    this.#end(ctx);
    return result;
  }

  #begin(ctx: Context): void {
    this.runs += 1;
    this.contexts.push(ctx);
    this.events.push("handler begins");
    ctx.replyHeaders.set("served-by", "calls");
    if (this.runs <= this.failures) throw new Error(`run ${this.runs} fails`);
  }

  #end(ctx: Context): void {
    ctx.replyTrailers.set("rows", "2");
    this.events.push("handler ends");
  }
}

/** Calls the method of a kind with 2, or with the chunks 1 and 2. @returns all of its output */
export async function callOf(client: Client, kind: MethodKind): Promise<number[]> {
  const api = client.of(CALLS);
  switch (kind) {
    case "unary":
      return [await api.unary(2)];
    case "serverStream":
      return api.serverStream(2).toArray();
    case "clientStream":
      return [await api.clientStream([1, 2])];
    case "duplex":
      return api.duplex([1, 2]).toArray();
    default:
      return kind satisfies never;
  }
}

/** Leaves a stream after its first chunk. */
export async function firstOf(client: Client, kind: MethodKind): Promise<number | undefined> {
  const api = client.of(CALLS);
  if (kind !== "serverStream" && kind !== "duplex") return (await callOf(client, kind))[0];
  for await (const chunk of kind === "duplex" ? api.duplex([1, 2]) : api.serverStream(2)) return chunk;
  return undefined;
}

/** A call of the method that interceptors under test leave alone. */
export function honestCall(client: Client): Promise<number> {
  return client.of(CALLS).honest(7);
}

export function withInput(request: AnyRequest, change: (value: unknown) => unknown): AnyRequest {
  if (request.kind === "unary" || request.kind === "serverStream")
    return request.with({ input: change(request.input) });
  if (request.kind !== "clientStream" && request.kind !== "duplex") return request;
  return request.with({ input: mapped(request.input, change) });
}

export function withOutput(reply: AnyReply, change: (value: unknown) => unknown): AnyReply {
  if (reply.kind === "unary" || reply.kind === "clientStream") return { ...reply, output: change(reply.output) };
  if (reply.kind !== "serverStream" && reply.kind !== "duplex") return reply;
  return { ...reply, output: mapped(reply.output, change) };
}

async function* mapped(chunks: AsyncIterable<unknown>, change: (value: unknown) => unknown): AsyncGenerator<unknown> {
  for await (const chunk of chunks) yield change(chunk);
}
