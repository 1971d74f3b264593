// The original npm package. Its native addon no longer builds, so it runs over `zeromq` 6, as in the interop tests.

import { once } from "node:events";
import classicLibrary from "pigato-classic";
import { CHUNK, isEchoRequest, type Peer } from "../peer.ts";

export const classic: Peer = {
  async broker() {
    const broker = new classicLibrary.Broker("tcp://127.0.0.1:*", { intch: "tcp://127.0.0.1:*" });
    const started = once(broker, "start");
    broker.start();
    await started;
    return { address: broker.socket.last_endpoint };
  },

  async worker(address) {
    const worker = new classicLibrary.Worker(address, "echo", { concurrency: -1 });
    worker.on("request", (data, reply) => {
      if (!isEchoRequest(data) || data.partials === undefined) return reply.end(data);
      for (let number = 0; number < data.partials; number++) {
        reply.write(data.bytes ? CHUNK.toString("base64") : number);
      }
      reply.end(null);
    });
    const connected = once(worker, "connect");
    worker.start();
    await connected;
    return { address };
  },

  async client(address) {
    const client = new classicLibrary.Client(address);
    const connected = once(client, "connect");
    client.start();
    await connected;
    return {
      call: (request, done) => client.request("echo", request, () => {}, done),
      stream: (request, onPartial, done) => {
        const decode = (_error: unknown, data: unknown) =>
          onPartial(typeof data === "string" ? Buffer.from(data, "base64") : data);
        client.request("echo", request, decode, done);
      },
    };
  },
};
