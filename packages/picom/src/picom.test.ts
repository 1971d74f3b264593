// Instances of Picom that call each other through the broker that one of them runs.

import { once } from "node:events";
import { createServer } from "node:net";
import { Readable } from "node:stream";
import { Worker } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import type { PicomOptions } from "./options.ts";
import { Picom, type PicomMethod } from "./picom.ts";

/** A port that nothing listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function newPicom(name: string, options: PicomOptions): Picom {
  const picom = new Picom(name, options);
  onTestFinished(() => picom.end());
  return picom;
}

async function exposed(methods: Readonly<Record<string, PicomMethod>>): Promise<Picom> {
  const port = await freePort();
  const server = newPicom("service1", { port });
  await server.expose(methods);
  return newPicom("service2", { port });
}

const add: PicomMethod = (args, _inStream, outStream) => {
  const { a, b } = Object(args);
  outStream.end(Number(a) + Number(b));
};

describe("an instance", () => {
  test("calls a method of another one", async () => {
    const picom = await exposed({ add });
    expect(await picom.fetch({ service: "service1", cmd: "add" }, { a: 2, b: 5 })).toBe(7);
    const chunks: unknown[] = [];
    for await (const chunk of picom.stream({ service: "service1", cmd: "add" }, { a: 2, b: 5 }).stream())
      chunks.push(chunk);
    expect(chunks).toEqual([7]);
  });

  test("fetches one value, or with multiple all of them", async () => {
    const picom = await exposed({
      list(_args, _inStream, outStream) {
        Readable.from([1, 2, 3]).pipe(outStream);
      },
      none: (_args, _inStream, outStream) => outStream.end(),
    });
    expect(await picom.fetch({ service: "service1", cmd: "list", multiple: true })).toEqual([1, 2, 3]);
    expect(await picom.fetch({ service: "service1", cmd: "list" })).toBe(3);
    expect(await picom.fetch({ service: "service1", cmd: "none", multiple: true })).toEqual([]);
  });

  test("sends what MessagePack carries, in both directions", async () => {
    const picom = await exposed({ echo: (args, _inStream, outStream) => outStream.end(args) });
    const value = { at: new Date(5), bytes: Buffer.from("b"), map: new Map([["a", 1n]]), _type_: "end" };
    expect(await picom.fetch({ service: "service1", cmd: "echo" }, value)).toEqual(value);
  });

  test("streams values to a method, which streams others", async () => {
    const picom = await exposed({
      async double(args, inStream, outStream) {
        for await (const value of inStream) outStream.write(Number(value) * Number(args));
        outStream.end();
      },
      pipe: (_args, inStream, outStream) => void inStream.pipe(outStream),
      count: async (_args, inStream) => (await inStream.toArray()).length,
    });
    const stream = picom.stream({ service: "service1", cmd: "double" }, 2, Readable.from([1, 2, 3]));
    expect(await stream.toArray()).toEqual([2, 4, 6]);
    const target = { service: "service1", cmd: "pipe", multiple: true };
    expect(await picom.fetch(target, undefined, [{ _type_: "end" }, new Date(5)])).toEqual([
      { _type_: "end" },
      new Date(5),
    ]);
    expect(await picom.fetch({ service: "service1", cmd: "count" }, null, Readable.from(["a", "b"]))).toBe(2);
    expect(await picom.fetch({ service: "service1", cmd: "count" })).toBe(0);
  });

  test("exposes methods and calls its own", async () => {
    const port = await freePort();
    const picom = newPicom("both", { port });
    await picom.expose({ add });
    await picom.expose({ sub: (args, _inStream, outStream) => outStream.end(args) });
    expect(await picom.fetch({ service: "both", cmd: "add" }, { a: 1, b: 1 })).toBe(2);
    expect(await picom.fetch({ service: "both", cmd: "sub" }, "x")).toBe("x");
  });

  test("calls a method that is exposed later", async () => {
    const port = await freePort();
    const client = newPicom("client", { port });
    const sum = client.fetch({ service: "late", cmd: "add" }, { a: 3, b: 4 });
    await newPicom("late", { port }).expose({ add });
    expect(await sum).toBe(7);
  });

  test("uses a broker that the option names", async () => {
    const port = await freePort();
    const first = newPicom("first", { port });
    await first.expose({ add });
    const second = newPicom("second", { broker: `tcp://127.0.0.1:${port}` });
    expect(await second.fetch({ service: "first", cmd: "add" }, { a: 1, b: 2 })).toBe(3);
  });

  test.each([0, 2])(
    "sends a request again that no method has executed, as often as retries says: %i",
    async (retries) => {
      const port = await freePort();
      const caller = newPicom("caller", { port, retries });
      const failed = caller.fetch({ service: "busy", cmd: "add" });
      const worker = new Worker(`tcp://127.0.0.1:${port}`, "busy", { methods: true });
      onTestFinished(() => worker.stop());
      let attempts = 0;
      worker.on("request", (_data, reply) => {
        attempts += 1;
        reply.reject("busy");
      });
      await worker.start();
      await expect(failed).rejects.toMatchObject({ code: "REJECTED" });
      expect(attempts).toBe(retries + 1);
    },
  );

  test("takes over when the instance that runs the broker ends", async () => {
    const port = await freePort();
    const first = newPicom("first", { port });
    await first.expose({ add });
    const second = newPicom("second", { port });
    await second.expose({ add });
    const third = newPicom("third", { port });
    expect(await third.fetch({ service: "second", cmd: "add" }, { a: 1, b: 2 })).toBe(3);
    await first.end();
    expect(await third.fetch({ service: "second", cmd: "add" }, { a: 2, b: 2 })).toBe(4);
  });
});

describe("a failure", () => {
  test.each<[string, PicomMethod]>([
    [
      "an exception",
      () => {
        throw new TypeError("no such user");
      },
    ],
    ["a rejection", () => Promise.reject(new TypeError("no such user"))],
    ["a stream that fails", (_args, _in, out) => void Readable.from(fail()).pipe(out)],
  ])("of a method is an error with its service: %s", async (_what, method) => {
    const port = await freePort();
    await newPicom("users", { port, logger: false }).expose({ find: method });
    const picom = newPicom("client", { port });
    await expect(picom.fetch({ service: "users", cmd: "find" })).rejects.toMatchObject({
      name: "PicomError",
      message: "[users] no such user",
      code: "WORKER_FAILED",
    });
    const stream = picom.stream({ service: "users", cmd: "find" });
    await expect(once(stream.resume(), "end")).rejects.toMatchObject({ message: "no such user" });
  });

  test("is an error for a method that does not exist, and names those that do", async () => {
    const picom = await exposed({ add });
    for (const cmd of ["sub", "toString", "__proto__"]) {
      await expect(picom.fetch({ service: "service1", cmd })).rejects.toMatchObject({
        message: `[service1] service "service1" has no method "${cmd}": it has add`,
      });
    }
  });

  test.each<[string, () => unknown, string]>([
    ["no function", () => new Picom("a").expose({}), "expose() needs an object with at least one function"],
    ["Consul", () => new Picom("a", Object.fromEntries([["consulHost", "localhost"]])), 'the option "broker"'],
    ["an option", () => new Picom("a", { ttl: 0 }), "ttl must be an integer from 1"],
    ["a broker", () => new Picom("a", { broker: "here" }), "broker must be text such as"],
    ["a name", () => new Picom(""), "the service must be text"],
    ["a target", () => new Picom("a").stream({ service: "b", cmd: Object(undefined) }), "{ service, cmd }"],
  ])("is a UsageError for %s that cannot be used", (_what, use, message) => {
    expect(use).toThrow(message);
  });
});

async function* fail(): AsyncGenerator<number> {
  yield 1;
  throw new TypeError("no such user");
}
