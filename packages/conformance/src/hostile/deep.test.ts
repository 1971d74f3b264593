// Data of 200,000 levels, which JSON.parse reads and nothing that recurs can handle: it fails its request, in whatever hands it comes.

import { Host, service, unary } from "@pigato/service";
import { expect, onTestFinished, test } from "vitest";
import { FORMS } from "../dialects/forms.ts";
import { connectRawPeer, startClient, startWorker } from "../support/start.ts";
import { endOf, rawClient, rawWorker, startWitnessed } from "./witness.ts";

const DEEP = "[".repeat(200_000) + "]".repeat(200_000);

test("a worker and a host that return, throw or check deep data fail its request alone", async () => {
  const { address, during } = await startWitnessed();
  await startWorker(address, "echo", (data) => data, { logger: false });
  const host = new Host(address, { stopTimeoutMs: 0, logger: false });
  onTestFinished(() => host.stop());
  const fail = (detail: unknown): never => {
    throw Object.assign(new Error("failed"), { detail, field: detail });
  };
  host.register("plain", { echo: (data: unknown) => data, fail });
  const check = (value: unknown): { readonly value: unknown } => ({ value: JSON.parse(JSON.stringify(value)) });
  const input = { "~standard": { version: 1, vendor: "test", validate: check } } as const;
  host.serve(service("typed", { run: unary({ input }) }), { run: () => 1 });
  await host.start();
  const raw = await rawClient(address, "methods error");
  await during(async () => {
    for (const [name, options] of [
      ["echo", "{}"],
      ["plain", '{"method":"echo"}'],
      ["plain", '{"method":"fail"}'],
      ["typed", '{"method":"run"}'],
    ] as const) {
      const id = `${name} ${options}`;
      await raw.send("C", "2", name, id, DEEP, options);
      expect([id, (await endOf(raw, id)).status]).toEqual([id, "-1"]);
    }
  });
});

test("a client reads a deep reply, and a handler that passes on its failure fails its own request", async () => {
  const { address, during } = await startWitnessed();
  const worker = await rawWorker(address, "hostile", "cancel");
  const host = new Host(address, { stopTimeoutMs: 0, logger: false });
  onTestFinished(() => host.stop());
  host.serve(service("nesting", { run: unary<number, unknown>() }), {
    run: (_input, ctx) => ctx.client.call("hostile", 1),
  });
  await host.start();
  const client = await startClient(address);
  const reply = async (status: string): Promise<void> => {
    const [, , token = "", , , id = ""] = await worker.receive("W", "2");
    await worker.send("W", "3", token, "", id, status, DEEP);
  };
  await during(async () => {
    const called = client.call("hostile", 1);
    await reply("0");
    expect(Array.isArray(await called)).toBe(true);
    for (const status of ["0", "-1"]) {
      const failed = expect(client.call("nesting", 1, { method: "run" })).rejects.toMatchObject({
        name: "RequestError",
      });
      await reply(status);
      await failed;
    }
  });
});

test.each(FORMS.slice(0, 2))("a client and a worker of $name pass deep data on", async ({ request, final, worker }) => {
  const { address, during } = await startWitnessed();
  await startWorker(address, "echo", () => "seen");
  const foreign = connectRawPeer(address);
  await during(async () => {
    await foreign.send(...request, "echo", DEEP);
    expect((await foreign.receive(...final("echo").slice(0, 2))).at(-1)).toBe('"seen"');
  });
  const server = connectRawPeer(address);
  await server.send(...worker.ready, "mdp");
  const raw = await rawClient(address, "error");
  await during(async () => {
    await raw.send("C", "2", "mdp", "r1", DEEP, "{}");
    const received = await server.receive(...worker.request);
    expect(received.at(-1)).toBe(DEEP);
    await server.send(...worker.final, received[worker.request.length] ?? "", "", DEEP);
    expect(await endOf(raw, "r1")).toMatchObject({ status: "0" });
  });
});
