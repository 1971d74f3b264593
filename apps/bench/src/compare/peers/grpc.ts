// gRPC between client and worker, without a broker: unary calls and server streaming, with JSON instead of protobuf.

import { Client, credentials, Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { CHUNK, type EchoRequest, type Peer, parseRequest } from "../peer.ts";

const SERVICE: ServiceDefinition = {
  echo: method("/bench/echo", false, writeJson),
  numbers: method("/bench/numbers", true, writeJson),
  chunks: method("/bench/chunks", true, keepBytes),
  bytes: { ...method("/bench/bytes", false, keepBytes), requestDeserialize: keepBytes },
};

export const grpc: Peer = {
  async worker() {
    const server = new Server();
    server.addService(SERVICE, {
      echo: (call: { request: EchoRequest }, callback: (error: null, reply: EchoRequest) => void) =>
        callback(null, call.request),
      bytes: (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) =>
        callback(null, call.request),
      numbers: (call: Streaming) => stream(call, (number) => number),
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
    // Without this all clients of a process share one connection.
    const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
    });
    return {
      call: (request, done) => client.makeUnaryRequest("/bench/echo", writeJson, readJson, request, done),
      callBytes: (bytes, done) => client.makeUnaryRequest("/bench/bytes", keepBytes, keepBytes, bytes, done),
      stream: (request, onPartial, done) => {
        const [path, read] = request.bytes ? ["/bench/chunks", keepBytes] : ["/bench/numbers", readJson];
        const replies = client.makeServerStreamRequest<EchoRequest, unknown>(path, writeJson, read, request);
        replies.on("data", onPartial);
        replies.on("error", done);
        replies.on("end", () => done(undefined));
      },
    };
  },
};

interface Streaming {
  readonly request: EchoRequest;
  write(partial: unknown): void;
  end(): void;
}

function stream(call: Streaming, partialOf: (number: number) => unknown): void {
  for (let number = 0; number < (call.request.partials ?? 0); number++) call.write(partialOf(number));
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
    requestDeserialize: (bytes: Buffer) => parseRequest(bytes.toString()),
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
