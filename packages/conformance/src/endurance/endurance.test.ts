// The short form of `pnpm endurance`. Fails above half a kilobyte per request, which is far more than random variation.

import { afterEach, expect, test } from "vitest";
import { Endurance, type Round, wrongEnds } from "./endurance.ts";
import { slopeOf } from "./slope.ts";

const WARM_UP = 2;
const ROUNDS = 4;
/** So many requests that the idle buffers which a link may keep, 4 MiB in all, do not look like what requests leave behind. */
const LOAD = { count: 6_000, perSecond: 5_000, replaced: 7 };
/** Bytes that a request may appear to leave behind: far more than random variation and compiled code, about 60. */
const SCATTER = 400;

let endurance: Endurance | undefined;
afterEach(() => endurance?.stop());

test("a mixed load leaks no memory in the broker, its workers and its clients", async () => {
  endurance = await Endurance.start();
  for (let round = 0; round < WARM_UP; round++) await endurance.round(LOAD);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await endurance.round(LOAD));

  expect(rounds.flatMap(wrongEnds)).toEqual([]);
  for (const { tables } of rounds) {
    expect(tables).toMatchObject({ open: 0, inFlight: 0, heldReplies: 0, clients: 4, services: 7 });
  }
  for (const name of ["broker", "workers", "clients"]) {
    const samples = rounds.map(({ requests, memory }) => ({ at: requests, value: memory.get(name)?.live ?? 0 }));
    expect(slopeOf(samples).perUnit, `bytes that each request leaves in the ${name}`).toBeLessThan(SCATTER);
  }
}, 180_000);
