// The limit: a process that hands on bytes without looking at them, with one connection to the worker for each client.
// What client and worker do is as little as can be. No broker of requests can be faster in Node.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FrameWriter, readFrames } from "../frames.ts";
import { CHUNK, type Peer, readQuestion, type Started } from "../peer.ts";
import { Pending } from "../pending.ts";

export const relay: Peer = {
  worker() {
    return listening(
      createServer({ noDelay: true }, (socket) => {
        const writer = new FrameWriter(socket);
        readFrames(socket, (id, body) => {
          const question = readQuestion(body.toString("latin1"));
          if (question.parts === undefined) return writer.write(id, JSON.stringify(question));
          for (let part = 0; part < question.parts; part++) {
            writer.write(id, question.bytes ? CHUNK : JSON.stringify(part));
          }
        });
        socket.on("error", () => {});
      }),
    );
  },

  broker(address) {
    return listening(
      createServer({ noDelay: true }, (near) => {
        const far = connectTo(address);
        near.pipe(far).pipe(near);
        near.on("error", () => {});
        far.on("error", () => {});
      }),
    );
  },

  async client(address) {
    const socket = connectTo(address);
    await once(socket, "connect");
    const writer = new FrameWriter(socket);
    const pending = new Pending();
    readFrames(socket, (id, body) => {
      pending.settle(
        id,
        body.length === CHUNK.length && body[0] === CHUNK[0] ? body : JSON.parse(body.toString("latin1")),
      );
    });
    return {
      call: (question, done) => writer.write(pending.add(done), JSON.stringify(question)),
      stream: (question, onPart, done) => {
        writer.write(pending.add(done, onPart, question.parts), JSON.stringify(question));
      },
    };
  },
};

function connectTo(address: string): Socket {
  return connect({ port: Number(address), host: "127.0.0.1", noDelay: true });
}

async function listening(server: Server): Promise<Started> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { address: String(portOf(server.address())) };
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
