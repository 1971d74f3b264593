// Dispatch: which worker gets a request, how many requests a worker gets at once, and what a rejection by a worker causes.

import { expect } from "vitest";
import { type Case, failureCode } from "./cases.ts";
import type { WorkerPeer } from "./peers.ts";

export const DISPATCH_CASES: readonly Case[] = [
  {
    name: "a request that one worker rejects goes to the other",
    async run(system) {
      const service = system.newService();
      const rejecting = await system.worker(service, "reject");
      await system.worker(service, "name", {}, "accepting");
      const client = await system.client();
      const requests = Array.from({ length: 6 }, (_, data) => ({ service, data }));
      const outcomes = await client.requestAll(requests);
      expect(outcomes.map((outcome) => outcome.final)).toEqual(requests.map(() => "accepting"));
      expect((await rejecting.received()).length).toBeGreaterThan(0);
    },
  },
  {
    name: "a worker is offered a request that it rejected only once",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const rejecting = await system.worker(service, "reject");
      await system.worker(service, "name", {}, "accepting");
      const client = await system.client();
      await client.requestAll(Array.from({ length: 20 }, (_, data) => ({ service, data })));
      const offered = await rejecting.received();
      expect(new Set(offered).size).toBe(offered.length);
    },
  },
  {
    name: "a request that the only worker rejects ends with REJECTED",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "reject");
      const client = await system.client();
      expect(failureCode(await client.request(service, "once"))).toBe("REJECTED");
      expect(await worker.received()).toEqual(["once"]);
    },
  },
  {
    name: "a request for one worker goes to that worker",
    async run(system) {
      const service = system.newService();
      await system.worker(service, "name", {}, "other");
      const chosen = await system.worker(service, "name", {}, "chosen");
      const client = await system.client();
      const options = { workerId: await chosen.id() };
      const outcomes = await client.requestAll([1, 2, 3, 4, 5].map((data) => ({ service, data, options })));
      expect(outcomes.map((outcome) => outcome.final)).toEqual(outcomes.map(() => "chosen"));
    },
  },
  {
    name: "a request for a worker that is not there ends with UNAVAILABLE",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      await system.worker(service, "echo");
      const client = await system.client();
      expect(failureCode(await client.request(service, 1, { workerId: "nothing" }))).toBe("UNAVAILABLE");
    },
  },
  {
    name: "concurrency 1 is kept from the first request of a backlog on",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const other = system.newService();
      await system.worker(other, "echo");
      const client = await system.client();
      const backlog = [0, 1, 2, 3, 4];
      const outcomes = client.requestAll(backlog.map((data) => ({ service, data })));
      // Messages of one client stay in order, so after the reply to this request the broker has the whole backlog.
      await client.request(other);
      const worker = await system.worker(service, "hold", { concurrency: 1 });
      for (const done of backlog) {
        await worker.until("held", done + 1);
        await client.request(other);
        expect(await worker.held()).toBe(1);
        await worker.release();
      }
      expect((await outcomes).map((outcome) => outcome.final)).toEqual(backlog);
      expect(await worker.mostInFlight()).toBe(1);
      expect(await worker.received()).toEqual(backlog);
    },
  },
  {
    name: "a worker that raises its concurrency gets more at once",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const worker = await system.worker(service, "hold", { concurrency: 1, heartbeat: 100 });
      const client = await system.client();
      const outcomes = client.requestAll([1, 2, 3].map((data) => ({ service, data })));
      await worker.until("held", 1);
      await worker.configure({ concurrency: 3 });
      await worker.until("held", 3);
      await worker.release(3);
      expect((await outcomes).map((outcome) => outcome.final)).toEqual([1, 2, 3]);
    },
  },
  {
    name: "a worker of a wildcard serves every name under it",
    async run(system) {
      const service = system.newService();
      await system.worker(`${service}-*`, "echo");
      const client = await system.client();
      const outcomes = await client.requestAll(["a", "b"].map((data) => ({ service: `${service}-${data}`, data })));
      expect(outcomes.map((outcome) => outcome.final)).toEqual(["a", "b"]);
    },
  },
  {
    name: "a worker of a wildcard gets what has waited for it",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const other = system.newService();
      await system.worker(other, "echo");
      const client = await system.client();
      const waiting = ["a", "b"].map((data) => ({ service: `${service}-${data}`, data }));
      const outcomes = client.requestAll(waiting);
      await client.request(other);
      const worker = await system.worker(`${service}-*`, "echo");
      expect((await outcomes).map((outcome) => outcome.final)).toEqual(["a", "b"]);
      expect(await worker.received()).toEqual(["a", "b"]);
    },
  },
  {
    name: "a worker of the very name is asked rather than one of a wildcard, and of wildcards the longest",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      for (const name of ["-*", "-a", "-aa*", "-b*"]) await system.worker(service + name, "name", {}, name);
      const client = await system.client();
      const outcomes = await client.requestAll(
        ["-a", "-aa", "-ab", "-bb"].map((name) => ({ service: service + name })),
      );
      expect(outcomes.map((outcome) => outcome.final)).toEqual(["-a", "-aa*", "-*", "-b*"]);
    },
  },
  {
    name: "what waits at a busy wildcard goes to a worker of its very name as soon as one comes",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const busy = await system.worker(`${service}-*`, "hold", { concurrency: 1 });
      const client = await system.client();
      const outcomes = client.requestAll(["a", "b", "a"].map((data) => ({ service: `${service}-${data}`, data })));
      await busy.until("held", 1);
      const exact = await system.worker(`${service}-a`, "hold", { concurrency: 1 });
      await exact.until("held", 1);
      await exact.release();
      await busy.release();
      await busy.until("held", 2);
      await busy.release();
      expect((await outcomes).map((outcome) => outcome.final)).toEqual(["a", "b", "a"]);
      expect(await busy.received()).toEqual(["a", "b"]);
    },
  },
  {
    name: "a request for a range of versions goes to the highest that a worker offers within it",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      for (const version of ["1.4.0", "0.9.0", "1.10.0"])
        await system.worker(`${service}@${version}`, "name", {}, version);
      const client = await system.client();
      expect(await client.request(`${service}@^1.0.0`)).toMatchObject({ final: "1.10.0" });
      expect(await client.request(`${service}@0.9.x`)).toMatchObject({ final: "0.9.0" });
      expect(await client.request(`${service}@1.4.0`)).toMatchObject({ final: "1.4.0" });
    },
  },
  {
    name: "a request for a range may name a worker of any version within it, and of no other",
    ourBrokerOnly: true,
    async run(system) {
      const service = system.newService();
      const [old, chosen] = [
        await system.worker(`${service}@0.9.0`, "echo"),
        await system.worker(`${service}@1.4.0`, "name", {}, "chosen"),
      ];
      await system.worker(`${service}@1.10.0`, "name", {}, "higher");
      const client = await system.client();
      const ask = async (worker: WorkerPeer) => client.request(`${service}@^1`, 1, { workerId: await worker.id() });
      expect((await ask(chosen)).final).toBe("chosen");
      expect(failureCode(await ask(old))).toBe("UNAVAILABLE");
    },
  },
];
