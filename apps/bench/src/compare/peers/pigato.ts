// PIGATO of this tree with default options, except that the worker takes any number of requests at a time (the default is
// 100).

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { CHUNK, type ClientConnection, chunksOf, isEchoRequest, type Peer } from "../peer.ts";

export const calls: Peer = peer("zmtp", (client) => ({
  call: (request, done) => {
    client.call("echo", request).then((reply) => done(undefined, reply), done);
  },
}));

export const callbacks: Peer = peer("zmtp", (client) => ({
  call: (request, done) => client.request("echo", request, undefined, done),
}));

export const callbacksSpinning: Peer = peer(
  "zmtp",
  (client) => ({ call: (request, done) => client.request("echo", request, undefined, done) }),
  1,
);

export const callsOverLibzmq: Peer = peer("libzmq", (client) => ({
  call: (request, done) => {
    client.call("echo", request).then((reply) => done(undefined, reply), done);
  },
}));

function peer(
  transport: "zmtp" | "libzmq",
  callWith: (client: Client) => Pick<ClientConnection, "call">,
  spinMs = 0,
): Peer {
  return {
    async broker() {
      const broker = new Broker("tcp://127.0.0.1:*", { transport, intch: false, spinMs });
      broker.on("error", console.error);
      await broker.start();
      const [address = ""] = broker.addresses;
      return { address };
    },

    async worker(address) {
      const worker = new Worker(address, "echo", { transport, concurrency: -1 });
      worker.on("error", console.error);
      worker.on("request", (data, reply) => {
        if (isEchoRequest(data) && data.uploads !== undefined) return count(reply.input);
        if (!isEchoRequest(data) || data.partials === undefined) return reply.end(data);
        for (let number = 0; number < data.partials; number++) {
          reply.write(data.bytes ? CHUNK : number);
        }
        reply.end(null);
      });
      await worker.start();
      return { address };
    },

    async client(address) {
      const client = new Client(address, { transport });
      client.on("error", console.error);
      await client.start();
      return {
        ...callWith(client),
        upload: (request, done) => {
          const options = { codec: "raw", input: chunksOf(request) } as const;
          client.call("echo", request, options).then((reply) => done(undefined, reply), done);
        },
        callBytes: (bytes, done) => {
          client.call("echo", bytes, { codec: "raw" }).then((reply) => done(undefined, reply), done);
        },
        stream: (request, onPartial, done) => {
          const onChunk = (_error: unknown, data: unknown) => onPartial(data);
          client.request("echo", request, onChunk, done, request.bytes ? { codec: "raw" } : {});
        },
      };
    },
  };
}

async function count(chunks: AsyncIterable<unknown>): Promise<number> {
  let number = 0;
  for await (const _chunk of chunks) number += 1;
  return number;
}
