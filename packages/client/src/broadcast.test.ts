import { RequestError, UsageError } from "@pigato/protocol";
import { expect, test } from "vitest";
import { type Ask, Broadcast } from "./broadcast.ts";

test("P-FAIL-7: a worker that lacks what a broadcast needs fails alone, and other misuse fails the broadcast", async () => {
  const failure = new RequestError({ code: "INVALID", message: "its worker", delivery: "queued" });
  const errors = new Map([["old", new UsageError("its worker does not support duplex", { cause: failure })]]);
  const ask: Ask = async (service, _data, { workerId = "" }) => {
    const error = errors.get(workerId);
    if (error !== undefined) throw error;
    return JSON.parse(service === "$dir" ? '["new","old"]' : "1");
  };
  const request = { service: "echo", data: 1, signal: undefined };
  expect(await new Broadcast(ask, request, {}).all()).toEqual([
    { worker: "new", data: 1 },
    { worker: "old", error: failure },
  ]);
  errors.set("new", new UsageError("a value that JSON loses"));
  await expect(new Broadcast(ask, request, {}).all()).rejects.toThrow("a value that JSON loses");
});
