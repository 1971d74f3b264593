// The types in the public signatures of a client: a program that installs this package alone can name each of them.

import { serverStream, service, unary } from "@pigato/contract";
import { expectTypeOf, test } from "vitest";
import type {
  AnyReply,
  AnyRequest,
  Backoff,
  CallOptions,
  CallScope,
  Client,
  ClientOptions,
  Clock,
  Contract,
  DescribeOptions,
  HeaderFields,
  HeaderListener,
  HeaderMap,
  Interceptor,
  JsonSchema,
  MethodDescription,
  MethodErrorOf,
  Methods,
  Next,
  OpenRequest,
  RequestError,
  RequestId,
  RetryBudget,
  RetryPolicy,
  SafeResult,
  ServiceDescription,
  StreamCall,
  TransportChoice,
  UnaryCall,
  UsageError,
} from "./index.ts";

const STOCKS = service("stocks", { quote: unary<string, number>(), watch: serverStream<string, number>() });

declare const client: Client;

// No test calls this function: only its type counts.
function stocks() {
  return client.of(STOCKS);
}

test("the options of requests have types that can be imported", () => {
  expectTypeOf<CallOptions["retry"]>().toEqualTypeOf<boolean | number | RetryPolicy | undefined>();
  expectTypeOf<RetryPolicy["budget"]>().toEqualTypeOf<RetryBudget | false | undefined>();
  expectTypeOf<Backoff>().toExtend<NonNullable<RetryPolicy["backoff"]>>();
  expectTypeOf<CallOptions["headers"]>().toEqualTypeOf<HeaderFields | undefined>();
  expectTypeOf<CallScope["headers"]>().toEqualTypeOf<HeaderFields | undefined>();
  expectTypeOf<CallOptions["onHeaders"]>().toEqualTypeOf<HeaderListener | undefined>();
  expectTypeOf<Parameters<HeaderListener>>().toEqualTypeOf<[headers: HeaderMap]>();
  expectTypeOf<ClientOptions["clock"]>().toEqualTypeOf<Clock | undefined>();
  expectTypeOf<ClientOptions["transport"]>().toEqualTypeOf<TransportChoice | undefined>();
  expectTypeOf<OpenRequest["requestId"]>().toEqualTypeOf<RequestId>();
});

test("the methods of a client have types that can be imported", () => {
  expectTypeOf(STOCKS).toExtend<Contract>();
  expectTypeOf<typeof STOCKS>().toExtend<Methods>();
  expectTypeOf<ReturnType<typeof stocks>["quote"]>().toEqualTypeOf<UnaryCall<typeof STOCKS.quote>>();
  expectTypeOf<ReturnType<typeof stocks>["watch"]>().toEqualTypeOf<StreamCall<typeof STOCKS.watch>>();
  expectTypeOf<SafeResult<typeof STOCKS.quote>>().toExtend<
    readonly [MethodErrorOf<typeof STOCKS.quote> | RequestError | UsageError | null, number | undefined]
  >();
  expectTypeOf<Awaited<ReturnType<Client["describe"]>>>().toEqualTypeOf<ServiceDescription>();
  expectTypeOf<Parameters<Client["describe"]>[1]>().toEqualTypeOf<DescribeOptions | undefined>();
  expectTypeOf<ServiceDescription["methods"]>().toEqualTypeOf<readonly MethodDescription[]>();
  expectTypeOf<MethodDescription["input"]>().toEqualTypeOf<JsonSchema | undefined>();
});

test("an interceptor has types that can be imported", () => {
  expectTypeOf<Interceptor>().toEqualTypeOf<(next: Next) => Next>();
  expectTypeOf<Next>().toEqualTypeOf<(request: AnyRequest) => Promise<AnyReply>>();
});
