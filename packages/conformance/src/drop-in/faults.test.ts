// The faults of the original, by number: the `pigato` package has none of them. The list at the end names faults that other
// tests cover, which must exist.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import PIGATO from "pigato";
import { describe, expect, onTestFinished, test } from "vitest";
import { Dealer } from "zeromq";
import { connectRawPeer } from "../support/start.ts";
import { happened } from "./libraries.ts";
import { MockBroker } from "./mock-broker.ts";
import { newService, registerRawWorker, send, startBroker, startClient, startWorker } from "./start.ts";

const BRISK = { heartbeat: 50, reconnect: 50 };

async function settings() {
  const broker = await startBroker();
  const address = broker.addresses[0] ?? "";
  return { broker, address, service: newService(), client: await startClient(address) };
}

describe("the broker", () => {
  test("1: no heartbeat for a request stops the broker, and those of streams reach the worker", async () => {
    const { address, client, service } = await settings();
    const odd = connectRawPeer(address);
    for (const word of ["req", "request", "worker", "odd"]) await odd.send("C", "4", word, "x");
    const worker = await registerRawWorker(address, service, 1);
    const stream = client.request(service, 1).on("error", () => {});
    const [, , token = "", , , id = ""] = await worker.receive("W", "2");
    stream.heartbeat();
    expect(await worker.receive("W", "4", token)).toEqual(["W", "4", token, "", id]);
  });

  test("1: a request stays active until it ends", async () => {
    const { address, client, service } = await settings();
    const worker = await startWorker(address, service, () => {});
    const asked = once(worker, "request");
    client.request(service, 1).on("error", () => {});
    const [, reply] = await asked;
    const witness = await registerRawWorker(address, "witness", 1);
    for (let beats = 0; beats < 5; beats++) {
      worker.heartbeat();
      await witness.send("W", "4", "", "{}");
      await witness.receive("W", "4");
    }
    expect(reply.active()).toBe(true);
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "2: %s is treated like any other name",
    async (name) => {
      const { address, client } = await settings();
      await startWorker(address, name, (data, reply) => reply.end(data));
      expect(await send(client, name, 1)).toEqual({ partials: [], error: 0, value: 1 });
    },
  );

  test("3: a heartbeat with null settings counts as a heartbeat", async () => {
    const { address } = await settings();
    const worker = await registerRawWorker(address, "x", 1);
    await worker.send("W", "4", "", "null");
    expect(await worker.receive("W", "4")).toEqual(["W", "4"]);
  });

  test("4: an unknown header is an error event, and harmless without a listener", async () => {
    const { broker, address } = await settings();
    const odd = connectRawPeer(address);
    await odd.send("X", "1");
    await odd.roundTrip();
    const reported = happened(broker, "error");
    await odd.send("X", "1");
    expect(await reported).toBe("ERR_MSG_HEADER");
  });

  test("5, 18: a request for a range of versions waits for one that satisfies it", async () => {
    const { address, client, service } = await settings();
    const answer = send(client, `${service}@^1.0.0`, 1);
    await startWorker(address, `${service}@2.0.0`, (_data, reply) => reply.end("wrong"));
    await startWorker(address, `${service}@1.2.3`, (_data, reply) => reply.end("right"));
    expect(await answer).toMatchObject({ error: 0, value: "right" });
  });

  test("6: 5000 partials of a reply and its final arrive", async () => {
    const { address, client, service } = await settings();
    await startWorker(address, service, (count, reply) => {
      for (let index = 0; index < Number(count); index++) reply.write(index);
      reply.end("end");
    });
    const { partials, value } = await send(client, service, 5000);
    expect(partials).toEqual(Array.from({ length: 5000 }, (_, index) => index));
    expect(value).toBe("end");
  });

  test("7: a DISCONNECT is not answered", async () => {
    const { address } = await settings();
    const worker = await registerRawWorker(address, "x", 1);
    await worker.send("W", "5");
    await worker.roundTrip();
    expect(worker.received).toEqual([]);
  });

  test("8: a worker stays registered after a reply to an unknown request", async () => {
    const { address, client, service } = await settings();
    const worker = await registerRawWorker(address, service, 2);
    const answer = send(client, service, 1);
    const [, , token = "", , , id = ""] = await worker.receive("W", "2");
    await worker.send("W", "3", "somebody", "", "unknown", "0", "1", "{}");
    await worker.send("W", "6", "nothing", "", "unknown", "0", "1", "{}");
    await worker.send("W", "3", token, "", id, "0", '"known"', "{}");
    expect(await answer).toMatchObject({ error: 0, value: "known" });
    expect(worker.received).toEqual([]);
  });

  test("9: a client is notified at once that its worker is lost", async () => {
    const { address, client, service } = await settings();
    const worker = await startWorker(address, service, () => worker.stop());
    expect(await send(client, service, 1, { timeout: -1 })).toMatchObject({ error: "WORKER_LOST", value: null });
  });

  test("10: a request that has timed out occupies no slot, and its late reply is harmless", async () => {
    const { address, client, service } = await settings();
    const worker = await registerRawWorker(address, service, 1);
    expect(await send(client, service, 1, { timeout: 20 })).toMatchObject({ error: "C_TIMEOUT" });
    const answer = send(client, service, 2);
    const [, , first = "", , , firstId = ""] = await worker.receive("W", "2", "*", "*", "*", "*", "1");
    const [, , second = "", , , secondId = ""] = await worker.receive("W", "2", "*", "*", "*", "*", "2");
    await worker.send("W", "3", first, "", firstId, "0", '"late"', "{}");
    await worker.send("W", "3", second, "", secondId, "0", '"in time"', "{}");
    expect(await answer).toMatchObject({ error: 0, value: "in time" });
  });

  test("12: an expired request does not delay the requests behind it", async () => {
    const { address, client, service } = await settings();
    const [expired, valid] = [send(client, service, 1, { timeout: 20 }), send(client, service, 2)];
    await expired;
    await startWorker(address, service, (data, reply) => reply.end(data));
    expect(await valid).toMatchObject({ error: 0, value: 2 });
  });

  test("13, 20: queued requests are dispatched in order, and one at a time to a worker with concurrency 1", async () => {
    const { address, client, service } = await settings();
    const numbers = Array.from({ length: 8 }, (_, index) => index);
    const answers = numbers.map((number) => send(client, service, number));
    const order: unknown[] = [];
    let inFlight = 0;
    let most = 0;
    const handler = (data: unknown, reply: { end(data: unknown): unknown }): void => {
      order.push(data);
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        reply.end(data);
      });
    };
    await startWorker(address, service, handler, { concurrency: 1 });
    await Promise.all(answers);
    expect(order).toEqual(numbers);
    expect(most).toBe(1);
  });

  test("14: a rejected request goes to the next worker, and not to the same one again", async () => {
    const { address, client, service } = await settings();
    let offers = 0;
    const worker = await startWorker(address, service, (_data, reply) => {
      offers += 1;
      reply.reject("not mine");
    });
    const asked = once(worker, "request");
    const answer = send(client, service, 1);
    await asked;
    await connectRawPeer(address).roundTrip();
    await startWorker(address, service, (_data, reply) => reply.end("mine"));
    expect(await answer).toMatchObject({ error: 0, value: "mine" });
    expect(offers).toBe(1);
  });

  test("15: the idle worker gets the request", async () => {
    const { address, client, service } = await settings();
    const busy = await registerRawWorker(address, service, 100);
    for (let index = 0; index < 5; index++) client.request(service, index).on("error", () => {});
    for (let index = 0; index < 5; index++) await busy.receive("W", "2");
    const idle = await registerRawWorker(address, service, 100);
    for (let index = 0; index < 5; index++) client.request(service, index).on("error", () => {});
    for (let index = 0; index < 5; index++) await idle.receive("W", "2");
    await busy.roundTrip();
    expect(busy.received).toEqual([]);
  });

  test("16: an exact service is served by its own workers, not by a wildcard", async () => {
    const { address, client, service } = await settings();
    await startWorker(address, `${service}*`, (_data, reply) => reply.end("wildcard"));
    await startWorker(address, `${service}-1`, (_data, reply) => reply.end("exact"));
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(client, `${service}-1`, 1)));
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set(["exact"]));
  });

  test("17: a request that waits for a wildcard is dispatched when it registers, and its workers take turns", async () => {
    const { address, client, service } = await settings();
    const names = Array.from({ length: 5 }, (_, index) => `${service}-${index}`);
    const answers = names.flatMap((name) => [send(client, name, 1), send(client, name, 2)]);
    await startWorker(address, `${service}-*`, (data, reply) => reply.end(data), { concurrency: 1 });
    expect((await Promise.all(answers)).map(({ error }) => error)).toEqual(answers.map(() => 0));
  });

  test("19: a worker of another service is not selected as the target", async () => {
    const { address, client, service } = await settings();
    const other = await startWorker(address, newService(), (_data, reply) => reply.end("wrong"));
    expect(await send(client, service, 1, { workerId: other.socketId })).toMatchObject({ error: "UNAVAILABLE" });
  });

  test("21: equal ids of two clients are two requests", async () => {
    const { address, service } = await settings();
    await startWorker(address, service, (data, reply) => reply.end(data));
    const [one, two] = [connectRawPeer(address), connectRawPeer(address)];
    await one.send("C", "2", service, "same", '"one"', "{}");
    await two.send("C", "2", service, "same", '"two"', "{}");
    expect(await one.receive("C", "3")).toEqual(["C", "3", "", "same", "0", '"one"', "{}"]);
    expect(await two.receive("C", "3")).toEqual(["C", "3", "", "same", "0", '"two"', "{}"]);
  });

  test("22: an id and data that are not text return unchanged", async () => {
    const { address, service } = await settings();
    const worker = await registerRawWorker(address, service, 1);
    const socket = new Dealer({ linger: 0 });
    onTestFinished(() => socket.close());
    Reflect.set(socket, "routingId", Buffer.from([0xff, 0xfe, 0x80]));
    socket.connect(address);
    const [id, data] = [Buffer.from([0xc3, 0x28]), Buffer.from([0x00, 0xff, 0xfe])];
    await socket.send(["C", "2", service, id, "1", "{}"]);
    const [, , token = ""] = await worker.receive("W", "2");
    await worker.send("W", "3", token, "", id, "0", data, "{}");
    expect(await socket.receive()).toEqual(["C", "3", "", id, "0", data, "{}"].map((frame) => Buffer.from(frame)));
  });

  test("23, 27: start() calls back, with the error if an address cannot be bound", async () => {
    const { address } = await settings();
    const broker = new PIGATO.Broker(address);
    broker.on("start", () => expect.unreachable());
    const error = await new Promise((resolve) => broker.start(resolve));
    expect(error).toMatchObject({ code: "ADDRESS_IN_USE" });
    const other = new PIGATO.Broker("tcp://127.0.0.1:*");
    expect(await new Promise((resolve) => other.start(resolve))).toBeUndefined();
    await new Promise<void>((resolve) => other.stop(resolve));
  });

  test("25: a timeout of 0 expires at once", async () => {
    const { client, service } = await settings();
    expect(await send(client, service, 1, { timeout: 0 })).toMatchObject({ error: "C_TIMEOUT" });
  });

  test("25: a restarted broker has no peers", async () => {
    const { broker, address } = await settings();
    const worker = await registerRawWorker(address, "x", 1);
    await new Promise<void>((resolve) => broker.stop(resolve));
    const again = await startBroker({}, address);
    expect(again.addresses).toEqual([address]);
    const unknown = connectRawPeer(address, worker.id);
    await unknown.send("W", "4", "", "{}");
    expect(await unknown.receive("W")).toEqual(["W", "5"]);
  });
});

describe("the client", () => {
  test("times out at its timeout, not at its next heartbeat", { timeout: 50_000 }, async () => {
    const { address, service } = await settings();
    const client = await startClient(address, { heartbeat: 60_000 });
    expect(await send(client, service, 1, { timeout: 50 })).toMatchObject({ error: "C_TIMEOUT" });
  });

  test("stays stopped if it was stopped before a reconnect", async () => {
    const broker = await MockBroker.at(`inproc://${crypto.randomUUID()}`);
    const client = await startClient(broker.address, BRISK);
    broker.isAnswering = false;
    await happened(client, "disconnect");
    client.stop();
    const events: string[] = [];
    for (const event of ["start", "connect"] as const) client.on(event, () => events.push(event));
    // A client that reconnected would do so after this pause and three silent intervals.
    const witness = new PIGATO.Client(broker.address, BRISK);
    witness.start();
    await happened(witness, "disconnect");
    await happened(witness, "start");
    witness.stop();
    expect(events).toEqual([]);
    broker.close();
  });

  test("reports requests that were open when it lost its broker, or sends them again", async () => {
    const { broker, address, client, service } = await settings();
    const worker = await registerRawWorker(address, service, 2);
    const once = send(client, service, 1);
    await worker.receive("W", "2");
    const lost = happened(client, "disconnect");
    broker.stop();
    await lost;
    expect(await once).toMatchObject({ error: expect.stringMatching(/^(BROKER_LOST|CLOSED)$/) });
  });

  test("fails a request whose worker gives no reason", async () => {
    const { address, client, service } = await settings();
    await startWorker(address, service, (_data, reply) => reply.error());
    expect(await send(client, service, 1)).toMatchObject({ error: "WORKER_FAILED", value: null });
  });

  test("continues after a partial that is null, and reports no error for a late reply", async () => {
    const broker = await MockBroker.at(`inproc://${crypto.randomUUID()}`);
    const client = await startClient(broker.address);
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    const chunks: unknown[] = [];
    const stream = client.request("x", 1);
    stream.on("data", (chunk) => chunks.push(chunk));
    const ended = once(stream, "end");
    const [, , , id = ""] = await broker.receive(["C", "2"]);
    await broker.send("C", "6", "", id, "0", "null", "{}");
    await broker.send("C", "6", "", id, "0", '"more"', "{}");
    await broker.send("C", "3", "", id, "0", '"last"', "{}");
    await broker.send("C", "3", "", id, "0", '"late"', "{}");
    await broker.send("C", "3", "", "never asked", "0", "1", "{}");
    await ended;
    if (errors.length === 0) await happened(client, "error");
    expect(errors).toEqual(["ERR_REQ_INVALID"]);
    expect(chunks).toEqual(["more", "last"]);
    broker.close();
  });
});

describe("the worker", () => {
  test("pauses before it reconnects after a DISCONNECT, and aborts running requests", async () => {
    const broker = await MockBroker.at(`inproc://${crypto.randomUUID()}`);
    const worker = await startWorker(broker.address, "x", () => {}, { reconnect: 200 });
    const asked = once(worker, "request");
    await broker.send("W", "2", "C1", "x", "", "r1", "1", "{}");
    const [, reply] = await asked;
    const lost = happened(worker, "disconnect");
    await broker.send("W", "5");
    await lost;
    const lostAt = performance.now();
    expect(reply.active()).toBe(false);
    await happened(worker, "start");
    expect(performance.now() - lostAt).toBeGreaterThan(90);
    broker.close();
  });

  test("always sends DISCONNECT", async () => {
    for (let round = 0; round < 20; round++) {
      const broker = await MockBroker.at("tcp://127.0.0.1:*");
      const worker = await startWorker(broker.address, "x", () => {});
      worker.stop();
      await broker.receive(["W", "5"]);
      broker.close();
    }
  });

  test("stays stopped if it was stopped before a reconnect", async () => {
    const broker = await MockBroker.at(`inproc://${crypto.randomUUID()}`);
    const worker = await startWorker(broker.address, "x", () => {}, { reconnect: 20 });
    const lost = happened(worker, "disconnect");
    await broker.send("W", "5");
    await lost;
    worker.stop();
    const { length } = broker.messages;
    await startWorker(broker.address, "witness", () => {}, { reconnect: 20 });
    expect(broker.messages.slice(length).filter((frames) => frames[2] === "x")).toEqual([]);
    broker.close();
  });
});

describe("faults that other tests cover", () => {
  const CONFORMANCE = "packages/conformance/src";
  const SCENARIOS = "packages/broker/src/core/scenarios";

  test.each([
    [
      "the directory's late subscription",
      "packages/pigato/src/classic-face.test.ts",
      "who serves what right after its start",
    ],
    [
      "6",
      `${CONFORMANCE}/transport/pressure-cases.ts`,
      "everything accepted for a slow peer arrives in order once it reads",
    ],
    ["11", `${SCENARIOS}/deadline.test.ts`, "a request without a timeout waits forever"],
    ["24", `${CONFORMANCE}/hostile/hostile.test.ts`, "10,000 services without workers use little memory"],
    ["25", `${SCENARIOS}/liveness.test.ts`, "the broker disconnects a worker three intervals after its last message"],
    [
      "26, the answer",
      `${CONFORMANCE}/integration/held-replies.test.ts`,
      "a client that is killed receives the reply when it returns under its id",
    ],
    [
      "26, the store",
      `${CONFORMANCE}/integration/persist.test.ts`,
      "is run by the next broker, and a client with the same id gets the reply once",
    ],
    [
      "the worker's late DISCONNECT",
      "packages/worker/src/worker.test.ts",
      "a link of an earlier connection is ignored",
    ],
  ])("%s: %s, “%s”", (_fault, file, title) => {
    expect(readFileSync(fileURLToPath(new URL(`../../../../${file}`, import.meta.url)), "utf8")).toContain(title);
  });
});
