// RFC 7 and RFC 18, rule by rule, over tcp: raw sockets and a real broker. A rule that both RFCs have is tested with both
// versions and with the variants of 0.2.

import type { RawPeer } from "@pigato/testkit/raw-peer";
import { describe, expect, test } from "vitest";
import { LOOPBACK } from "../support/start.ts";
import { FORMS, VERSIONS, WHOLE_FORMS } from "./forms.ts";
import { addressIn, registered, settled, startDialectBroker } from "./start.ts";

describe.each(FORMS)("D-DET-2: a client of $name", (form) => {
  test("D-MDP-3, D-MDP-11, D-MDP-14: the reply to a request has the name of its service and the body, frame by frame", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send(...form.worker.ready, "echo");
    const client = running.connect();
    const body = ["one", "", "\x00\xff", ""];
    await client.send(...form.request, "echo", ...body);
    const request = await worker.next();
    const address = addressIn(request, form);
    expect(request).toEqual([...form.worker.request, address, "", ...body]);
    await worker.send(...form.worker.final, address, "", "", "\xff", "last");
    expect(await client.next()).toEqual([...form.final("echo"), "", "\xff", "last"]);
  });

  test("D-MDP-11, D-MAP-4: partials come before the final reply, if the version has them", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send("W", "1", "echo");
    await worker.send("W", "4", "", "{}");
    const client = running.connect();
    await client.send(...form.request, "echo", "x");
    const [, , address = "", , , id = ""] = await worker.nextThat((frames) => frames[1] === "2");
    for (const part of ["1", "2"]) await worker.send("W", "6", address, "", id, "0", part, "{}");
    await worker.send("W", "3", address, "", id, "0", "3", "{}");
    if (form.partial !== undefined) {
      expect(await client.next()).toEqual([...form.partial("echo"), "1"]);
      expect(await client.next()).toEqual([...form.partial("echo"), "2"]);
    }
    expect(await client.next()).toEqual([...form.final("echo"), "3"]);
  });

  test("D-MDP-11: each of several requests of one client gets exactly one reply", async () => {
    const running = await startDialectBroker();
    const client = running.connect();
    for (let number = 0; number < 20; number++) await client.send(...form.request, "echo", String(number));
    const worker = running.connect();
    await worker.send(...form.worker.ready, "echo");
    for (let number = 0; number < 20; number++) {
      const request = await worker.next();
      const reply = [...form.worker.final, addressIn(request, form), "", request.at(-1) ?? ""];
      await worker.send(...reply);
      // A second reply matches no request.
      await worker.send(...reply);
    }
    const answers: string[] = [];
    for (let number = 0; number < 20; number++) answers.push((await client.next()).at(-1) ?? "");
    expect(answers).toEqual(Array.from({ length: 20 }, (_, number) => String(number)));
    await settled(client, form);
    expect(client.received).toEqual([]);
    expect(running.drops.filter(({ reason }) => reason === "not-held").length).toBeGreaterThan(0);
  });

  test.each([
    ["no service", []],
    ["no body", ["echo"]],
    ["an empty service", ["", "x"]],
    ["a service of 256 bytes", ["s".repeat(256), "x"]],
    ["65 frames", ["echo", ...new Array<string>(65).fill("x")]],
  ])("D-MDP-1, D-MDP-3: a request with %s is dropped unanswered, and the next is served", async (_what, rest) => {
    const running = await startDialectBroker();
    const client = running.connect();
    await client.send(...form.request, ...rest);
    await settled(client, form);
    expect(client.received).toEqual([]);
    expect(running.violations).toHaveLength(1);
  });

  test("D-MDP-10: a request waits for the first worker of its service, until it expires", async () => {
    const running = await startDialectBroker({}, { address: "tcp://127.0.0.1:*", timeoutMs: 200 });
    const client = running.connect();
    const expired = new Promise((resolve) => running.broker.once("request:failed", resolve));
    await client.send(...form.request, "echo", "early");
    expect(await expired).toMatchObject({ service: "echo", code: "DEADLINE_EXCEEDED" });
    const worker = running.connect();
    await worker.send(...form.worker.ready, "echo");
    await client.send(...form.request, "echo", "late");
    expect((await worker.next()).at(-1)).toBe("late");
    await settled(client, form);
    expect(client.received).toEqual([]);
  });

  test("D-MAP-6: the broker gives each request an id for peers that read ids", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send("W", "1", "echo");
    await worker.send("W", "4", "", '{"concurrency":10}');
    const client = running.connect();
    for (const body of ["1", "2"]) await client.send(...form.request, "echo", body);
    const ids = new Set<string>();
    for (const body of ["1", "2"]) {
      const [, , address = "", , , id = ""] = await worker.nextThat((frames) => frames[1] === "2");
      expect(id).toMatch(/^~./);
      ids.add(id);
      await worker.send("W", "3", address, "", id, "0", body, "{}");
      expect(await client.next()).toEqual([...form.final("echo"), body]);
    }
    expect(ids.size).toBe(2);
  });

  test("D-MAP-5: receives nothing for a failure, or a body of JSON if its listener is configured so", async () => {
    const running = await startDialectBroker({}, [
      "tcp://127.0.0.1:*",
      { address: "tcp://127.0.0.1:*", answersErrors: true },
    ]);
    const clients = [running.connect(undefined, 0), running.connect(undefined, 1)] as const;
    for (const client of clients) await client.send(...form.request, "echo", "x");
    const worker = running.connect();
    await worker.send("W", "1", "echo");
    await worker.send("W", "4", "", "{}");
    for (const _request of clients) {
      const [, , address = "", , , id = ""] = await worker.nextThat((frames) => frames[1] === "2");
      await worker.send("W", "3", address, "", id, "-1", '"no"', "{}");
    }
    expect(await clients[1].next()).toEqual([...form.final("echo"), '"no"']);
    await settled(clients[0], form);
    expect(clients[0].received).toEqual([]);
  });
});

describe.each(WHOLE_FORMS)("D-DET-3: a worker of $name", (form) => {
  test("D-MDP-4, D-MDP-12: READY gets no answer and registers the worker", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    expect(worker.received).toEqual([]);
    expect(running.broker.stats()?.workers).toBe(1);
  });

  test.each([
    ["without a service", []],
    ["with an empty service", [""]],
    ["with more than a service", ["echo", "more"]],
    ["with a service of 256 bytes", ["s".repeat(256)]],
  ])("D-MDP-4, D-MDP-9: READY %s is dropped unanswered", async (_what, rest) => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send(...form.worker.ready, ...rest);
    await settled(worker, form);
    expect(worker.received).toEqual([]);
    expect(running.broker.stats()?.workers).toBe(0);
    expect(running.violations).toMatchObject([{ clause: "D-MDP-4" }]);
  });

  test("D-MDP-5, D-MDP-14, D-MAP-7: the client address is one frame, printable, followed by an empty one", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    const client = running.connect("\x80binary\xff");
    await client.send(...form.request, "echo", "x");
    const request = await worker.next();
    expect(addressIn(request, form)).toMatch(/^[\x21-\x7e]+$/);
    expect(request).toEqual([...form.worker.request, addressIn(request, form), "", "x"]);
  });

  test("D-MDP-7: a reply without the empty frame behind the address is read", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    const client = running.connect();
    await client.send(...form.request, "echo", "x");
    await worker.send(...form.worker.final, addressIn(await worker.next(), form), "y", "");
    expect(await client.next()).toEqual([...form.final("echo"), "y", ""]);
  });

  test("D-MDP-8, D-MDP-17: a second READY gets DISCONNECT, and nothing more until it is ready again", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    await worker.send(...form.worker.ready, "echo");
    expect(await worker.next()).toEqual(form.worker.disconnect);
    const client = running.connect();
    await client.send(...form.request, "echo", "x");
    await settled(client, form);
    await settled(worker, form);
    expect(worker.received).toEqual([]);
    await worker.send(...form.worker.ready, "echo");
    expect((await worker.next()).at(-1)).toBe("x");
  });

  test.each(["heartbeat", "final", "partial"] as const)("D-MDP-8: %s before READY gets DISCONNECT", async (command) => {
    const head = form.worker[command];
    if (head === undefined) return;
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send(...head, ...(command === "heartbeat" ? [] : ["~0.1", "", "x"]));
    expect(await worker.next()).toEqual(form.worker.disconnect);
  });

  test("D-MDP-12: its DISCONNECT is never answered, before READY or after, and the broker sends it nothing more", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send(...form.worker.disconnect);
    await worker.send(...form.worker.ready, "echo");
    await worker.send(...form.worker.disconnect);
    await worker.send(...form.worker.disconnect);
    await settled(worker, form);
    const client = running.connect();
    await client.send(...form.request, "echo", "x");
    await settled(client, form);
    await settled(worker, form);
    expect(worker.received).toEqual([]);
    expect(running.broker.stats()?.workers).toBe(0);
  });

  test.each([
    ["a HEARTBEAT with more", "heartbeat", ["more"]],
    ["a DISCONNECT with more", "disconnect", ["more"]],
    ["a REQUEST, which is the broker's to send", "request", ["~0.1", "", "x"]],
    ["a reply without an address", "final", []],
    ["a reply without a body", "final", ["~0.1", ""]],
    ["a reply to an empty address", "final", ["", "", "x"]],
    ["a reply to an address of 256 bytes", "final", ["a".repeat(256), "", "x"]],
    ["65 frames", "final", ["~0.1", "", ...new Array<string>(65).fill("x")]],
  ] as const)(
    "D-MDP-5, D-MDP-6, D-MDP-9: %s is dropped unanswered, and the worker lost",
    async (_what, command, rest) => {
      const running = await startDialectBroker();
      const worker = await registered(running, form, "echo");
      await worker.send(...form.worker[command], ...rest);
      await settled(worker, form);
      expect(worker.received).toEqual([]);
      expect(running.violations).toHaveLength(1);
      expect(running.broker.stats()?.workers).toBe(0);
    },
  );

  test("D-MDP-2, D-MDP-9: an invalid command is dropped unanswered, and the worker lost", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    await worker.send(...form.worker.ready.slice(0, -1), "\x77", "x");
    await settled(worker, form);
    expect(worker.received).toEqual([]);
    expect(running.broker.stats()?.workers).toBe(0);
  });

  test("D-MDP-10: a request whose worker is lost goes to another", async () => {
    const running = await startDialectBroker();
    const [first, client] = [await registered(running, form, "echo"), running.connect()];
    await client.send(...form.request, "echo", "x");
    const lost = await first.next();
    await first.send(...form.worker.disconnect);
    const second = await registered(running, form, "echo");
    const request = await second.next();
    expect(request.at(-1)).toBe("x");
    // A late reply of the first worker matches no request.
    await first.send(...form.worker.final, addressIn(lost, form), "", "late");
    expect(await first.next()).toEqual(form.worker.disconnect);
    await second.send(...form.worker.final, addressIn(request, form), "", "y");
    expect(await client.next()).toEqual([...form.final("echo"), "y"]);
  });

  test("D-MDP-13: a worker replies only to its own requests; any other reply is dropped, and it stays registered", async () => {
    const running = await startDialectBroker();
    const [holder, client] = [await registered(running, form, "echo"), running.connect()];
    const forger = await registered(running, form, "other");
    await client.send(...form.request, "echo", "x");
    const address = addressIn(await holder.next(), form);
    await forger.send(...form.worker.final, address, "", "forged");
    await settled(forger, form);
    await holder.send(...form.worker.final, address, "", "true");
    expect((await client.next()).at(-1)).toBe("true");
    expect(running.drops).toMatchObject([{ reason: "not-held" }]);
    expect(running.broker.stats()?.workers).toBe(2);
  });

  test("D-LIVE-1: it gets one request at a time, and the workers of a service share its requests", async () => {
    const running = await startDialectBroker();
    const workers = [await registered(running, form, "echo"), await registered(running, form, "echo")] as const;
    const client = running.connect();
    for (let number = 0; number < 10; number++) await client.send(...form.request, "echo", String(number));
    for (let number = 0; number < 10; number += 2) {
      for (const worker of workers) {
        const request = await worker.next();
        await settled(worker, form);
        expect(worker.received).toEqual([]);
        await worker.send(...form.worker.final, addressIn(request, form), "", request.at(-1) ?? "");
        await client.next();
      }
    }
  });

  test("D-MDP-15: a name is its bytes, even if they are not text", async () => {
    const running = await startDialectBroker();
    const names = ["Echo", "echo", "echo ", "\xff", "\xfe", "\x00", "caf\xc3\xa9", "cafe\xcc\x81", "__proto__"];
    const workers = new Map<string, RawPeer>();
    for (const name of names) workers.set(name, await registered(running, form, name));
    const client = running.connect();
    for (const name of names) {
      await client.send(...form.request, name, `for ${name}`);
      const worker = workers.get(name);
      if (worker === undefined) throw new Error("no such peer");
      const request = await worker.next();
      expect(request.at(-1)).toBe(`for ${name}`);
      await worker.send(...form.worker.final, addressIn(request, form), "", "done");
      expect(await client.next()).toEqual([...form.final(name), "done"]);
    }
  });

  test("D-MDP-16: requests are dispatched in the order of their arrival, whichever client sent them", async () => {
    const running = await startDialectBroker();
    const clients = [running.connect(), running.connect(), running.connect()] as const;
    const bodies: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      for (const [index, client] of clients.entries()) {
        const body = `${turn} of ${index}`;
        await client.send(...form.request, "echo", body);
        await settled(client, form);
        bodies.push(body);
      }
    }
    const worker = await registered(running, form, "echo");
    for (const body of bodies) {
      const request = await worker.next();
      expect(request.at(-1)).toBe(body);
      await worker.send(...form.worker.final, addressIn(request, form), "", "");
    }
  });

  test("D-MDP-16: the idle worker that has waited longest is next", async () => {
    const running = await startDialectBroker();
    const workers: RawPeer[] = [];
    for (let count = 0; count < 3; count++) workers.push(await registered(running, form, "echo"));
    const client = running.connect();
    for (let number = 0; number < 9; number++) {
      await client.send(...form.request, "echo", String(number));
      const worker = workers[number % 3];
      if (worker === undefined) throw new Error("no such peer");
      const request = await worker.next();
      expect(request.at(-1)).toBe(String(number));
      await worker.send(...form.worker.final, addressIn(request, form), "", "");
      await client.next();
    }
  });

  test("D-LIVE-3: it gets no further request before it has replied, although the request has expired", async () => {
    const running = await startDialectBroker({}, [LOOPBACK, { address: LOOPBACK, timeoutMs: 50 }]);
    const worker = await registered(running, form, "echo");
    const expired = new Promise((resolve) => running.broker.once("request:failed", resolve));
    await running.connect(undefined, 1).send(...form.request, "echo", "hasty");
    const hasty = await worker.next();
    expect(await expired).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const patient = running.connect();
    await patient.send(...form.request, "echo", "patient");
    await settled(patient, form);
    await settled(worker, form);
    expect(worker.received).toEqual([]);
    await worker.send(...form.worker.final, addressIn(hasty, form), "", "late");
    const request = await worker.next();
    expect(request.at(-1)).toBe("patient");
    await worker.send(...form.worker.final, addressIn(request, form), "", "y");
    expect(await patient.next()).toEqual([...form.final("echo"), "y"]);
  });

  test("D-LIVE-4: each of its heartbeats is answered by one", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    for (let beat = 0; beat < 3; beat++) {
      await worker.send(...form.worker.heartbeat);
      expect(await worker.next()).toEqual(form.worker.heartbeat);
    }
  });

  test("D-LIVE-4: no heartbeat comes between its replies, whatever their content", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    const client = running.connect();
    for (let number = 0; number < 20; number++) await client.send(...form.request, "echo", String(number));
    for (let number = 0; number < 20; number++) {
      const request = await worker.next();
      expect(request.at(-1)).toBe(String(number));
      for (const head of [form.worker.partial, form.worker.final]) {
        if (head !== undefined) await worker.send(...head, addressIn(request, form), "", "y");
      }
    }
    await settled(worker, form);
    expect(worker.received).toEqual([]);
  });

  test("D-LIVE-4: a silent worker receives heartbeats, then DISCONNECT; any message keeps it alive", async () => {
    const running = await startDialectBroker({ heartbeat: 200, heartbeatLiveness: 4 });
    const silent = await registered(running, form, "silent");
    const talking = await registered(running, form, "talking");
    const talk = setInterval(() => void talking.send(...form.worker.final, "~0.1", "", "x"), 40);
    expect(await silent.next()).toEqual(form.worker.heartbeat);
    await silent.nextThat((frames) => frames.join() === form.worker.disconnect.join());
    clearInterval(talk);
    expect(running.broker.stats()?.workers).toBe(1);
  });

  test("D-LIVE-2: a busy worker may be silent for far longer than an idle one", async () => {
    const running = await startDialectBroker({ heartbeat: 50, heartbeatLiveness: 2 });
    const client = running.connect();
    // It waits for the worker, which is busy at once: an idle one would soon be lost.
    await client.send(...form.request, "echo", "x");
    await settled(client, form);
    const worker = running.connect();
    await worker.send(...form.worker.ready, "echo");
    const address = addressIn(await worker.nextThat((frames) => frames.at(-1) === "x"), form);
    // It receives ten heartbeats and sends nothing.
    for (let beat = 0; beat < 10; beat++) await worker.next();
    await worker.send(...form.worker.final, address, "", "y");
    expect(await client.next()).toEqual([...form.final("echo"), "y"]);
  });

  test("D-MMI-2: a name that starts with mmi. gets DISCONNECT", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    await worker.send(...form.worker.ready, "mmi.echo");
    expect(await worker.next()).toEqual(form.worker.disconnect);
    expect(running.drops).toMatchObject([{ reason: "reserved-name" }]);
  });

  test("D-MDP-17: it gets DISCONNECT when the broker stops", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    await running.broker.stop();
    expect(await worker.next()).toEqual(form.worker.disconnect);
  });

  test("D-MDP-17: a restarted broker answers its heartbeat with DISCONNECT, so that it registers again", async () => {
    const running = await startDialectBroker();
    const worker = await registered(running, form, "echo");
    await running.broker.stop();
    await worker.next();
    const [, port] = /:(\d+)$/.exec(running.address) ?? [];
    const again = await startDialectBroker({}, `tcp://127.0.0.1:${port}`);
    await worker.send(...form.worker.heartbeat);
    expect(await worker.next()).toEqual(form.worker.disconnect);
    await worker.send(...form.worker.ready, "echo");
    await settled(worker, form);
    expect(again.broker.stats()?.workers).toBe(1);
  });
});

describe.each(FORMS)("mmi, for a client of $name", (form) => {
  test("D-MMI-3, D-MMI-5: mmi.service is 200 with a live worker, else 404, under its own name", async () => {
    const running = await startDialectBroker();
    const client = running.connect();
    const ask = async () => {
      await client.send(...form.request, "mmi.service", "echo");
      return client.next();
    };
    expect(await ask()).toEqual([...form.final("mmi.service"), "404"]);
    const worker = running.connect();
    const joined = new Promise((resolve) => running.broker.once("worker:join", resolve));
    await worker.send(...form.worker.ready, "echo");
    await joined;
    expect(await ask()).toEqual([...form.final("mmi.service"), "200"]);
    const left = new Promise((resolve) => running.broker.once("worker:leave", resolve));
    await worker.send(...form.worker.disconnect);
    await left;
    // The name is known because a request waits for it, but it has no worker.
    await client.send(...form.request, "echo", "x");
    expect(await ask()).toEqual([...form.final("mmi.service"), "404"]);
  });

  test("D-MMI-3: a name that matches a wildcard service is served", async () => {
    const running = await startDialectBroker();
    const joined = new Promise((resolve) => running.broker.once("worker:join", resolve));
    await running.connect().send(...form.worker.ready, "stock*");
    await joined;
    const client = running.connect();
    await client.send(...form.request, "mmi.service", "stock-nasdaq");
    expect(await client.next()).toEqual([...form.final("mmi.service"), "200"]);
  });

  test("D-MMI-1, D-MMI-4: any other name is 501, and never reaches a worker", async () => {
    const running = await startDialectBroker();
    const joined = new Promise((resolve) => running.broker.once("worker:join", resolve));
    const worker = running.connect();
    await worker.send(...form.worker.ready, "mm*");
    await joined;
    const client = running.connect();
    for (const name of ["mmi.echo", "mmi.", "mmi.service2", "mmi.Service"]) {
      await client.send(...form.request, name, "x");
      expect(await client.next()).toEqual([...form.final(name), "501"]);
    }
    expect(worker.received).toEqual([]);
  });
});

describe("detecting the dialect", () => {
  test("D-DET-1: a worker that continues in another dialect is ignored, and served in its own", async () => {
    for (const [form, other] of [VERSIONS, [...VERSIONS].reverse()]) {
      if (form === undefined || other === undefined) return;
      const running = await startDialectBroker();
      const worker = await registered(running, form, "echo");
      await worker.send(...other.worker.disconnect);
      await worker.send(...other.worker.ready, "other");
      await worker.send(...other.request, "echo", "x");
      await settled(worker, form);
      expect(running.drops.map(({ reason }) => reason)).toEqual(["other-dialect", "other-dialect", "other-dialect"]);
      expect(running.broker.stats()).toMatchObject({ workers: 1, open: 0 });
      expect(worker.received).toEqual([]);
    }
  });

  test.each([
    ["the blob of zeromq/majordomo's master", ["\xaa\xa4\x01\x06MDPC02"]],
    ["a version to come", ["MDPC03", "\x01", "echo", "x"]],
    ["a client's command that is none", ["MDPC02", "\x09", "echo", "x"]],
    ["a header alone", ["MDPC02"]],
    ["an empty frame alone", [""]],
    ["rubbish", ["garbage"]],
  ])("D-DET-6: %s is dropped, reported and answered by nothing", async (_what, frames) => {
    const running = await startDialectBroker();
    const socket = running.connect();
    const reported = new Promise((resolve) => running.broker.once("violation", resolve));
    await socket.send(...frames);
    expect(await reported).toMatchObject({ clause: "P-MSG-1" });
    for (const form of VERSIONS.slice(0, 1)) await settled(socket, form);
    expect(socket.received).toEqual([]);
  });
});
