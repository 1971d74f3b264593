// The programs that a toolchain builds and runs. Each starts a broker, a worker, a host and a client, and prints the reply to a call. It
// also calls a method of a contract, and one of Picom, whose values need MessagePack.

/** What every program prints. */
export const ANSWER = "answer: hello Ada";

const USE = `
  const broker = new Broker("tcp://127.0.0.1:*");
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "greet");
  worker.on("request", (name, reply) => reply.end("hello " + name));
  const client = new Client(address);
  const greetings = service("greetings", { greet: unary() });
  const host = new Host(address);
  host.serve(greetings, { greet: (name) => "hello " + name });
  const picom = new Picom("picom", { broker: address });
  await Promise.all([worker.start(), client.start(), host.start()]);
  await picom.expose({ greet: (name, _input, output) => output.end("hello " + name) });
  const answer = await client.call("greet", "Ada");
  client.use(retry({ attempts: 2 }));
  const typed = await client.of(greetings).greet("Ada");
  const fetched = await picom.fetch({ service: "picom", cmd: "greet" }, "Ada");
  if (typed !== answer || fetched !== answer) throw new Error("greet: " + typed + ", Picom: " + fetched);
  const error = await client.call("greet", "Ada", { signal: AbortSignal.abort() }).catch((failure) => failure);
  if (!(error instanceof RequestError)) throw new Error("two copies of the packages: " + String(error));
  await picom.end();
  await client.stop();
  await host.stop();
  await worker.stop();
  await broker.stop();
`;

/** ES modules. */
export const ES_PROGRAM: string = `
import { Broker } from "@pigato/broker";
import { Client, RequestError } from "@pigato/client";
import { service, unary } from "@pigato/contract";
import Picom from "@pigato/picom";
import { retry } from "@pigato/policies";
import { Host } from "@pigato/service";
import { Worker } from "@pigato/worker";

async function main() {${USE}
  console.log("answer: " + answer);
}

main();
`;

/** CommonJS. */
export const CJS_PROGRAM: string = `
const { Broker } = require("@pigato/broker");
const { Client, RequestError } = require("@pigato/client");
const { service, unary } = require("@pigato/contract");
const Picom = require("@pigato/picom");
const { retry } = require("@pigato/policies");
const { Host } = require("@pigato/service");
const { Worker } = require("@pigato/worker");

async function main() {${USE}
  console.log("answer: " + answer);
}

main();
`;

/** A test of jest. @param imports the lines that import the packages */
function jestTest(imports: string): string {
  return `${imports}
test("a call is answered", async () => {${USE}
  expect(answer).toBe("hello Ada");
});
`;
}

export const JEST_CJS: string = jestTest(CJS_PROGRAM.split("\n\n")[0] ?? "");
export const JEST_ES: string = jestTest(ES_PROGRAM.split("\n\n")[0] ?? "");

/** TypeScript that names classes, functions and types of every package. It compiles to either form. */
export const TS_PROGRAM: string = `
import { Broker, type BrokerOptions, LinkError, type Logger } from "@pigato/broker";
import { type CallOptions, Client, type ClientOptions, RequestError } from "@pigato/client";
import { type Contract, type Schema, type UnaryMethod } from "@pigato/contract";
import { CoreService } from "@pigato/core-service";
import { Directory } from "@pigato/directory";
import type { PeerEvents } from "@pigato/peer";
import Picom, { type PicomOptions } from "@pigato/picom";
import { retry, type RetryPolicy } from "@pigato/policies";
import { type FailureCode } from "@pigato/protocol";
import { bytes, clientStream, Host, type HostOptions, serverStream, service, unary } from "@pigato/service";
import { type Transport, zmtp } from "@pigato/transport";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import PIGATO, { type RequestOptions } from "pigato";

export const greetings = service("greetings", {
  greet: unary<string, string>(),
  count: serverStream<number, number>(),
  load: clientStream<{ readonly line: string }, number>(),
  save: unary({ input: bytes(), idempotent: true }),
});
export type Greet = Contract<{ greet: UnaryMethod<Schema<string>, Schema<string>> }>;

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const transport: Transport = zmtp;
const brokerOptions: BrokerOptions = { logger, transport };
const clientOptions: ClientOptions = { timeout: 5000, logger: false };
const workerOptions: WorkerOptions = { concurrency: 2 };
const callOptions: CallOptions = { retry: true };
const codes: readonly FailureCode[] = ["UNAVAILABLE"];
const hostOptions: HostOptions = { ...workerOptions, validateOutput: true };
const picomOptions: PicomOptions = { retries: 1 };
const policy: RetryPolicy = { attempts: 2, backoff: { initialMs: 1 } };
const classic: RequestOptions = { timeout: 1000 };
export type Events = PeerEvents;
export const names: readonly unknown[] = [CoreService, Directory, LinkError, codes, classic, PIGATO.Client];

async function main(): Promise<void> {
  const broker = new Broker("tcp://127.0.0.1:*", brokerOptions);
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "greet", workerOptions);
  worker.on("request", (name: unknown, reply: Reply) => void reply.end("hello " + String(name)));
  const host = new Host(address, hostOptions);
  host.serve(greetings, {
    greet: (name) => "hello " + name,
    async *count(to) {
      for (let next = 1; next <= to; next++) yield next;
    },
    async load(lines) {
      let characters = 0;
      for await (const { line } of lines) characters += line.length;
      return characters;
    },
    save: (data) => data.length,
  });
  const client = new Client(address, clientOptions);
  client.use(retry(policy));
  await Promise.all([worker.start(), client.start(), host.start()]);
  const picom = new Picom("picom", { ...picomOptions, broker: address });
  await picom.end();
  const answer: unknown = await client.call("greet", "Ada", callOptions);
  const api = client.of(greetings, { retry: policy });
  const greeted: string = await api.greet("Ada");
  const counted: number[] = await api.count(3).toArray();
  const loaded: number = await api.load([{ line: "one" }]);
  // Does not compile if the input is anything but text: any, too.
  type Input = Parameters<typeof api.greet>[0];
  const isText: 0 extends 1 & Input ? false : Input extends string ? true : false = true;
  if (greeted !== answer || counted.length !== 3 || loaded !== 3) throw new Error("methods: " + String(isText));
  const failure: unknown = await client.call("greet", "Ada", { signal: AbortSignal.abort() }).catch((error: unknown) => error);
  if (!(failure instanceof RequestError)) throw new Error("two copies of the packages: " + String(failure));
  const old: InstanceType<typeof PIGATO.Client> = new PIGATO.Client(address, { onConnect: null });
  old.conf.timeout = 10;
  await client.stop();
  await host.stop();
  await worker.stop();
  await broker.stop();
  console.log("answer: " + String(answer));
}

void main();
`;
