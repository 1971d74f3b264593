// A client, a worker and a core service that cannot connect say so after three seconds, with the address and the reason.

import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Directory } from "@pigato/directory";
import { ProcessWarnings } from "@pigato/testkit";
import { Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { startBroker } from "../support/start.ts";

/** A server that is no ZeroMQ peer: it sends these bytes to each connection. */
async function otherServer(bytes: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    if (bytes !== "") socket.write(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `tcp://127.0.0.1:${portOf(server.address())}`;
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

function started(peer: Client | Worker | Directory): void {
  onTestFinished(() => peer.stop());
  void peer.start();
}

test("peers that cannot connect say where and why", { timeout: 30_000 }, async () => {
  const warnings = new ProcessWarnings();
  const { broker, address } = await startBroker();
  const authenticated = new Broker("tcp://127.0.0.1:*", { plain: true, authenticate: () => true, logger: undefined });
  onTestFinished(() => authenticated.stop());
  await authenticated.start();
  const [secured = ""] = authenticated.addresses;
  const http = await otherServer("HTTP/1.1 400 Bad Request\r\n\r\n");
  const silent = await otherServer("");
  const refused = "tcp://127.0.0.1:1";
  for (const where of [refused, "tcp://no-such-host.invalid:5555", http, secured, silent]) started(new Client(where));
  started(new Worker(refused, "echo"));
  started(new Directory(address, { intch: refused }));
  const seen: string[] = [];
  const after = "is not connected after 3 s: no broker reached at";
  await expect
    .poll(async () => seen.push(...(await warnings.take())) && seen.filter((text) => text.includes("NOT_CONNECTED")), {
      timeout: 20_000,
      interval: 200,
    })
    .toHaveLength(7);
  for (const expected of [
    `a client ${after} ${refused}: connect ECONNREFUSED 127.0.0.1:1`,
    `a client ${after} tcp://no-such-host.invalid:5555: getaddrinfo `,
    `a client ${after} ${http}: rejected: PROTOCOL, `,
    `a client ${after} ${secured}: rejected: `,
    `a client ${after} ${silent}: it did not answer`,
    `worker "echo" ${after} ${refused}: connect ECONNREFUSED 127.0.0.1:1`,
    `the internal channel of core service "$dir" is not connected after 3 s: cannot connect to ${refused}: `,
  ]) {
    expect(seen.filter((text) => text.startsWith(`PIGATO_NOT_CONNECTED: ${expected}`))).toHaveLength(1);
  }
  expect(broker.stats()).toBeDefined();
});
