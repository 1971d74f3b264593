// Dispatch: which worker gets a request, how many at once, and what a worker that declines does to it.

import { expect } from "vitest";
import { type Case, failureCode } from "./cases.ts";

export const DISPATCH_CASES: readonly Case[] = [
  {
    name: "a request that one worker rejects goes to the other",
    async run(stage) {
      const service = stage.newService();
      const rejecting = await stage.worker(service, "reject");
      await stage.worker(service, "name", {}, "accepting");
      const client = await stage.client();
      const requests = Array.from({ length: 6 }, (_, data) => ({ service, data }));
      const outcomes = await client.requestAll(requests);
      expect(outcomes.map((outcome) => outcome.final)).toEqual(requests.map(() => "accepting"));
      expect((await rejecting.received()).length).toBeGreaterThan(0);
    },
  },
  {
    name: "a worker is offered a request that it rejected only once",
    ourBrokerOnly: true,
    async run(stage) {
      const service = stage.newService();
      const rejecting = await stage.worker(service, "reject");
      await stage.worker(service, "name", {}, "accepting");
      const client = await stage.client();
      await client.requestAll(Array.from({ length: 20 }, (_, data) => ({ service, data })));
      const offered = await rejecting.received();
      expect(new Set(offered).size).toBe(offered.length);
    },
  },
  {
    name: "a request that the only worker rejects ends with REJECTED",
    ourBrokerOnly: true,
    async run(stage) {
      const service = stage.newService();
      const worker = await stage.worker(service, "reject");
      const client = await stage.client();
      expect(failureCode(await client.request(service, "once"))).toBe("REJECTED");
      expect(await worker.received()).toEqual(["once"]);
    },
  },
  {
    name: "a request for one worker goes to that worker",
    async run(stage) {
      const service = stage.newService();
      await stage.worker(service, "name", {}, "other");
      const chosen = await stage.worker(service, "name", {}, "chosen");
      const client = await stage.client();
      const options = { workerId: await chosen.id() };
      const outcomes = await client.requestAll([1, 2, 3, 4, 5].map((data) => ({ service, data, options })));
      expect(outcomes.map((outcome) => outcome.final)).toEqual(outcomes.map(() => "chosen"));
    },
  },
  {
    name: "a request for a worker that is not there ends with UNAVAILABLE",
    ourBrokerOnly: true,
    async run(stage) {
      const service = stage.newService();
      await stage.worker(service, "echo");
      const client = await stage.client();
      expect(failureCode(await client.request(service, 1, { workerId: "nobody" }))).toBe("UNAVAILABLE");
    },
  },
  {
    name: "concurrency 1 is kept from the first request of a backlog on",
    ourBrokerOnly: true,
    async run(stage) {
      const service = stage.newService();
      const other = stage.newService();
      await stage.worker(other, "echo");
      const client = await stage.client();
      const backlog = [0, 1, 2, 3, 4];
      const outcomes = client.requestAll(backlog.map((data) => ({ service, data })));
      // Messages of one client stay in order: once this is answered, the broker has the backlog.
      await client.request(other);
      const worker = await stage.worker(service, "hold", { concurrency: 1 });
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
    async run(stage) {
      const service = stage.newService();
      const worker = await stage.worker(service, "hold", { concurrency: 1, heartbeat: 100 });
      const client = await stage.client();
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
    ourBrokerOnly: true,
    isPending: true,
    async run(stage) {
      const service = stage.newService();
      await stage.worker(`${service}-*`, "echo");
      const client = await stage.client();
      const outcomes = await client.requestAll(["a", "b"].map((data) => ({ service: `${service}-${data}`, data })));
      expect(outcomes.map((outcome) => outcome.final)).toEqual(["a", "b"]);
    },
  },
  {
    name: "a request for a range of versions goes to a worker within it",
    ourBrokerOnly: true,
    isPending: true,
    async run(stage) {
      const service = stage.newService();
      await stage.worker(`${service}@1.4.0`, "name", {}, "new");
      await stage.worker(`${service}@0.9.0`, "name", {}, "old");
      const client = await stage.client();
      expect(await client.request(`${service}@^1.0.0`)).toMatchObject({ final: "new" });
      expect(await client.request(`${service}@0.9.x`)).toMatchObject({ final: "old" });
    },
  },
];
