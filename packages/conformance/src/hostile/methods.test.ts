// Names of methods that are names of properties, too long, or of another form: from the client's API, and from raw peers.

import { Host, service, unary } from "@pigato/service";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRawPeer, startClient } from "../support/start.ts";
import { endOf, rawClient, startWitnessed, TRANSPORTS, type Witnessed } from "./witness.ts";

const MATH = service("math", { double: unary<number, number>() });
const PROPERTIES = ["__proto__", "constructor", "then", "toString", "hasOwnProperty", "toJSON"];
const LONG = "m".repeat(65_536);

async function startHost(options: Parameters<typeof startWitnessed>[0]): Promise<Witnessed> {
  const running = await startWitnessed(options);
  const host = new Host(running.address, { stopTimeoutMs: 0 });
  onTestFinished(() => host.stop());
  host.serve(MATH, { double: (value) => value * 2 });
  host.register("plain", { double: (value: number) => value * 2 });
  await host.start();
  return running;
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a raw client that names a property of every object is refused with UNIMPLEMENTED", async () => {
    const { address, during } = await startHost({ transport });
    const raw = await rawClient(address, "methods error");
    await during(async () => {
      for (const [index, method] of [...PROPERTIES, "$proto", "double "].entries()) {
        for (const name of ["math", "plain"]) {
          const ids = [`${name} options ${index}`, `${name} body ${index}`] as const;
          await raw.send("C", "2", name, ids[0], "1", JSON.stringify({ method }));
          await raw.send("C", "2", name, ids[1], `{"args":[1],"kwargs":{},"method":${JSON.stringify(method)}}`, "{}");
          for (const id of ids) {
            expect(await endOf(raw, id)).toMatchObject({
              status: "-1",
              value: { code: "UNIMPLEMENTED", delivery: "dispatched", message: expect.stringContaining("double") },
            });
          }
        }
      }
    });
  });

  test("a raw client that names a method of 64 KB is refused, in the options and in the body", async () => {
    const { address, during, violations } = await startHost({ transport });
    const raw = await rawClient(address, "methods error");
    await during(async () => {
      await raw.send("C", "2", "math", "too long", "1", JSON.stringify({ method: LONG.slice(0, 65_000) }));
      await raw.send("C", "2", "math", "too large", "1", JSON.stringify({ method: LONG }));
      await raw.send("C", "2", "math", "in the body", JSON.stringify({ method: LONG, args: [1] }), "{}");
      for (const id of ["too long", "too large"])
        expect(await endOf(raw, id)).toMatchObject({ value: { code: "INVALID", delivery: "not-sent" } });
      const { value } = await endOf(raw, "in the body");
      expect(value).toMatchObject({ code: "UNIMPLEMENTED" });
      expect(JSON.stringify(value).length).toBeLessThan(1_000);
    });
    expect(violations.map(({ clause }) => clause)).toEqual(["P-REQ-4"]);
  });
});

test("a million arguments fail their request alone", async () => {
  const { address, during } = await startHost({});
  const raw = connectRawPeer(address);
  await during(async () => {
    const args = `[${"1,".repeat(1_000_000)}1]`;
    await raw.send("C", "2", "plain", "r1", `{"method":"double","args":${args}}`, "{}");
    expect((await endOf(raw, "r1")).status).toMatch(/^(0|-1)$/);
  });
});

test("the client finds no property in place of a method, and sends no method that is none", async () => {
  const { address, during } = await startHost({});
  const client = await startClient(address);
  const functions = client.rpc("plain");
  // A proxy with a method `then` would never resolve.
  expect(await Promise.resolve(functions)).toBe(functions);
  for (const name of [...PROPERTIES, LONG, "", "a\0b"]) {
    expect([name.slice(0, 20), Reflect.get(functions, name)]).toEqual([name.slice(0, 20), undefined]);
    expect(Reflect.get(client.of(MATH), name)).toBeUndefined();
  }
  await during(async () => {
    for (const method of [LONG, "", "a\0b", "a\nb"])
      await expect(client.call("plain", [1], { method, args: true })).rejects.toMatchObject({ name: "UsageError" });
    for (const method of PROPERTIES) {
      const called = client.call("plain", [1], { method, args: true });
      await expect(called).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
    }
  });
});
