// Descriptions of a service by a hostile host: what `client.describe()` returns has the form that its type promises, or is refused.

import { expect, test } from "vitest";
import { startClient } from "../support/start.ts";
import { rawWorker, startWitnessed } from "./witness.ts";

const METHOD = '"name":"run","kind":"unary","idempotent":false,"errors":{}';

function described(method: string): string {
  return `{"service":"hostile","host":"h","methods":[{${method}}]}`;
}

const deep = (levels: number): string => `${'{"items":'.repeat(levels)}{}${"}".repeat(levels)}`;

test.each([
  ["of 2 MB", described(`${METHOD},"input":{"description":"${"x".repeat(2_000_000)}"}`)],
  ["with a reference to itself", described(`${METHOD},"input":{"$ref":"#","$defs":{"a":{"$ref":"#/$defs/a"}}}`)],
  ["with names of properties of every object", described(`${METHOD},"input":{"__proto__":{"a":1},"constructor":1}`)],
  ["of 100,000 levels", described(`${METHOD},"input":${deep(100_000)}`)],
  ["with 20,000 methods", `{"service":"hostile","host":"h","methods":[${`{${METHOD}},`.repeat(20_000)}{${METHOD}}]}`],
])("a description %s is returned as it is, and harms nothing", async (_what, body) => {
  const { address, during } = await startWitnessed();
  const worker = await rawWorker(address, "hostile", "methods");
  const client = await startClient(address);
  const description = await during(async () => {
    const asked = client.describe("hostile");
    await answer(worker, body);
    return asked;
  });
  expect(description.methods[0]).toMatchObject({ name: "run", kind: "unary", errors: {} });
  expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
});

test.each([
  ["null", "null"],
  ["text", '"hostile"'],
  ["an array", "[]"],
  ["methods that are an object", '{"service":"hostile","host":"h","methods":{"length":1}}'],
  ["a method without errors", described('"name":"run","kind":"unary","idempotent":true')],
  ["a kind that is none", described('"name":"run","kind":"toString","idempotent":true,"errors":{}')],
  ["a schema that is text", described(`${METHOD},"input":"${"x".repeat(100_000)}"`)],
  ["fields of the prototype", '{"__proto__":{"service":"hostile","host":"h","methods":[]}}'],
])("%s is no description", async (_what, body) => {
  const { address, during } = await startWitnessed();
  const worker = await rawWorker(address, "hostile", "methods");
  const client = await startClient(address);
  await during(async () => {
    const refused = expect(client.describe("hostile")).rejects.toMatchObject({
      name: "UsageError",
      message: expect.stringContaining("is no host"),
    });
    await answer(worker, body);
    await refused;
  });
});

async function answer(worker: Awaited<ReturnType<typeof rawWorker>>, body: string): Promise<void> {
  const [, , token = "", , , id = ""] = await worker.receive("W", "2");
  await worker.send("W", "3", token, "", id, "0", body);
}
