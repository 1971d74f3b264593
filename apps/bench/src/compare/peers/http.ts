// HTTP/1.1 between client and worker, without a broker: `node:http` in the worker, undici in the client, with keep-alive. A
// stream is lines of JSON, or bytes.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Pool } from "undici";
import { CHUNK, chunksOf, type EchoRequest, type Peer, parseRequest } from "../peer.ts";

/** 1000 connections for 1000 requests in flight would be slower. */
const CONNECTIONS = 100;

export const http: Peer = {
  async worker() {
    const server = createServer((request, response) => void reply(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { address: `http://127.0.0.1:${port}` };
  },

  async client(address) {
    const pool = new Pool(address, { connections: CONNECTIONS });
    const post = (request: EchoRequest) =>
      pool.request({ path: "/echo", method: "POST", body: JSON.stringify(request) }).then(({ body }) => body);
    return {
      call: (request, done) => {
        post(request)
          .then((body) => body.json())
          .then((data) => done(undefined, data), done);
      },
      upload: (request, done) => {
        pool
          .request({ path: "/upload", method: "POST", body: Readable.from(chunksOf(request)) })
          .then(({ body }) => body.json())
          .then((received) => done(undefined, received), done);
      },
      callBytes: (bytes, done) => {
        pool
          .request({ path: "/bytes", method: "POST", body: bytes })
          .then(({ body }) => body.bytes())
          .then((data) => done(undefined, data), done);
      },
      stream: (request, onPartial, done) => {
        post(request)
          .then(async (body) => {
            if (request.bytes) for await (const chunk of chunks(body)) onPartial(chunk);
            else for await (const line of lines(body)) onPartial(JSON.parse(line));
          })
          .then(() => done(undefined), done);
      },
    };
  },
};

async function reply(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.url === "/upload") return void response.end(JSON.stringify(await countChunks(incoming)));
  if (incoming.url === "/bytes") return void response.end(await buffer(incoming));
  let text = "";
  incoming.setEncoding("utf8");
  incoming.on("data", (piece: string) => {
    text += piece;
  });
  await once(incoming, "end");
  const request = parseRequest(text);
  if (request.partials === undefined) return void response.end(JSON.stringify(request));
  for (let number = 0; number < request.partials; number++) {
    response.write(request.bytes ? CHUNK : `${JSON.stringify(number)}\n`);
  }
  response.end();
}

/** The number of whole chunks. */
async function countChunks(body: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const data of body) bytes += data.length;
  return bytes / CHUNK.length;
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
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const data of body) {
    pieces.push(data);
    length += data.length;
    if (length < CHUNK.length) continue;
    const bytes = Buffer.concat(pieces, length);
    let offset = 0;
    for (; length - offset >= CHUNK.length; offset += CHUNK.length) yield bytes.subarray(offset, offset + CHUNK.length);
    pieces = [bytes.subarray(offset)];
    length -= offset;
  }
}
