// PIGATO as any commit of this repository has it, for `pnpm bench against`: with what has been there from the first
// broker on, and nothing else. The transport is named because it was not always the default.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { zmtp } from "@pigato/transport";
import { Worker } from "@pigato/worker";
import { isQuestion, type Peer } from "../peer.ts";

export const ofAnyCommit: Peer = {
  async broker() {
    const broker = new Broker("tcp://127.0.0.1:*", { transport: zmtp, intch: false });
    broker.on("error", console.error);
    await broker.start();
    const [address = ""] = broker.addresses;
    return { address };
  },

  async worker(address) {
    const worker = new Worker(address, "echo", { transport: zmtp, concurrency: -1 });
    worker.on("error", console.error);
    worker.on("request", (data, reply) => {
      if (!isQuestion(data) || data.parts === undefined) return reply.end(data);
      for (let part = 0; part < data.parts; part++) reply.write(part);
      reply.end(null);
    });
    await worker.start();
    return { address };
  },

  async client(address) {
    const client = new Client(address, { transport: zmtp });
    client.on("error", console.error);
    await client.start();
    return {
      call: (question, done) => {
        client.call("echo", question).then((answer) => done(undefined, answer), done);
      },
      stream: (question, onPart, done) => {
        client.request("echo", question, (_error: unknown, part: unknown) => onPart(part), done);
      },
    };
  },
};
