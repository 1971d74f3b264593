// Brokers in the processes of a `node:cluster`, where Node shares a listening socket among all that bind its address.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("./cluster-main.ts", import.meta.url));

interface Start {
  readonly address?: string;
  readonly code?: string;
}

async function startCluster(address: string): Promise<Start[]> {
  const cluster = PeerProcess.node(PROGRAM, [address]);
  onTestFinished(() => void cluster.kill());
  await cluster.ready(cluster.receive());
  return cluster.request<Start[]>("start");
}

test("in a cluster, a tcp address has one broker, and each free port is another one", async () => {
  const [first, second, third] = await startCluster("tcp://127.0.0.1:*");
  expect(first?.address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  expect(second).toEqual({ code: "ADDRESS_IN_USE" });
  expect(third?.address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  expect(third?.address).not.toBe(first?.address);
}, 60_000);

test("in a cluster, an ipc path has one broker", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pigato-cluster-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const address = `ipc://${join(folder, "broker.sock")}`;
  expect(await startCluster(address)).toEqual([{ address }, { code: "ADDRESS_IN_USE" }, { code: "ADDRESS_IN_USE" }]);
}, 60_000);
