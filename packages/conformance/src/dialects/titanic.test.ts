// The client flow of RFC 9 with a Titanic worker written for this test. From the broker it needs only Majordomo and a correct
// `mmi.service`.

import type { RawPeer } from "@pigato/testkit/raw-peer";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Form, VERSIONS } from "./forms.ts";
import { addressIn, registered, startDialectBroker } from "./start.ts";
import { Titanic } from "./titanic.ts";

describe.each(VERSIONS)("Titanic in $name", (form) => {
  test("D-MMI-3: keeps a request until its service has a worker, and the reply until it is closed", async () => {
    const running = await startDialectBroker();
    const titanic = new Titanic(running.address, form);
    onTestFinished(() => titanic.close());
    const client = running.connect();
    const [status, id = ""] = await ask(client, form, "titanic.request", "echo", "one", "", "two");
    expect(status).toBe("200");
    expect(id).toMatch(/^[0-9A-Fa-f]{32}$/);
    expect(await ask(client, form, "titanic.reply", id)).toEqual(["300"]);
    // The service has no worker. If the broker answered 200, the request would wait forever.
    expect(await titanic.work()).toBe(0);
    expect(await ask(client, form, "titanic.reply", id)).toEqual(["300"]);

    const worker = await registered(running, form, "echo");
    const working = titanic.work();
    const request = await worker.next();
    expect(request.slice(form.worker.request.length + 2)).toEqual(["one", "", "two"]);
    await worker.send(...form.worker.final, addressIn(request, form), "", "done", "");
    expect(await working).toBe(1);

    for (let time = 0; time < 2; time++) {
      expect(await ask(client, form, "titanic.reply", id)).toEqual(["200", "done", ""]);
    }
    expect(await ask(client, form, "titanic.close", id)).toEqual(["200"]);
    expect(await ask(client, form, "titanic.close", id)).toEqual(["200"]);
    expect(await ask(client, form, "titanic.reply", id)).toEqual(["400"]);
  });
});

async function ask(client: RawPeer, form: Form, service: string, ...body: readonly string[]): Promise<string[]> {
  await client.send(...form.request, service, ...body);
  const head = form.final(service);
  const reply = await client.next();
  expect(reply.slice(0, head.length)).toEqual(head);
  return reply.slice(head.length);
}
