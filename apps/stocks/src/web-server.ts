// The web server: the page and its files, /prices, which forwards the rows that the worker streams, and /tickers. It knows the
// contract of the service and nothing else behind the broker.
//
// A browser that disconnects cancels its request, which stops the worker.

import { Readable } from "node:stream";
import type { Client } from "@pigato/client";
import { type FastifyInstance, fastify } from "fastify";
import { PriceQuery, type PriceRow, stocks } from "./contract.ts";
import { describeFailure } from "./failure-text.ts";
import type { StreamEvent } from "./page/stream-event.ts";
import { pageFiles } from "./page-files.ts";

/** Time for the next row. */
const ROW_TIMEOUT_MS = 30_000;

export function createWebServer(client: Client): FastifyInstance {
  const webServer = fastify({ forceCloseConnections: true });
  const { files, contentSecurityPolicy } = pageFiles();
  const api = client.of(stocks, { timeout: ROW_TIMEOUT_MS, failFast: true, validate: true });

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
    const query = PriceQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send(lineOf(errorEvent(query.error)));
    return reply.send(Readable.from(linesOf(api.prices(query.data, { signal: gone.signal }))));
  });

  webServer.get("/tickers", async (_request, reply) => {
    const [error, tickers] = await api.tickers.safe();
    return error ? reply.code(503).send({ message: describeFailure(error) }) : tickers;
  });

  return webServer;
}

async function* linesOf(rows: AsyncIterable<PriceRow>): AsyncGenerator<string> {
  try {
    for await (const { date, close, volume } of rows) {
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
