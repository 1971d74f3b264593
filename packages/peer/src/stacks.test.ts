import { expect, test } from "vitest";
import { rejectionFor, withCurrentStack, withStackOf } from "./stacks.ts";

async function awaitsRejection(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(() => resolve(rejectionFor(madeElsewhere()))));
}

function madeElsewhere(): Error {
  return new TypeError("boom");
}

test("the stack of a rejection shows the functions that await it", async () => {
  const error: unknown = await awaitsRejection().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ message: "boom", stack: expect.stringContaining("awaitsRejection") });
  expect(error).not.toMatchObject({ stack: expect.stringContaining("madeElsewhere") });
});

test("an error gets the stack of a call, with its own name and message", () => {
  const error = withCurrentStack(madeElsewhere());
  expect(error.stack).toMatch(/^TypeError: boom\n/);
  expect(error.stack).not.toContain("madeElsewhere");
});

test("an error gets the stack of an earlier error", () => {
  const site = madeElsewhere();
  const error = withStackOf(site, new RangeError("too far"));
  expect(error.stack).toMatch(/^RangeError: too far\n/);
  expect(error.stack).toContain("madeElsewhere");
});

test("an error keeps its own stack if that of the other is no text", () => {
  const site = Object.assign(new Error(), { stack: undefined });
  const error = withStackOf(site, madeElsewhere());
  expect(error.stack).toContain("madeElsewhere");
});
