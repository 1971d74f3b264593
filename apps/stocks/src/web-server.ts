// The web server: the page and its files, and /prices, which forwards the rows that the worker streams. It knows the name of the
// service and nothing else behind the broker.
//
// A browser that disconnects cancels its request, which stops the worker.

import { Readable } from "node:stream";
import type { Client } from "@pigato/client";
import { type FastifyInstance, fastify } from "fastify";
import { describeFailure } from "./failure-text.ts";
import type { StreamEvent } from "./page/stream-event.ts";
import { pageFiles } from "./page-files.ts";
import { PriceError } from "./price-error.ts";
import { parsePriceQuery } from "./price-query.ts";
import { parsePriceRow } from "./price-row.ts";

/** Time for the next row. */
const ROW_TIMEOUT_MS = 30_000;

export function createWebServer(client: Client): FastifyInstance {
  const webServer = fastify({ forceCloseConnections: true });
  const { files, contentSecurityPolicy } = pageFiles();

  webServer.addHook("onSend", async (_request, reply) => {
    reply.headers({
      "content-security-policy": contentSecurityPolicy,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  for (const [path, { type, content }] of files) {
    webServer.get(path, (_request, reply) => reply.type(type).header("cache-control", "no-cache").send(content));
  }

  webServer.get("/prices", (request, reply) => {
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    reply.type("application/x-ndjson; charset=utf-8").header("cache-control", "no-store");
    try {
      const rows = client.request("stock", parsePriceQuery(request.query), {
        signal: gone.signal,
        timeout: ROW_TIMEOUT_MS,
        failFast: true,
      });
      return reply.send(Readable.from(linesOf(rows)));
    } catch (error) {
      return reply.code(error instanceof PriceError ? 400 : 500).send(lineOf(errorEvent(error)));
    }
  });

  return webServer;
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
  return { type: "error", message: describeFailure(error) };
}

function lineOf(event: StreamEvent): string {
  return `${JSON.stringify(event)}\n`;
}
