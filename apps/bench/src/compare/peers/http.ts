// HTTP/1.1 between client and worker, with no broker: `node:http` at the one end, undici at the other, connections kept
// alive. A stream is lines of JSON, or bytes.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { CHUNK, type Peer, type Question, readQuestion } from "../peer.ts";

/** With as many connections as there are requests in flight, 1000 of them are slower. */
const CONNECTIONS = 100;

export const http: Peer = {
  async worker() {
    const server = createServer((request, response) => void answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { address: `http://127.0.0.1:${port}` };
  },

  async client(address) {
    const pool = new Pool(address, { connections: CONNECTIONS });
    const post = (question: Question) =>
      pool.request({ path: "/echo", method: "POST", body: JSON.stringify(question) }).then(({ body }) => body);
    return {
      call: (question, done) => {
        post(question)
          .then((body) => body.json())
          .then((data) => done(undefined, data), done);
      },
      stream: (question, onPart, done) => {
        post(question)
          .then(async (body) => {
            if (question.bytes) for await (const chunk of chunks(body)) onPart(chunk);
            else for await (const line of lines(body)) onPart(JSON.parse(line));
          })
          .then(() => done(undefined), done);
      },
    };
  },
};

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => {
    text += part;
  });
  await once(request, "end");
  const question = readQuestion(text);
  if (question.parts === undefined) return void response.end(JSON.stringify(question));
  for (let part = 0; part < question.parts; part++) {
    response.write(question.bytes ? CHUNK : `${JSON.stringify(part)}\n`);
  }
  response.end();
}

async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = "";
  for await (const data of body) {
    const cut = (rest + data.toString("latin1")).split("\n");
    rest = cut.pop() ?? "";
    yield* cut;
  }
}

async function* chunks(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const data of body) {
    parts.push(data);
    length += data.length;
    if (length < CHUNK.length) continue;
    const bytes = Buffer.concat(parts, length);
    let offset = 0;
    for (; length - offset >= CHUNK.length; offset += CHUNK.length) yield bytes.subarray(offset, offset + CHUNK.length);
    parts = [bytes.subarray(offset)];
    length -= offset;
  }
}
