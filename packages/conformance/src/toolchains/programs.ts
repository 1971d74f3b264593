// The programs that a toolchain builds and runs. Each starts a broker, a worker and a client, and prints the reply to a call.

/** What every program prints. */
export const ANSWER = "answer: hello Ada";

const USE = `
  const broker = new Broker("tcp://127.0.0.1:*");
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "greet");
  worker.on("request", (name, reply) => reply.end("hello " + name));
  const client = new Client(address);
  await Promise.all([worker.start(), client.start()]);
  const answer = await client.call("greet", "Ada");
  const error = await client.call("greet", "Ada", { signal: AbortSignal.abort() }).catch((failure) => failure);
  if (!(error instanceof RequestError)) throw new Error("two copies of the packages: " + String(error));
  await client.stop();
  await worker.stop();
  await broker.stop();
`;

/** ES modules. */
export const ES_PROGRAM: string = `
import { Broker } from "@pigato/broker";
import { Client, RequestError } from "@pigato/client";
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
import { CoreService } from "@pigato/core-service";
import { Directory } from "@pigato/directory";
import type { PeerEvents } from "@pigato/peer";
import { type FailureCode } from "@pigato/protocol";
import { type Transport, zmtp } from "@pigato/transport";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import PIGATO, { type RequestOptions } from "pigato";

const logger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const transport: Transport = zmtp;
const brokerOptions: BrokerOptions = { logger, transport };
const clientOptions: ClientOptions = { timeout: 5000, logger: false };
const workerOptions: WorkerOptions = { concurrency: 2 };
const callOptions: CallOptions = { retry: true };
const codes: readonly FailureCode[] = ["UNAVAILABLE"];
const classic: RequestOptions = { timeout: 1000 };
export type Events = PeerEvents;
export const names: readonly unknown[] = [CoreService, Directory, LinkError, codes, classic, PIGATO.Client];

async function main(): Promise<void> {
  const broker = new Broker("tcp://127.0.0.1:*", brokerOptions);
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "greet", workerOptions);
  worker.on("request", (name: unknown, reply: Reply) => void reply.end("hello " + String(name)));
  const client = new Client(address, clientOptions);
  await Promise.all([worker.start(), client.start()]);
  const answer: unknown = await client.call("greet", "Ada", callOptions);
  const failure: unknown = await client.call("greet", "Ada", { signal: AbortSignal.abort() }).catch((error: unknown) => error);
  if (!(failure instanceof RequestError)) throw new Error("two copies of the packages: " + String(failure));
  const old: InstanceType<typeof PIGATO.Client> = new PIGATO.Client(address, { onConnect: null });
  old.conf.timeout = 10;
  await client.stop();
  await worker.stop();
  await broker.stop();
  console.log("answer: " + String(answer));
}

void main();
`;
