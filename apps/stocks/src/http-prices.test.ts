// The live source with real servers: correct ones, slow ones, ones that fail and ones that send other data.

import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { HttpPrices } from "./http-prices.ts";
import { MAX_ROWS } from "./price-csv.ts";
import { SourceFailed, UnknownTicker } from "./price-source.ts";
import { collect } from "./testing/rows.ts";

const QUERY = { ticker: "^ACME", start: "2024-01-01", end: "2024-12-31", freq: "d" } as const;
const HEAD = "Date,Close\n";
const never = new AbortController().signal;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

test("placeholders of the address are replaced by escaped values", async () => {
  let requestedUrl: string | undefined;
  const address = await serve((request, response) => {
    requestedUrl = request.url;
    response.end(`${HEAD}2024-01-02,7\n`);
  });
  const rows = new HttpPrices(`${address}/q/{ticker}.csv?a={start}&b={end}&f={freq}`).rows(QUERY, never);
  expect(await collect(rows)).toMatchObject([{ date: "2024-01-02", close: 7 }]);
  expect(requestedUrl).toBe("/q/%5EACME.csv?a=2024-01-01&b=2024-12-31&f=d");
});

test("days of a source without {freq} are cut to the range and resampled", async () => {
  const address = await serve((_request, response) => {
    response.end(`${HEAD}2023-12-29,1\n2024-01-02,2\n2024-01-03,3\n2024-01-08,4\n2025-01-02,5\n`);
  });
  const rows = await collect(new HttpPrices(`${address}/{ticker}`).rows({ ...QUERY, freq: "w" }, never));
  expect(rows.map(({ date, close }) => [date, close])).toEqual([
    ["2024-01-02", 3],
    ["2024-01-08", 4],
  ]);
});

test("rows arrive while the server is still sending", async () => {
  let sendMore = (): void => {};
  const address = await serve((_request, response) => {
    response.write(`${HEAD}2024-01-02,1\n2024-01-0`);
    sendMore = () => response.end("3,2\n");
  });
  const rows = new HttpPrices(address).rows(QUERY, never);
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-02" });
  sendMore();
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-03", close: 2 });
  expect((await rows.next()).done).toBe(true);
});

test("the download pauses while the consumer does not read", async () => {
  let sent = 0;
  let connection: ServerResponse | undefined;
  const stalled = new EventEmitter();
  const lines = Buffer.from("2024-01-02,1\n".repeat(5000));
  const address = await serve((_request, response) => {
    connection = response;
    response.write(HEAD);
    let quiet: NodeJS.Timeout | undefined;
    const more = () => {
      clearTimeout(quiet);
      do sent += lines.length;
      while (!response.destroyed && response.write(lines));
      // No drain event while the consumer does not read.
      quiet = setTimeout(() => stalled.emit("stalled"), 500);
    };
    response.on("drain", more);
    more();
  });
  const rows = new HttpPrices(address, { silenceMs: 200 }).rows(QUERY, never);
  const isStalled = once(stalled, "stalled");
  await rows.next();
  await isStalled;
  // The buffers of two sockets. Without back-pressure it would be gigabytes in that time.
  expect(sent).toBeLessThan(40_000_000);
  // Our own pause does not count as silence of the server: more rows than the buffers held arrive.
  let taken = 0;
  while (taken < 30_000 && !(await rows.next()).done) taken++;
  expect(taken).toBe(30_000);
  await rows.return(undefined);
  await closed(connection);
});

test("a body without an end fails at the maximum number of rows", async () => {
  const lines = Buffer.from("2024-01-02,1\n".repeat(5000));
  const address = await serve((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write(lines));
    };
    response.on("drain", more);
    response.write(HEAD);
    more();
  });
  let count = 0;
  const reading = (async () => {
    for await (const _row of new HttpPrices(address).rows(QUERY, never)) count++;
  })();
  await expect(reading).rejects.toThrow("there are more than 60000 rows");
  expect(count).toBe(MAX_ROWS);
});

test("a body without line ends is rejected early", async () => {
  const address = await serve((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  await expect(collect(new HttpPrices(address).rows(QUERY, never))).rejects.toThrow("is not CSV");
});

test("an abort closes the connection in the middle of the rows", async () => {
  let connection: ServerResponse | undefined;
  const address = await serve((_request, response) => {
    connection = response;
    response.write(`${HEAD}2024-01-02,1\n`);
  });
  const abort = new AbortController();
  const rows = new HttpPrices(address).rows(QUERY, abort.signal);
  await rows.next();
  const next = rows.next();
  abort.abort(new Error("canceled"));
  await expect(next).rejects.toThrow("canceled");
  await closed(connection);
});

test("an abort closes the connection before the first byte", async () => {
  const requests = new EventEmitter();
  const address = await serve((_request, response) => requests.emit("request", response));
  const requested = once(requests, "request");
  const abort = new AbortController();
  const first = new HttpPrices(address).rows(QUERY, abort.signal).next();
  const [connection] = await requested;
  abort.abort(new Error("canceled"));
  await expect(first).rejects.toThrow("canceled");
  await closed(connection);
});

test.each([
  ["before its first byte", ""],
  ["between two rows", `${HEAD}2024-01-02,1\n`],
])("a server that is silent %s fails the request", async (_when, text) => {
  const address = await serve((_request, response) => {
    if (text !== "") response.write(text);
  });
  const rows = collect(new HttpPrices(address, { silenceMs: 100 }).rows(QUERY, never));
  await expect(rows).rejects.toThrow("The price source has been silent for 0.1 seconds.");
  await expect(rows).rejects.toThrow(SourceFailed);
});

test("a connection that breaks yields the rows before it, then fails", async () => {
  let connection: ServerResponse | undefined;
  const address = await serve((_request, response) => {
    connection = response;
    response.write(`${HEAD}2024-01-02,1\n`);
  });
  const rows = new HttpPrices(address).rows(QUERY, never);
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-02" });
  connection?.destroy();
  await expect(rows.next()).rejects.toThrow("The connection to the price source broke off.");
});

test.each([
  [404, UnknownTicker, "there are no prices for ^ACME"],
  [410, UnknownTicker, "there are no prices for ^ACME"],
  [429, SourceFailed, "The price source received too many requests. Please wait a moment."],
  [403, SourceFailed, "The price source answered with status 403."],
  [500, SourceFailed, "The price source answered with status 500."],
])("status %i is an error, case %#", async (status, kind, message) => {
  const address = await serve((_request, response) => response.writeHead(status).end(`${HEAD}2024-01-02,1\n`));
  const rows = collect(new HttpPrices(address).rows(QUERY, never));
  await expect(rows).rejects.toThrow(kind);
  await expect(rows).rejects.toThrow(message);
});

test("a page instead of prices is an error", async () => {
  const address = await serve((_request, response) => response.end("<html><p>Welcome</p></html>"));
  await expect(collect(new HttpPrices(address).rows(QUERY, never))).rejects.toThrow(
    "the first line does not name the columns",
  );
});

test("an empty body has no rows", async () => {
  const address = await serve((_request, response) => response.writeHead(204).end());
  expect(await collect(new HttpPrices(address).rows(QUERY, never))).toEqual([]);
});

test("an unreachable server is an error without the address, which may contain a key", async () => {
  const address = await serve(() => {});
  for (const server of servers) server.close();
  const rows = collect(new HttpPrices(`${address}/?key=secret`).rows(QUERY, never));
  await expect(rows).rejects.toThrow(/^The price source cannot be reached\.$/);
});

test("an address that is not http or https is rejected at once", () => {
  expect(() => new HttpPrices("file:///etc/passwd")).toThrow("http");
  expect(() => new HttpPrices("prices")).toThrow();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

async function closed(connection: ServerResponse | undefined): Promise<void> {
  if (connection && !connection.closed) await once(connection, "close");
}
