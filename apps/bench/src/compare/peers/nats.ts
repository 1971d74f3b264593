// NATS: the client's own `request()`, and what a careful user would write instead: one subscription for all answers,
// callbacks, no promise and no timer for a request.

import { connect, createInbox, type Msg, type NatsConnection } from "nats";
import { type Caller, CHUNK, type Peer, readQuestion } from "../peer.ts";
import { Pending } from "../pending.ts";
import { freePort, installed, runServer } from "../server.ts";

const EMPTY = new Uint8Array(0);
const TIMEOUT_MS = 60_000;

export const plain: Peer = peer((connection) => ({
  call: (question, done) => {
    connection
      .request("echo", JSON.stringify(question), { timeout: TIMEOUT_MS })
      .then((message) => done(undefined, JSON.parse(text(message))), done);
  },
  stream: (question, onPart, done) => {
    const subscription = connection.subscribe(createInbox(), {
      max: question.parts ?? 0,
      callback: (error, message) => {
        if (error) return done(error);
        onPart(question.bytes ? message.data : JSON.parse(text(message)));
        if (subscription.getReceived() === question.parts) done(undefined);
      },
    });
    connection.publish("echo", JSON.stringify(question), { reply: subscription.getSubject() });
  },
}));

export const tuned: Peer = peer((connection) => {
  const inbox = createInbox();
  const pending = new Pending();
  const chunks = new Set<number>();
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) throw error;
      const id = Number(message.subject.slice(inbox.length + 1));
      pending.settle(id, chunks.has(id) ? message.data : JSON.parse(text(message)));
    },
  });
  return {
    call: (question, done) => {
      connection.publish("echo", JSON.stringify(question), { reply: `${inbox}.${pending.add(done)}` });
    },
    stream: (question, onPart, done) => {
      const id = pending.add(
        (error) => {
          chunks.delete(id);
          done(error);
        },
        onPart,
        question.parts,
      );
      if (question.bytes) chunks.add(id);
      connection.publish("echo", JSON.stringify(question), { reply: `${inbox}.${id}` });
    },
  };
});

function peer(callerOf: (connection: NatsConnection) => Caller): Peer {
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
          const question = readQuestion(text(message));
          if (question.parts === undefined) return message.respond(JSON.stringify(question));
          for (let part = 0; part < question.parts; part++) {
            message.respond(question.bytes ? CHUNK : JSON.stringify(part));
          }
        },
      });
      await connection.flush();
      return { address };
    },

    async client(address) {
      const connection = await connect({ servers: address });
      const caller = callerOf(connection);
      await connection.flush();
      return caller;
    },
  };
}

/** Faster than `message.string()`, which makes a decoder for every message. */
function text({ data }: Msg): string {
  const { buffer, byteOffset, length } = data ?? EMPTY;
  return Buffer.from(buffer, byteOffset, length).toString();
}
