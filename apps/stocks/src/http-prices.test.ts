// The live source against real servers that behave, dawdle, break off and lie.

import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { HttpPrices } from "./http-prices.ts";
import { PriceError } from "./price-error.ts";
import { MAX_ROWS } from "./price-source.ts";
import { collect } from "./testing/rows.ts";

const ASK = { ticker: "^ACME", start: "2024-01-01", end: "2024-12-31", freq: "d" } as const;
const HEAD = "Date,Close\n";
const never = new AbortController().signal;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

test("the places of the address are filled in, and nothing can break out of them", async () => {
  let asked: string | undefined;
  const address = await serve((request, response) => {
    asked = request.url;
    response.end(`${HEAD}2024-01-02,7\n`);
  });
  const rows = new HttpPrices(`${address}/q/{ticker}.csv?a={start}&b={end}&f={freq}`).rows(ASK, never);
  expect(await collect(rows)).toMatchObject([{ date: "2024-01-02", close: 7 }]);
  expect(asked).toBe("/q/%5EACME.csv?a=2024-01-01&b=2024-12-31&f=d");
});

test("a source of days alone is cut to the span and made into weeks here", async () => {
  const address = await serve((_request, response) => {
    response.end(`${HEAD}2023-12-29,1\n2024-01-02,2\n2024-01-03,3\n2024-01-08,4\n2025-01-02,5\n`);
  });
  const rows = await collect(new HttpPrices(`${address}/{ticker}`).rows({ ...ASK, freq: "w" }, never));
  expect(rows.map(({ date, close }) => [date, close])).toEqual([
    ["2024-01-02", 3],
    ["2024-01-08", 4],
  ]);
});

test("rows come out while the server is still sending, however slowly", async () => {
  let sendMore = (): void => {};
  const address = await serve((_request, response) => {
    response.write(`${HEAD}2024-01-02,1\n2024-01-0`);
    sendMore = () => response.end("3,2\n");
  });
  const rows = new HttpPrices(address).rows(ASK, never);
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-02" });
  sendMore();
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-03", close: 2 });
  expect((await rows.next()).done).toBe(true);
});

test("a server is not read further than its rows are taken", async () => {
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
      // The drain does not come while nobody reads.
      quiet = setTimeout(() => stalled.emit("stalled"), 500);
    };
    response.on("drain", more);
    more();
  });
  const rows = new HttpPrices(address, { silenceMs: 200 }).rows(ASK, never);
  const isStalled = once(stalled, "stalled");
  await rows.next();
  await isStalled;
  // The buffers of two sockets; a reader without brakes would have taken gigabytes in that time.
  expect(sent).toBeLessThan(40_000_000);
  // Having been slow ourselves is no silence of the server: there is more than what the buffers held.
  let taken = 0;
  while (taken < 30_000 && !(await rows.next()).done) taken++;
  expect(taken).toBe(30_000);
  await rows.return(undefined);
  await closed(connection);
});

test("a body without an end is cut at the bound", async () => {
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
    for await (const _row of new HttpPrices(address).rows(ASK, never)) count++;
  })();
  await expect(reading).rejects.toMatchObject({ code: "TOO_MANY_ROWS" });
  expect(count).toBe(MAX_ROWS);
});

test("a body without line ends is refused early", async () => {
  const address = await serve((_request, response) => {
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  await expect(collect(new HttpPrices(address).rows(ASK, never))).rejects.toThrow("is not CSV");
});

test("an abort closes the connection in the middle of the rows", async () => {
  let connection: ServerResponse | undefined;
  const address = await serve((_request, response) => {
    connection = response;
    response.write(`${HEAD}2024-01-02,1\n`);
  });
  const abort = new AbortController();
  const rows = new HttpPrices(address).rows(ASK, abort.signal);
  await rows.next();
  const next = rows.next();
  abort.abort(new Error("nobody waits"));
  await expect(next).rejects.toThrow("nobody waits");
  await closed(connection);
});

test("an abort closes the connection before the first byte", async () => {
  const requests = new EventEmitter();
  const address = await serve((_request, response) => requests.emit("request", response));
  const requested = once(requests, "request");
  const abort = new AbortController();
  const first = new HttpPrices(address).rows(ASK, abort.signal).next();
  const [connection] = await requested;
  abort.abort(new Error("nobody waits"));
  await expect(first).rejects.toThrow("nobody waits");
  await closed(connection);
});

test.each([
  ["before its first byte", ""],
  ["between two rows", `${HEAD}2024-01-02,1\n`],
])("a server that falls silent %s fails the request", async (_when, text) => {
  const address = await serve((_request, response) => {
    if (text !== "") response.write(text);
  });
  const rows = collect(new HttpPrices(address, { silenceMs: 100 }).rows(ASK, never));
  await expect(rows).rejects.toThrow("The price source has been silent for 0.1 seconds.");
  await expect(rows).rejects.toThrow(PriceError);
});

test("a connection that breaks in the middle gives the rows before it, then fails", async () => {
  let connection: ServerResponse | undefined;
  const address = await serve((_request, response) => {
    connection = response;
    response.write(`${HEAD}2024-01-02,1\n`);
  });
  const rows = new HttpPrices(address).rows(ASK, never);
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-02" });
  connection?.destroy();
  await expect(rows.next()).rejects.toThrow("The connection to the price source broke off.");
});

test.each([
  [404, "UNKNOWN_TICKER", "There are no prices for ^ACME."],
  [410, "UNKNOWN_TICKER", "There are no prices for ^ACME."],
  [429, "SOURCE_FAILED", "The price source has had too many requests. Please wait a little."],
  [403, "SOURCE_FAILED", "The price source answered with status 403."],
  [500, "SOURCE_FAILED", "The price source answered with status 500."],
])("status %i is %s", async (status, code, message) => {
  const address = await serve((_request, response) => response.writeHead(status).end(`${HEAD}2024-01-02,1\n`));
  await expect(collect(new HttpPrices(address).rows(ASK, never))).rejects.toMatchObject({ code, message });
});

test("a page instead of prices is told as such", async () => {
  const address = await serve((_request, response) => response.end("<html><p>Welcome</p></html>"));
  await expect(collect(new HttpPrices(address).rows(ASK, never))).rejects.toThrow("no first line with the columns");
});

test("no body is told as such", async () => {
  const address = await serve((_request, response) => response.writeHead(204).end());
  expect(await collect(new HttpPrices(address).rows(ASK, never))).toEqual([]);
});

test("a server that is not there, and no word of its address, whose keys are secret", async () => {
  const address = await serve(() => {});
  for (const server of servers) server.close();
  const rows = collect(new HttpPrices(`${address}/?key=secret`).rows(ASK, never));
  await expect(rows).rejects.toMatchObject({ code: "SOURCE_FAILED", message: "The price source cannot be reached." });
});

test("an address that is none of the web is refused at once", () => {
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
