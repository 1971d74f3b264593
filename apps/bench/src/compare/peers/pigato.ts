// Ours: a broker, a worker and a client with their default options, but for the worker's limit of 100 requests at a time.
// There are no bytes on this wire but in JSON: chunks of bytes travel as base64.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { type Caller, CHUNK, isQuestion, type Peer } from "../peer.ts";

export const calls: Peer = peer("zmtp", (client) => ({
  call: (question, done) => {
    client.call("echo", question).then((answer) => done(undefined, answer), done);
  },
}));

export const callbacks: Peer = peer("zmtp", (client) => ({
  call: (question, done) => client.request("echo", question, undefined, done),
}));

export const callbacksSpinning: Peer = peer(
  "zmtp",
  (client) => ({ call: (question, done) => client.request("echo", question, undefined, done) }),
  1,
);

export const callsOverLibzmq: Peer = peer("libzmq", (client) => ({
  call: (question, done) => {
    client.call("echo", question).then((answer) => done(undefined, answer), done);
  },
}));

function peer(transport: "zmtp" | "libzmq", callWith: (client: Client) => Pick<Caller, "call">, spinMs = 0): Peer {
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
        if (!isQuestion(data) || data.parts === undefined) return reply.end(data);
        for (let part = 0; part < data.parts; part++) reply.write(data.bytes ? CHUNK.toString("base64") : part);
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
        stream: (question, onPart, done) => {
          const onPartial = (_error: unknown, part: unknown) =>
            onPart(typeof part === "string" ? Buffer.from(part, "base64") : part);
          client.request("echo", question, onPartial, done);
        },
      };
    },
  };
}
