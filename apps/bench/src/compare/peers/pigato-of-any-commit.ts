// PIGATO at any commit of this repository, for `pnpm bench against`. It uses only API that every commit has. It names the
// transport, which was not always the default.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { zmtp } from "@pigato/transport";
import { Worker } from "@pigato/worker";
import { isEchoRequest, type Peer } from "../peer.ts";

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
      if (!isEchoRequest(data) || data.partials === undefined) return reply.end(data);
      for (let number = 0; number < data.partials; number++) reply.write(number);
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
      call: (request, done) => {
        client.call("echo", request).then((reply) => done(undefined, reply), done);
      },
      stream: (request, onPartial, done) => {
        client.request("echo", request, (_error: unknown, part: unknown) => onPartial(part), done);
      },
    };
  },
};
