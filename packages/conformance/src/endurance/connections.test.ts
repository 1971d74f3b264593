// The short form of `pnpm endurance connections`. One client is the test's own, and two workers are directories.

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { connectMany } from "./connections.ts";

const openFiles = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" });
/** As many connections as one process of this machine may have. */
const wanted = Number(openFiles) < 7_000 ? { clients: 500, workers: 100 } : { clients: 5_000, workers: 1_000 };

test("one broker serves thousands of clients and workers, and the directories list all of them", async () => {
  const { answered, wrong, tables, directories, perConnection } = await connectMany(wanted);
  expect(answered).toBe(wanted.clients);
  expect(wrong).toBe(0);
  expect(tables).toMatchObject({ clients: wanted.clients + 1, workers: wanted.workers + 2, open: 0 });
  expect(directories).toEqual([true, true]);
  expect(perConnection.live).toBeLessThan(50_000);
}, 180_000);
