// Replies: what a worker sends arrives complete, in order, and at the right request.

import { expect } from "vitest";
import { type Case, handlerError } from "./cases.ts";

const VALUES: readonly unknown[] = [
  "foo",
  { nested: [{ a: [1, 2, { b: null }] }, "x"] },
  0,
  -1.5,
  false,
  true,
  "",
  null,
  [],
  {},
  "emoji 👩‍👩‍👧 and ünïcödé",
  "\u0000 and \u2028",
  "undefined",
  Number.MAX_SAFE_INTEGER,
];
const MEGABYTE = 1_048_576;

export const REPLY_CASES: readonly Case[] = [
  {
    name: "every kind of value comes back as it was sent",
    async run(system) {
      const service = system.newService();
      await system.worker(service, "echo");
      const client = await system.client();
      const outcomes = await client.requestAll(VALUES.map((data) => ({ service, data })));
      expect(outcomes.map((outcome) => outcome.final)).toStrictEqual(VALUES);
      expect(outcomes.filter((outcome) => outcome.error !== undefined)).toEqual([]);
    },
  },
  {
    name: "no value at all arrives as none and comes back as null",
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "echo");
      const client = await system.client();
      expect(await client.request(service, undefined)).toMatchObject({ final: null, error: undefined });
      // The original's handler gets null, ours undefined.
      expect(await worker.received()).toEqual([system.trio.worker === "classic" ? null : undefined]);
    },
  },
  {
    name: "partials come before the final, in order",
    async run(system) {
      const service = system.newService();
      await system.worker(service, "list");
      const client = await system.client();
      const parts = [1, "two", { three: 3 }, 0, false, ""];
      expect(await client.request(service, parts)).toMatchObject({ partials: parts, final: "last", error: undefined });
      expect(await client.stream(service, parts)).toEqual({ chunks: [...parts, "last"], error: undefined });
    },
  },
  {
    name: "10,000 chunks arrive complete and in order",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      await system.worker(service, "count");
      const client = await system.client();
      const { chunks, error } = await client.stream(service, 10_000);
      expect(error).toBeUndefined();
      expect(chunks).toEqual(Array.from({ length: 10_001 }, (_, index) => index));
    },
  },
  {
    name: "a body of 1 MB goes there and back",
    async run(system) {
      const service = system.newService();
      await system.worker(service, "echo");
      const client = await system.client();
      const data = "0123456789abcdef".repeat(MEGABYTE / 16);
      const { final, error } = await client.request(service, data);
      expect(error).toBeUndefined();
      expect(final === data).toBe(true);
    },
  },
  {
    name: "500 requests at once are each answered with their own reply",
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "overlap", { concurrency: 7 });
      const client = await system.client();
      const numbers = Array.from({ length: 500 }, (_, index) => index);
      const outcomes = await client.requestAll(numbers.map((data) => ({ service, data })));
      expect(outcomes.map((outcome) => outcome.final)).toEqual(numbers);
      expect(await worker.mostInFlight()).toBeLessThanOrEqual(7);
    },
  },
  {
    name: "many clients get their own replies",
    async run(system) {
      const service = system.newService();
      await Promise.all([1, 2, 3].map(() => system.worker(service, "echo")));
      const clients = await Promise.all(Array.from({ length: 20 }, () => system.client()));
      const answers = await Promise.all(
        clients.map((client, index) =>
          client.requestAll([0, 1, 2, 3, 4].map((part) => ({ service, data: `${index}/${part}` }))),
        ),
      );
      expect(answers.map((outcomes) => outcomes.map((outcome) => outcome.final))).toEqual(
        clients.map((_, index) => [0, 1, 2, 3, 4].map((part) => `${index}/${part}`)),
      );
    },
  },
  {
    name: "what a handler gives to reply.error reaches the client as the error",
    async run(system) {
      const service = system.newService();
      await system.worker(service, "error");
      const client = await system.client();
      for (const value of ["broken", { reason: "nested", list: [1] }, 42]) {
        const outcome = await client.request(service, value);
        expect(handlerError(client, outcome)).toEqual(value);
        expect(outcome.final ?? null).toBeNull();
      }
    },
  },
  {
    name: "a reply that its worker lets the broker keep answers equal requests, and no others",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "keep");
      const [one, other] = await Promise.all([system.client(), system.client()]);
      const answer = { partials: ["part"], error: undefined };
      expect(await one.request(service, { q: 1 })).toMatchObject({ ...answer, final: { q: 1 } });
      expect(await one.request(service, { q: 1 })).toMatchObject({ ...answer, final: { q: 1 } });
      expect(await other.stream(service, { q: 1 })).toEqual({ chunks: ["part", { q: 1 }], error: undefined });
      expect(await worker.received()).toHaveLength(1);
      expect(await other.request(service, { q: 2 })).toMatchObject({ ...answer, final: { q: 2 } });
      expect(await worker.received()).toHaveLength(2);
      expect(await one.request(service, { q: 1 }, { nocache: 1 })).toMatchObject({ ...answer, final: { q: 1 } });
      expect(await worker.received()).toHaveLength(3);
      const target = { workerId: await worker.id() };
      expect(await one.request(service, { q: 1 }, target)).toMatchObject({ ...answer, final: { q: 1 } });
      expect(await worker.received()).toHaveLength(4);
    },
  },
  {
    name: "an error is never kept",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "keep-error");
      const client = await system.client();
      for (const _attempt of [1, 2]) {
        expect(handlerError(client, await client.request(service, "broken"))).toBe("broken");
      }
      expect(await worker.received()).toHaveLength(2);
    },
  },
  {
    name: "reply.error without a value ends the request",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      await system.worker(service, "error-without-value");
      const client = await system.client();
      expect((await client.request(service)).final ?? null).toBeNull();
      expect(await client.errors()).toEqual([]);
    },
  },
];
