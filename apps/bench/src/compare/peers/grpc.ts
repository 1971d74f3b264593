// gRPC between client and worker, with no broker: unary calls and server streaming, with JSON where others have protobuf.

import { Client, credentials, Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { CHUNK, type Peer, type Question, readQuestion } from "../peer.ts";

const SERVICE: ServiceDefinition = {
  echo: method("/bench/echo", false, writeJson),
  numbers: method("/bench/numbers", true, writeJson),
  chunks: method("/bench/chunks", true, keepBytes),
};

export const grpc: Peer = {
  async worker() {
    const server = new Server();
    server.addService(SERVICE, {
      echo: (call: { request: Question }, callback: (error: null, answer: Question) => void) =>
        callback(null, call.request),
      numbers: (call: Streaming) => stream(call, (part) => part),
      chunks: (call: Streaming) => stream(call, () => CHUNK),
    });
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error);
        else resolve({ address: `127.0.0.1:${port}` });
      });
    });
  },

  async client(address) {
    // Otherwise all clients of a process share one connection.
    const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
    });
    return {
      call: (question, done) => client.makeUnaryRequest("/bench/echo", writeJson, readJson, question, done),
      stream: (question, onPart, done) => {
        const [path, read] = question.bytes ? ["/bench/chunks", keepBytes] : ["/bench/numbers", readJson];
        const replies = client.makeServerStreamRequest<Question, unknown>(path, writeJson, read, question);
        replies.on("data", onPart);
        replies.on("error", done);
        replies.on("end", () => done(undefined));
      },
    };
  },
};

interface Streaming {
  readonly request: Question;
  write(part: unknown): void;
  end(): void;
}

function stream(call: Streaming, partOf: (part: number) => unknown): void {
  for (let part = 0; part < (call.request.parts ?? 0); part++) call.write(partOf(part));
  call.end();
}

function method(
  path: string,
  responseStream: boolean,
  responseSerialize: ServiceDefinition[string]["responseSerialize"],
): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: writeJson,
    requestDeserialize: (bytes: Buffer) => readQuestion(bytes.toString()),
    responseSerialize,
    responseDeserialize: readJson,
  };
}

function writeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function readJson(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

function keepBytes(bytes: Buffer): Buffer {
  return bytes;
}
