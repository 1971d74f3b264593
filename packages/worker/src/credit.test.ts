// A reply with flow control, as its handler sees it: what `write` returns, when `drain` is emitted, when the reply has
// finished.

import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { NO_CAPABILITIES } from "@pigato/protocol";
import { FakeClock, MemoryNetwork } from "@pigato/testkit";
import type { DealerHandlers, DealerLink, SendOutcome, Transport } from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import type { WorkerOptions } from "./options.ts";
import type { Reply } from "./reply.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { turn } from "./testing/recording-port.ts";
import { Worker } from "./worker.ts";

/** A worker whose broker has negotiated credit, on a link with the send outcome that the test sets. */
async function setUp(options: WorkerOptions = {}) {
  const network = new MemoryNetwork();
  const clock = new FakeClock();
  const links: DealerHandlers[] = [];
  const link: { outcome: SendOutcome | undefined } = { outcome: undefined };
  const transport: Transport = {
    router: (handlers) => network.router(handlers),
    publisher: () => network.publisher(),
    subscriber: (handlers) => network.subscriber(handlers),
    dealer: (handlers, settings): DealerLink => {
      links.push(handlers);
      const real = network.dealer(handlers, settings);
      return {
        connect: (address) => real.connect(address),
        close: () => real.close(),
        send: (frames) => {
          if (link.outcome === "congested") return link.outcome;
          const outcome = real.send(frames);
          return link.outcome ?? outcome;
        },
      };
    },
  };
  const broker = await FakeBroker.at("inproc://broker", network);
  broker.accepted = { ...NO_CAPABILITIES, cancel: true, credit: true };
  const worker = new Worker("inproc://broker", "rows", { transport, clock, random: () => 0, ...options });
  const replies: Reply[] = [];
  worker.on("request", (_data, reply) => void replies.push(reply));
  onTestFinished(async () => {
    const stopped = worker.stop();
    clock.advance(10_000);
    await stopped;
  });
  const ready = worker.start();
  await turn();
  network.deliver();
  await ready;
  broker.takeMessages();
  return {
    broker,
    worker,
    clock,
    link,
    /** A request that has reached its handler. */
    request(id: string, credit?: number): Reply {
      broker.request(id, "null", "{}", credit);
      const reply = replies.at(-1);
      if (reply === undefined) throw new Error(`${id} did not come`);
      return reply;
    },
    grant(id: string, chunks: number): string[] {
      broker.grant(id, chunks);
      network.deliver();
      return broker.takeMessages();
    },
    takeMessages(): string[] {
      network.deliver();
      return broker.takeMessages();
    },
    linkDrains(): void {
      link.outcome = undefined;
      links.at(-1)?.onDrain?.();
    },
  };
}

function eventsOf(reply: Reply): string[] {
  const events: string[] = [];
  for (const event of ["drain", "finish", "close", "error"]) reply.on(event, () => events.push(event));
  return events;
}

test("write() returns false when it has used the last credit, and drain comes with the next grant", async () => {
  const { request, grant, takeMessages } = await setUp();
  const reply = request("r1", 2);
  const events = eventsOf(reply);
  expect([reply.write(1), reply.write(2), reply.writableNeedDrain]).toEqual([true, false, true]);
  expect(takeMessages()).toEqual(["partial r1 0 1", "partial r1 0 2"]);
  expect(events).toEqual([]);
  grant("r1", 1);
  expect(events).toEqual(["drain"]);
  expect(reply.write(3)).toBe(false);
  expect(takeMessages()).toEqual(["partial r1 0 3"]);
});

test("a handler that continues to write gets drain when everything was sent and there is credit again", async () => {
  const { request, grant, takeMessages } = await setUp();
  const reply = request("r1", 1);
  const events = eventsOf(reply);
  for (const part of [1, 2, 3]) expect(reply.write(part)).toBe(false);
  expect(takeMessages()).toEqual(["partial r1 0 1"]);
  expect(grant("r1", 2)).toEqual(["partial r1 0 2", "partial r1 0 3"]);
  expect(events).toEqual([]);
  grant("r1", 1);
  expect(events).toEqual(["drain"]);
});

test("a stream that is piped waits for its reader", async () => {
  const { request, grant, takeMessages } = await setUp();
  const reply = request("r1", 2);
  let made = 0;
  const source = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      made += 1;
      this.push(made <= 6 ? made : null);
    },
  });
  const done = pipeline(source, reply);
  await turn();
  expect(takeMessages()).toEqual(["partial r1 0 1", "partial r1 0 2"]);
  expect(made).toBeLessThan(6);
  grant("r1", 9);
  await done;
  const rest = ["partial r1 0 3", "partial r1 0 4", "partial r1 0 5", "partial r1 0 6", "final r1 0 null"];
  expect(takeMessages()).toEqual(rest);
});

test("a reply that has ended finishes when its final is sent, after the waiting partials", async () => {
  const { request, grant, takeMessages } = await setUp();
  const reply = request("r1", 1);
  const events = eventsOf(reply);
  reply.write(1);
  reply.write(2);
  reply.end("last");
  await turn();
  expect(takeMessages()).toEqual(["partial r1 0 1"]);
  expect([reply.ended, reply.active(), reply.writableFinished, events]).toEqual([true, false, false, []]);
  expect(grant("r1", 1)).toEqual(["partial r1 0 2", 'final r1 0 "last"']);
  await turn();
  expect([reply.writableFinished, events]).toEqual([true, ["finish", "close"]]);
});

test("a caller that cancels ends a paused reply with an error, and nothing more is sent", async () => {
  const { broker, request, grant, takeMessages } = await setUp();
  const reply = request("r1", 1);
  const events = eventsOf(reply);
  const { signal } = reply;
  reply.write(1);
  reply.write(2);
  reply.end("last");
  broker.cancel("r1");
  await turn();
  expect(events).toEqual(["error", "close"]);
  expect(signal.aborted).toBe(true);
  expect(takeMessages()).toEqual(["partial r1 0 1"]);
  expect(grant("r1", 9)).toEqual([]);
});

test("a handler that waits for drain is notified that its caller canceled", async () => {
  const { broker, request } = await setUp();
  const reply = request("r1", 1);
  reply.write(1);
  const drained = once(reply, "drain");
  broker.cancel("r1");
  await expect(drained).rejects.toMatchObject({ code: "CANCELED" });
});

test("partials above the bound end the request with BUSY, for its handler and for its caller", async () => {
  const { request, takeMessages } = await setUp({ maxHeldBytes: 1_000 });
  const reply = request("r1", 1);
  const events = eventsOf(reply);
  for (let part = 1; part <= 5; part++) reply.write(part);
  await turn();
  expect(events.filter((event) => event !== "drain")).toEqual(["error", "close"]);
  expect(reply.writableErrored).toMatchObject({ code: "BUSY" });
  const [part, end, ...others] = takeMessages();
  expect(part).toBe("partial r1 0 1");
  expect(end).toMatch(/^final r1 -1 .*"code":"BUSY"/);
  expect(others).toEqual([]);
});

test("held partials are sent no faster than the link accepts them, and drain waits for credit and link", async () => {
  const { request, grant, takeMessages, link, linkDrains } = await setUp();
  const reply = request("r1", 1);
  const events = eventsOf(reply);
  for (const part of [1, 2, 3]) reply.write(`${part}`.padEnd(100_000, "x"));
  takeMessages();
  link.outcome = "slow";
  expect(grant("r1", 9)).toEqual([expect.stringContaining('partial r1 0 "2x')]);
  expect(events).toEqual([]);
  linkDrains();
  expect(takeMessages()).toEqual([expect.stringContaining('partial r1 0 "3x')]);
  expect(events).toEqual(["drain"]);
});

test("a link that has drained emits no drain for a handler without credit", async () => {
  const { request, grant, takeMessages, link, linkDrains } = await setUp();
  const reply = request("r1", 2);
  const events = eventsOf(reply);
  link.outcome = "slow";
  expect([reply.write(1), reply.write(2)]).toEqual([false, false]);
  linkDrains();
  expect(events).toEqual([]);
  grant("r1", 1);
  expect(events).toEqual(["drain"]);
  expect(takeMessages()).toEqual([]);
});

test("a held partial that cannot be sent fails the request, and no later partial is sent", async () => {
  const { request, grant, link } = await setUp();
  const reply = request("r1", 1);
  reply.on("error", () => {});
  for (const part of [1, 2, 3, 4]) reply.write(part);
  link.outcome = "congested";
  grant("r1", 2);
  await turn();
  expect(reply.writableErrored).toMatchObject({ code: "BUSY" });
  link.outcome = undefined;
  expect(grant("r1", 9)).toEqual([]);
});

test("a worker that stops waits for a paced reply, and aborts it at the timeout", async () => {
  const { worker, request, grant, takeMessages, clock } = await setUp({ stopTimeoutMs: 1_000 });
  const one = request("r1", 1);
  const other = request("r2", 1);
  other.on("error", () => {});
  for (const reply of [one, other]) {
    reply.write(1);
    reply.write(2);
    reply.end();
  }
  expect(takeMessages()).toEqual(["partial r1 0 1", "partial r2 0 1"]);
  const stopped = worker.stop();
  expect(grant("r1", 1)).toEqual(["partial r1 0 2", "final r1 0 null"]);
  clock.advance(1_000);
  await stopped;
  expect(other.writableErrored).toMatchObject({ code: "CLOSED" });
});

test("a reply without flow control holds nothing", async () => {
  const { request, takeMessages } = await setUp({ maxHeldBytes: 0 });
  const reply = request("r1");
  for (let part = 0; part < 50; part++) expect(reply.write(part)).toBe(true);
  expect(takeMessages()).toHaveLength(50);
});
