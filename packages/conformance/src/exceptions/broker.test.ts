// A broker whose listeners throw, in a process that survives uncaught exceptions: it goes on serving.

import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { SubjectProcess } from "./subject-process.ts";

test("a broker serves requests after a listener of worker:join has thrown", async () => {
  const subject = await SubjectProcess.open({ kind: "broker", events: ["worker:join"], address: "tcp://127.0.0.1:*" });
  const address = String(await subject.run("start"));
  const worker = new Worker(address, "echo");
  onTestFinished(() => worker.stop());
  worker.on("request", (data, reply) => reply.end(data));
  await worker.start();
  const client = new Client(address);
  onTestFinished(() => client.stop());
  await client.start();
  expect(await client.call("echo", "hi", { timeout: 5_000 })).toBe("hi");
  await subject.thrown("worker:join");
});
