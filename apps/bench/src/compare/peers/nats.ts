// NATS with the client's `request()`, and tuned by hand: one subscription for all replies, callbacks, and no promise or
// timer per request.

import { connect, createInbox, type Msg, type NatsConnection } from "nats";
import { CHUNK, type ClientConnection, type Peer, parseRequest } from "../peer.ts";
import { PendingRequests } from "../pending-requests.ts";
import { freePort, installed, runServer } from "../server.ts";

const EMPTY = new Uint8Array(0);
const TIMEOUT_MS = 60_000;

export const plain: Peer = peer((connection) => ({
  call: (request, done) => {
    connection
      .request("echo", JSON.stringify(request), { timeout: TIMEOUT_MS })
      .then((message) => done(undefined, JSON.parse(text(message))), done);
  },
  callBytes: (bytes, done) => {
    connection.request("bytes", bytes, { timeout: TIMEOUT_MS }).then(({ data }) => done(undefined, data), done);
  },
  stream: (request, onPartial, done) => {
    const subscription = connection.subscribe(createInbox(), {
      max: request.partials ?? 0,
      callback: (error, message) => {
        if (error) return done(error);
        onPartial(request.bytes ? message.data : JSON.parse(text(message)));
        if (subscription.getReceived() === request.partials) done(undefined);
      },
    });
    connection.publish("echo", JSON.stringify(request), { reply: subscription.getSubject() });
  },
}));

export const tuned: Peer = peer((connection) => {
  const inbox = createInbox();
  const pending = new PendingRequests();
  const chunks = new Set<number>();
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) throw error;
      const id = Number(message.subject.slice(inbox.length + 1));
      pending.settle(id, chunks.has(id) ? message.data : JSON.parse(text(message)));
    },
  });
  return {
    call: (request, done) => {
      connection.publish("echo", JSON.stringify(request), { reply: `${inbox}.${pending.add(done)}` });
    },
    callBytes: (bytes, done) => {
      const id = pending.add((error, reply) => {
        chunks.delete(id);
        done(error, reply);
      });
      chunks.add(id);
      connection.publish("bytes", bytes, { reply: `${inbox}.${id}` });
    },
    stream: (request, onPartial, done) => {
      const id = pending.add(
        (error) => {
          chunks.delete(id);
          done(error);
        },
        onPartial,
        request.partials,
      );
      if (request.bytes) chunks.add(id);
      connection.publish("echo", JSON.stringify(request), { reply: `${inbox}.${id}` });
    },
  };
});

function peer(connectionOf: (connection: NatsConnection) => ClientConnection): Peer {
  return {
    async broker() {
      const port = await freePort();
      const pid = await runServer({
        program: installed("nats-server") ?? "nats-server",
        args: ["--addr", "127.0.0.1", "--port", String(port)],
        ready: /Server is ready/,
      });
      return { address: `127.0.0.1:${port}`, pid };
    },

    async worker(address) {
      const connection = await connect({ servers: address });
      connection.subscribe("echo", {
        callback: (error, message) => {
          if (error) throw error;
          const request = parseRequest(text(message));
          if (request.partials === undefined) return message.respond(JSON.stringify(request));
          for (let number = 0; number < request.partials; number++) {
            message.respond(request.bytes ? CHUNK : JSON.stringify(number));
          }
        },
      });
      connection.subscribe("bytes", {
        callback: (error, message) => {
          if (error) throw error;
          message.respond(message.data);
        },
      });
      await connection.flush();
      return { address };
    },

    async client(address) {
      const connection = await connect({ servers: address });
      const own = connectionOf(connection);
      await connection.flush();
      return own;
    },
  };
}

/** Faster than `message.string()`, which creates a decoder for every message. */
function text({ data }: Msg): string {
  const { buffer, byteOffset, length } = data ?? EMPTY;
  return Buffer.from(buffer, byteOffset, length).toString();
}
