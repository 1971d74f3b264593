import { expect, onTestFinished, test } from "vitest";
import { callHandler } from "./handlers.ts";

test("a handler that throws causes an uncaught exception, and its caller continues", async () => {
  const uncaught: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  const error = new Error("handler");
  let calls = 0;
  callHandler(() => {
    calls += 1;
  });
  callHandler(() => {
    throw error;
  });
  expect([calls, uncaught]).toEqual([1, []]);
  await new Promise(setImmediate);
  expect(uncaught).toEqual([error]);
});
