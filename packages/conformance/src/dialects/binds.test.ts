// Binds with their own settings and roles: what omdp and butler peers receive from a real broker.

import { describe, expect, test } from "vitest";
import { LOOPBACK } from "../support/start.ts";
import { VERSIONS } from "./forms.ts";
import { startDialectBroker } from "./start.ts";

const OMDP = { address: LOOPBACK, dialect: "omdp" } as const;
const BUTLER = { address: LOOPBACK, dialect: "butler" } as const;
const expiry = () => String(Date.now() + 20_000);

describe("an omdp bind", () => {
  test("D-OMDP-1, D-OMDP-4, D-OMDP-5: layouts without the empty frame, both ways", async () => {
    const running = await startDialectBroker({}, OMDP);
    const [worker, client] = [running.connect(), running.connect()];
    await worker.send("W", "1", "echo");
    await client.send("C", "2", "echo", "r1", '{"a": 1}', '{"timeout":20000}');
    const [tag, type, address = "", ...rest] = await worker.next();
    expect([tag, type, ...rest]).toEqual(["W", "2", "r1", '{"a": 1}']);
    await worker.send("W", "6", address, "r1", "0", '"part"');
    await worker.send("W", "3", address, "r1", "0", '"last"');
    expect(await client.next()).toEqual(["C", "6", "r1", "0", '"part"']);
    expect(await client.next()).toEqual(["C", "3", "r1", "0", '"last"']);
  });

  test("D-OMDP-3, D-OMDP-4: an error has no status", async () => {
    const running = await startDialectBroker({}, OMDP);
    const [worker, client] = [running.connect(), running.connect()];
    await worker.send("W", "1", "echo");
    await client.send("C", "2", "echo", "r1", "x", "{}");
    const [, , address = ""] = await worker.next();
    await worker.send("W", "3", address, "r1", '"no"');
    expect(await client.next()).toEqual(["C", "3", "r1", '"no"']);
  });

  test("D-MAP-9: text becomes JSON on its way, and a failure is a JSON string", async () => {
    const running = await startDialectBroker({}, OMDP);
    const [worker, client] = [running.connect(), running.connect()];
    await worker.send("W", "1", "echo");
    await client.send("C", "2", "echo", "r1", "any text", '{"timeout":20000}');
    expect((await worker.next()).slice(3)).toEqual(["r1", '"any text"']);
    await worker.send("W", "5");
    expect(await client.next()).toEqual(["C", "3", "r1", '"WORKER_LOST"']);
  });

  test("D-OMDP-2, D-MDP-8: READY gets no answer, a heartbeat gets a heartbeat, a second READY gets DISCONNECT", async () => {
    const running = await startDialectBroker({}, OMDP);
    const worker = running.connect();
    await worker.send("W", "1", "echo");
    await worker.send("W", "4");
    expect(await worker.next()).toEqual(["W", "4"]);
    await worker.send("W", "1", "echo");
    expect(await worker.next()).toEqual(["W", "5"]);
    expect(worker.received).toEqual([]);
  });

  test("D-OMDP-1: a client's heartbeat for its request reaches the worker, and no client gets an answer to one", async () => {
    const running = await startDialectBroker({}, OMDP);
    const [worker, client] = [running.connect(), running.connect()];
    await worker.send("W", "1", "echo");
    await client.send("C", "4");
    await client.send("C", "2", "echo", "r1", "x", "{}");
    const [, , address = ""] = await worker.next();
    await client.send("C", "4", "r1");
    expect(await worker.next()).toEqual(["W", "4", address, "r1"]);
    await worker.send("W", "3", address, "r1", "0", '"y"');
    expect(await client.next()).toEqual(["C", "3", "r1", "0", '"y"']);
  });

  test("D-DET-5: Majordomo peers connect by it as well", async () => {
    const running = await startDialectBroker({}, OMDP);
    const worker = running.connect();
    await worker.send("W", "1", "echo");
    for (const form of VERSIONS) {
      const client = running.connect();
      await client.send(...form.request, "echo", "x");
      const [, , address = "", id = ""] = await worker.next();
      await worker.send("W", "3", address, id, "0", "y");
      expect(await client.next()).toEqual([...form.final("echo"), "y"]);
    }
  });
});

describe("a butler bind", () => {
  test("D-BUT-2, D-BUT-3, D-BUT-4: a request and its response", async () => {
    const running = await startDialectBroker({}, BUTLER);
    const [worker, client] = [running.connect(), running.connect()];
    await worker.send("\x01", "sum");
    await worker.send("\x02");
    expect(await worker.next()).toEqual(["\x02"]);
    const expires = expiry();
    await client.send("", "0.3.0:abc", "sum", expires, '{"method":"add"}');
    const [address = "", ...rest] = await worker.next();
    expect(rest.slice(0, 3)).toEqual(["", "0.3.0:abc", "sum"]);
    expect(Math.abs(Number(rest[3]) - Number(expires))).toBeLessThan(5_000);
    expect(rest[4]).toBe('{"method":"add"}');
    await worker.send("\x04", address, "", "0.3.0:abc", "42");
    expect(await client.next()).toEqual(["", "0.3.0:abc", "42"]);
  });

  test.each(["0.3.0:1", "10.20.30:x"])("D-DET-4: a client is known by its version and id, %s", async (id) => {
    const running = await startDialectBroker();
    const client = running.connect();
    await client.send("", id, "sum", expiry(), "{}");
    expect(await client.next()).toEqual(["", "404"]);
  });

  test.each([
    ["four frames", ["", "0.3.0:1", "sum", "99999999999999"]],
    ["six frames", ["", "0.3.0:1", "sum", "99999999999999", "{}", "more"]],
    ["a first frame", ["x", "0.3.0:1", "sum", "99999999999999", "{}"]],
    ["half a version", ["", "0.3:1", "sum", "99999999999999", "{}"]],
    ["no id", ["", "0.3.0", "sum", "99999999999999", "{}"]],
    ["a worker's first frame of another byte", ["\x03"]],
    ["a worker's first frame of two bytes", ["\x01\x01", "sum"]],
  ])("D-DET-4: %s is not a valid message", async (_what, frames) => {
    const running = await startDialectBroker({}, BUTLER);
    const unknown = running.connect();
    const reported = new Promise((resolve) => running.broker.once("violation", resolve));
    await unknown.send(...frames);
    expect(await reported).toMatchObject({ clause: "P-MSG-1" });
    expect(unknown.received).toEqual([]);
  });

  test("D-BUT-1, D-BUT-6: a request without a worker gets 404 at once, and an expired request is dropped", async () => {
    const running = await startDialectBroker({}, BUTLER);
    const [worker, client] = [running.connect(), running.connect()];
    await client.send("", "0.3.0:1", "sum", expiry(), "{}");
    expect(await client.next()).toEqual(["", "404"]);
    await worker.send("\x01", "sum");
    await worker.send("\x02");
    await worker.next();
    await client.send("", "0.3.0:2", "sum", "1000", "{}");
    await client.send("", "0.3.0:3", "sum", expiry(), "{}");
    expect((await worker.next())[2]).toBe("0.3.0:3");
    expect(client.received).toEqual([]);
  });

  test("D-BUT-1: a request that waits for a busy worker expires on time and never reaches it", async () => {
    const { broker, worker, client, address, id } = await askedOfButler();
    const expired = new Promise((resolve) => broker.once("request:failed", resolve));
    await client.send("", "0.3.0:2", "sum", String(Date.now() + 50), "{}");
    await client.send("", "0.3.0:3", "sum", expiry(), "{}");
    expect(await expired).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await worker.send("\x04", address, "", id, "1");
    expect((await worker.next())[2]).toBe("0.3.0:3");
    expect(await client.next()).toEqual(["", "0.3.0:1", "1"]);
    expect(client.received).toEqual([]);
  });

  test("D-BUT-7: an exception arrives without the worker's pickles, and can be raised", async () => {
    const { worker, client, address, id } = await askedOfButler();
    const error = {
      class: "cposix\nsystem\n",
      object: "cposix\nsystem\n(S'true'\ntR.",
      name: "ValueError",
      message: "no",
      traceback: "line 3",
    };
    await worker.send("\x04", address, "", id, `500:exception:${JSON.stringify({ ...error, traceback_list: [] })}`);
    const [, , response = ""] = await client.next();
    expect(JSON.parse(response.slice("500:exception:".length))).toEqual({
      class: "cexceptions\nRuntimeError\n.",
      object: "cexceptions\nRuntimeError\n(Vno\ntR.",
      name: "ValueError",
      message: "no",
      traceback: "line 3",
      traceback_list: [],
    });
  });

  test("D-BUT-8, D-MAP-9: a client gets the text of a butler worker unchanged, and that of others as JSON", async () => {
    const { connect, worker, client, address, id } = await askedOfButler();
    await worker.send("\x04", address, "", id, "resized image");
    expect(await client.next()).toEqual(["", "0.3.0:1", "resized image"]);

    const other = connect();
    await other.send("", "MDPW01", "\x01", "draw");
    await other.send("", "MDPW01", "\x04");
    await other.next();
    await client.send("", "0.3.0:2", "draw", expiry(), "{}");
    const [, , , token = ""] = await other.next();
    await other.send("", "MDPW01", "\x03", token, "", "500:exception:text");
    expect(await client.next()).toEqual(["", "0.3.0:2", '"500:exception:text"']);

    await other.send("", "MDPC01", "sum", "plain text");
    expect((await worker.next())[5]).toBe('"plain text"');
  });

  test("D-BUT-5: mmi.X answers 200 with a live worker, else 400", async () => {
    const running = await startDialectBroker({}, BUTLER);
    const [worker, client] = [running.connect(), running.connect()];
    await client.send("", "0.3.0:1", "mmi.sum", expiry(), "{}");
    expect(await client.next()).toEqual(["", "sum", "400"]);
    await worker.send("\x01", "sum");
    await worker.send("\x02");
    await worker.next();
    await client.send("", "0.3.0:2", "mmi.sum", expiry(), "{}");
    expect(await client.next()).toEqual(["", "sum", "200"]);
  });

  test("D-MDP-8: a worker that is not registered is asked to register again", async () => {
    const running = await startDialectBroker({}, BUTLER);
    const worker = running.connect();
    await worker.send("\x02");
    expect(await worker.next()).toEqual(["\x03"]);
  });

  test("D-DET-5: at any other bind its workers are unknown peers", async () => {
    const running = await startDialectBroker();
    const worker = running.connect();
    const reported = new Promise((resolve) => running.broker.once("violation", resolve));
    await worker.send("\x01", "sum");
    expect(await reported).toMatchObject({ clause: "P-MSG-1" });
    expect(running.broker.stats()?.workers).toBe(0);
  });
});

describe("separate binds for clients and workers", () => {
  test("D-ROLE-1: serve omdp; a worker at the frontend gets DISCONNECT, and a client at the backend gets an error", async () => {
    const running = await startDialectBroker({}, { frontend: OMDP, backend: OMDP });
    const [strayWorker, strayClient] = [running.connect(undefined, 0), running.connect(undefined, 1)];
    await strayWorker.send("W", "1", "echo");
    expect(await strayWorker.next()).toEqual(["W", "5"]);
    await strayClient.send("C", "2", "echo", "r1", "x", "{}");
    expect(await strayClient.next()).toEqual(["C", "3", "r1", '"INVALID"']);
    const [client, server] = [running.connect(undefined, 0), running.connect(undefined, 1)];
    await server.send("W", "1", "echo");
    await client.send("C", "2", "echo", "r2", "x", "{}");
    const [, , address = ""] = await server.next();
    await server.send("W", "3", address, "r2", "0", '"y"');
    expect(await client.next()).toEqual(["C", "3", "r2", "0", '"y"']);
  });

  test("D-ROLE-1: a butler worker at the frontend is asked to register again, a client at the backend receives an exception", async () => {
    const running = await startDialectBroker({}, { frontend: BUTLER, backend: BUTLER });
    const [worker, client] = [running.connect(undefined, 0), running.connect(undefined, 1)];
    await worker.send("\x01", "sum");
    expect(await worker.next()).toEqual(["\x03"]);
    await client.send("", "0.3.0:1", "sum", expiry(), "{}");
    const [, id, response = ""] = await client.next();
    expect([id, response.slice(0, 14)]).toEqual(["0.3.0:1", "500:exception:"]);
    expect(running.broker.stats()).toMatchObject({ workers: 0, accepted: 0 });
  });

  test("D-ROLE-2: a heartbeat for a worker may come from another socket at the backend", async () => {
    const running = await startDialectBroker(
      { heartbeat: 200, heartbeatLiveness: 4 },
      { frontend: LOOPBACK, backend: LOOPBACK },
    );
    const [vouchedFor, silent] = [running.connect("vouched for", 1), running.connect("silent", 1)];
    const left: string[] = [];
    running.broker.on("worker:leave", ({ worker }) => left.push(worker));
    const both = new Promise<void>((resolve) => {
      let count = 0;
      running.broker.on("worker:join", () => ++count === 2 && resolve());
    });
    const beater = running.connect(undefined, 1);
    for (const worker of [vouchedFor, silent]) {
      await worker.send("W", "1", "echo");
    }
    await both;
    const beating = setInterval(() => void beater.send("C", "4", "worker", "vouched for"), 20);
    await silent.nextThat(([, command]) => command === "5");
    clearInterval(beating);
    expect(left).toEqual(["silent"]);
    expect(running.violations).toEqual([]);
  });

  test("P-HB-5: an unknown peer does not keep a worker alive that sends its own heartbeats", async () => {
    const running = await startDialectBroker({ heartbeat: 200, heartbeatLiveness: 4 });
    const [worker, unknown] = [running.connect("hung"), running.connect()];
    await worker.send("W", "1", "echo");
    await worker.send("W", "4", "", "{}");
    const beating = setInterval(() => void unknown.send("C", "4", "worker", "hung"), 20);
    await worker.nextThat(([, command]) => command === "5");
    clearInterval(beating);
    expect(running.broker.stats()?.workers).toBe(0);
  });

  test("D-ROLE-3: a client names a worker by its routing id, whichever address it connected to", async () => {
    const running = await startDialectBroker({}, { frontend: LOOPBACK, backend: [LOOPBACK, BUTLER] });
    const [client, plain, butler] = [running.connect(), running.connect("plain", 1), running.connect("butler", 2)];
    const both = new Promise<void>((resolve) => {
      let count = 0;
      running.broker.on("worker:join", () => ++count === 2 && resolve());
    });
    await plain.send("W", "1", "sum");
    await plain.send("W", "4", "", "{}");
    await butler.send("\x01", "sum");
    await both;
    for (const name of ["plain", "butler", "plain", "butler"]) {
      const options = JSON.stringify({ workerId: name, timeout: 20_000 });
      await client.send("C", "2", "sum", "r1", JSON.stringify(name), options);
      if (name === "plain") {
        const [, , address = "", , , id = "", body] = await plain.nextThat(([, type]) => type === "2");
        expect(body).toBe('"plain"');
        await plain.send("W", "3", address, "", id, "0", "1", "{}");
      } else {
        const [address = "", , id = "", , , body] = await butler.nextThat((frames) => frames.length === 6);
        expect(body).toBe('"butler"');
        await butler.send("\x04", address, "", id, "1");
      }
      expect((await client.next()).slice(0, 5)).toEqual(["C", "3", "", "r1", "0"]);
    }
  });

  test.each(VERSIONS)("D-ROLE-1, D-ROLE-3: serve only their role in $name", async (form) => {
    const running = await startDialectBroker(
      {},
      { frontend: { address: LOOPBACK, answersErrors: true }, backend: LOOPBACK },
    );
    const [FRONT, BACK] = [0, 1];
    const worker = running.connect("same", BACK);
    await worker.send(...form.worker.ready, "echo");
    const client = running.connect("same", FRONT);
    await client.send(...form.request, "echo", "x");
    const request = await worker.next();
    await worker.send(...form.worker.final, request[form.worker.request.length] ?? "", "", "y");
    expect(await client.next()).toEqual([...form.final("echo"), "y"]);

    const stray = running.connect(undefined, FRONT);
    await stray.send(...form.worker.ready, "echo");
    expect(await stray.next()).toEqual(form.worker.disconnect);
    const violated = new Promise((resolve) => running.broker.once("violation", resolve));
    await running.connect(undefined, BACK).send(...form.request, "echo", "x");
    expect(await violated).toMatchObject({ clause: "D-ROLE-1" });
    expect(running.broker.stats()).toMatchObject({ workers: 1, accepted: 1 });
  });

  test("D-ROLE-1: a PIGATO request at the backend fails with the reason", async () => {
    const running = await startDialectBroker({}, { frontend: LOOPBACK, backend: LOOPBACK });
    const client = running.connect(undefined, 1);
    await client.send("C", "2", "echo", "r1", "1", "{}");
    expect(await client.next()).toEqual(["C", "3", "", "r1", "-1", '"INVALID"']);
  });

  test("D-ROLE-1: serve butler, clients at the frontend and workers at the backend", async () => {
    const running = await startDialectBroker({}, { frontend: LOOPBACK, backend: BUTLER });
    const [worker, client] = [running.connect(undefined, 1), running.connect(undefined, 0)];
    await worker.send("\x01", "sum");
    await worker.send("\x02");
    await worker.next();
    await client.send("", "0.3.0:1", "sum", expiry(), "{}");
    const [address = "", , id = ""] = await worker.next();
    await worker.send("\x04", address, "", id, "1");
    expect(await client.next()).toEqual(["", "0.3.0:1", "1"]);
  });
});

/** A butler worker that has just received the first request of a client. */
async function askedOfButler() {
  const { broker, connect } = await startDialectBroker({}, BUTLER);
  const [worker, client] = [connect(), connect()];
  await worker.send("\x01", "sum");
  await worker.send("\x02");
  await worker.next();
  await client.send("", "0.3.0:1", "sum", expiry(), "{}");
  const [address = "", , id = ""] = await worker.next();
  return { broker, connect, worker, client, address, id };
}
