// Clients that know nothing of methods call those of a host: they send the method with the data.

import { Host, service, unary } from "@pigato/service";
import { expect, onTestFinished, test } from "vitest";
import { LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient } from "../classic/peers.ts";
import { newClient } from "../dialects/peers.ts";
import { connectRawPeer, LOOPBACK, startBroker, startClient } from "../support/start.ts";

const MATH = service("math", { square: unary<number, number>() });

/** The addresses of a broker, by the dialects that they need. */
async function startHost(): Promise<{ readonly address: string; readonly omdp: string; readonly butler: string }> {
  const binds = [LOOPBACK, { address: LOOPBACK, dialect: "omdp" }, { address: LOOPBACK, dialect: "butler" }] as const;
  const { addresses } = await startBroker({}, binds);
  const [address = "", omdp = "", butler = ""] = addresses;
  const host = new Host(address, { stopTimeoutMs: 0 });
  host.serve(MATH, { square: (number) => number * number });
  host.register("math", (...args: readonly unknown[]) => args, "list");
  onTestFinished(() => host.stop());
  await host.start();
  return { address, omdp, butler };
}

test("a client of npm pigato calls a method of a host", async () => {
  const { address } = await startHost();
  const process = await LibraryProcess.start("classic");
  onTestFinished(() => process.kill());
  const client = await startClassicClient(process, { address });
  const request = (data: unknown, options = {}) => client.request("math", data, options);
  expect(await request({ method: "square", args: [7], kwargs: {} })).toMatchObject({ final: 49, error: undefined });
  expect(await request(7, { method: "square" })).toMatchObject({ final: 49, error: undefined });
  expect(await request({ method: "list", args: [1], kwargs: { by: 2 } })).toMatchObject({ final: [1, { by: 2 }] });
  const refused = { code: "UNIMPLEMENTED", message: 'service "math" has no method "cube": it has square, list' };
  expect(await request({ method: "cube", args: [] })).toMatchObject({ error: refused });
});

test.each(["mdp01", "mdp02", "omdp", "butler"] as const)(
  "a client of the dialect %s calls a method of a host",
  async (dialect) => {
    const { address, omdp, butler } = await startHost();
    const client = newClient(dialect, dialect === "omdp" ? omdp : dialect === "butler" ? butler : address);
    onTestFinished(() => client.close());
    await client.request("math", JSON.stringify({ method: "square", args: [7], kwargs: {} }));
    expect(await client.receive()).toEqual({ kind: "final", body: ["49"] });
  },
);

test.each(["mdp01", "mdp02", "omdp"] as const)(
  "D-PEER-3: our client in the dialect %s calls methods of a host",
  async (dialect) => {
    const { address, omdp } = await startHost();
    const client = await startClient(dialect === "omdp" ? omdp : address, { dialect });
    expect(await client.of(MATH).square(7)).toBe(49);
    expect(await client.rpc<{ list(...args: readonly number[]): readonly number[] }>("math").list(1, 2)).toEqual([
      1, 2,
    ]);
  },
);

test("a peer that names anything but text as the method gets an error, and the host serves on", async () => {
  const { address } = await startHost();
  const peer = connectRawPeer(address);
  const hostile = ["5", "null", "[]", '{"toString":1}', '""', `"${"m".repeat(60_000)}"`, '"__proto__"', '"\\u0000"'];
  for (const [index, method] of hostile.entries()) {
    await peer.send("C", "2", "math", `r${index}`, "7", `{"method":${method}}`);
    const [, , , , status, body = ""] = await peer.receive("C", "3", "", `r${index}`);
    expect([method, status]).toEqual([method, "-1"]);
    expect(body.length).toBeLessThan(300);
  }
  const client = await startClient(address);
  expect(await client.of(MATH).square(3)).toBe(9);
});
