// Our client, worker and broker over every kind of address: data arrives unchanged or as documented.

import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { type Reply, Worker } from "@pigato/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "pigato-data-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a request with the maximum number of frames is served, and a longer one is rejected at once", async () => {
  const broker = new Broker("tcp://127.0.0.1:*", { intch: false });
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "echo");
  worker.on("request", (data, reply) => reply.end(data));
  await worker.start();
  const client = new RawPeer(address, "a-client");
  const extra = Array.from({ length: 54 }, () => "x");
  await client.send("C", "2", "echo", "r1", "1", "{}", ...extra);
  expect(await client.receive("C", "3", "", "r1")).toEqual(["C", "3", "", "r1", "0", "1", "{}"]);
  await client.send("C", "2", "echo", "r2", "1", "{}", ...extra, "x");
  expect(await client.receive("C", "3", "", "r2")).toEqual(["C", "3", "", "r2", "-1", '"INVALID"']);
  client.close();
  await worker.stop();
  await broker.stop();
});

describe.each(["tcp://127.0.0.1:*", `ipc://${join(folder, "broker.sock")}`, "inproc://data"])("over %s", (bind) => {
  const broker = new Broker(bind);
  let worker: Worker;
  let client: Client;

  beforeAll(async () => {
    await broker.start();
    const [address = ""] = broker.addresses;
    worker = new Worker(address, "echo");
    client = new Client(address);
    await Promise.all([worker.start(), client.start()]);
  });

  afterAll(async () => {
    await client.stop();
    await worker.stop();
    await broker.stop();
  });

  /** Serves the next requests with this handler. */
  function serve(handler: (data: unknown, reply: Reply) => unknown): void {
    worker.removeAllListeners("request");
    worker.on("request", handler);
  }

  test.each<[string, unknown]>([
    ["an object", { foo: "bar", nested: [{ deep: { deeper: null } }] }],
    ["an array", [1, [2, [3]]]],
    ["a string", "text"],
    ["an empty string", ""],
    ["zero", 0],
    ["a negative fraction", -1.5e-7],
    ["false", false],
    ["true", true],
    ["null", null],
    ["unicode", "žluťoučký 🐎 \u0000 \u2028 \ud83d\ude00 漢字"],
    ["a key named __proto__", JSON.parse('{"__proto__":{"x":1},"constructor":2}')],
  ])("%s returns unchanged", async (_what, value) => {
    serve((data, reply) => reply.end(data));
    expect(await client.call("echo", value)).toEqual(value);
  });

  test("undefined arrives as undefined, and a reply of undefined as null", async () => {
    let seen: unknown = "nothing";
    serve((data, reply) => {
      seen = data;
      reply.end(data);
    });
    expect(await client.call("echo", undefined)).toBeNull();
    expect(seen).toBeUndefined();
  });

  test("a Buffer arrives in the form of the classic wire", async () => {
    serve((data, reply) => reply.end(data));
    expect(await client.call("echo", Buffer.from("hi"))).toEqual({ type: "Buffer", data: [104, 105] });
  });

  test("10 MB return unchanged", async () => {
    serve((data, reply) => reply.end(data));
    const text = "0123456789".repeat(1024 * 1024);
    expect((await client.call("echo", text)) === text).toBe(true);
  });

  test("10,000 partials arrive in order, then the final", async () => {
    serve((count, reply) => {
      for (let part = 0; part < Number(count); part++) reply.write(part);
      reply.end("end");
    });
    const parts = await client.collect("echo", 10_000);
    expect(parts).toEqual([...Array.from({ length: 10_000 }, (_, part) => part), "end"]);
  });

  test("a file can be piped into a reply, in both ways", async () => {
    const file = join(folder, "file.txt");
    writeFileSync(file, "line of text\n".repeat(20_000));
    const read = async (): Promise<string> => {
      const chunks: Buffer[] = [];
      for await (const chunk of client.request<string | { data: number[] }>("echo", file)) {
        chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk.data));
      }
      return Buffer.concat(chunks).toString();
    };
    serve((path, reply) => {
      createReadStream(String(path)).pipe(reply);
    });
    expect(await read()).toBe("line of text\n".repeat(20_000));
    serve((path, reply) => pipeline(createReadStream(String(path)), reply));
    expect(await read()).toBe("line of text\n".repeat(20_000));
  });

  test("a pipeline whose source fails ends as an error at the client", async () => {
    serve((_data, reply) => pipeline(createReadStream(join(folder, "missing")), reply));
    await expect(client.call("echo")).rejects.toMatchObject({ code: "WORKER_FAILED" });
  });

  test("each of 500 concurrent requests gets its own reply", async () => {
    serve((data, reply) => setImmediate(() => reply.end(data)));
    const numbers = Array.from({ length: 500 }, (_, number) => number);
    expect(await Promise.all(numbers.map((number) => client.call("echo", number)))).toEqual(numbers);
  });
});
