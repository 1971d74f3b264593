// The web front: the page and its files, and /prices, which passes on what the worker streams, row by row. It knows one
// service by name and nothing else of what is behind the broker.
//
// A browser that goes away cancels its request, and so ends the worker's work for it.

import { Readable } from "node:stream";
import type { Client } from "@pigato/client";
import { type FastifyInstance, fastify } from "fastify";
import { parseAsk } from "./ask.ts";
import { explain } from "./explain.ts";
import type { StreamEvent } from "./page/stream-event.ts";
import { pageFiles } from "./page-files.ts";
import { PriceError } from "./price-error.ts";
import { parsePriceRow } from "./price-row.ts";

/** Milliseconds that a worker may take for the next row. */
const ROW_TIMEOUT_MS = 30_000;

export function createFront(client: Client): FastifyInstance {
  const front = fastify({ forceCloseConnections: true });
  const { files, contentSecurityPolicy } = pageFiles();

  front.addHook("onSend", async (_request, reply) => {
    reply.headers({
      "content-security-policy": contentSecurityPolicy,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  for (const [path, { type, content }] of files) {
    front.get(path, (_request, reply) => reply.type(type).header("cache-control", "no-cache").send(content));
  }

  front.get("/prices", (request, reply) => {
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    reply.type("application/x-ndjson; charset=utf-8").header("cache-control", "no-store");
    try {
      const rows = client.request("stock", parseAsk(request.query), {
        signal: gone.signal,
        timeout: ROW_TIMEOUT_MS,
        failFast: true,
      });
      return reply.send(Readable.from(linesOf(rows)));
    } catch (error) {
      return reply.code(error instanceof PriceError ? 400 : 500).send(lineOf(errorEvent(error)));
    }
  });

  return front;
}

async function* linesOf(rows: AsyncIterable<unknown>): AsyncGenerator<string> {
  try {
    for await (const data of rows) {
      const { date, close, volume } = parsePriceRow(data);
      yield lineOf({ type: "row", date, close, volume });
    }
    yield lineOf({ type: "end" });
  } catch (error) {
    yield lineOf(errorEvent(error));
  }
}

function errorEvent(error: unknown): StreamEvent {
  return { type: "error", message: explain(error) };
}

function lineOf(event: StreamEvent): string {
  return `${JSON.stringify(event)}\n`;
}
