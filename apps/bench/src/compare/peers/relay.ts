// The limit: a process that forwards bytes without reading them, with one connection to the worker for each client. Client
// and worker do as little as possible. No broker in Node can be faster.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FrameWriter, readFrames } from "../byte-frames.ts";
import { BODY, CHUNK, isChunk, type Peer, parseRequest, type Started } from "../peer.ts";
import { PendingRequests } from "../pending-requests.ts";

export const relay: Peer = {
  worker() {
    return listening(
      createServer({ noDelay: true }, (socket) => {
        const writer = new FrameWriter(socket);
        readFrames(socket, (id, body) => {
          // The body is valid only here.
          if (body.length === BODY.length) return writer.write(id, Buffer.from(body));
          const request = parseRequest(body.toString("latin1"));
          if (request.partials === undefined) return writer.write(id, JSON.stringify(request));
          for (let number = 0; number < request.partials; number++) {
            writer.write(id, request.bytes ? CHUNK : JSON.stringify(number));
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
    const pending = new PendingRequests();
    readFrames(socket, (id, body) => {
      const isBytes = isChunk(body) || body.length === BODY.length;
      pending.settle(id, isBytes ? body : JSON.parse(body.toString("latin1")));
    });
    return {
      call: (request, done) => writer.write(pending.add(done), JSON.stringify(request)),
      callBytes: (bytes, done) => writer.write(pending.add(done), bytes),
      stream: (request, onPartial, done) => {
        writer.write(pending.add(done, onPartial, request.partials), JSON.stringify(request));
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
  if (typeof address !== "object" || address === null) throw new Error("the server is not listening on a port");
  return address.port;
}
