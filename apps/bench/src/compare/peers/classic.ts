// The original, as npm has it. Its native addon no longer builds, so it runs over `zeromq` 6, as in the interop tests.

import { once } from "node:events";
import classicLibrary from "pigato-classic";
import { CHUNK, isQuestion, type Peer } from "../peer.ts";

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
      if (!isQuestion(data) || data.parts === undefined) return reply.end(data);
      for (let part = 0; part < data.parts; part++) reply.write(data.bytes ? CHUNK.toString("base64") : part);
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
      call: (question, done) => client.request("echo", question, () => {}, done),
      stream: (question, onPart, done) => {
        const onPartial = (_error: unknown, part: unknown) =>
          onPart(typeof part === "string" ? Buffer.from(part, "base64") : part);
        client.request("echo", question, onPartial, done);
      },
    };
  },
};
