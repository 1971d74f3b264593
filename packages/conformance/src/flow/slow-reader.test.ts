import { expect, onTestFinished, test } from "vitest";
import { readInSteps, startSlowReading } from "./slow-reader.ts";

test("200 MB that are read in bursts take almost no memory in the broker and the reader, and nothing is lost", async () => {
  const reading = await startSlowReading();
  onTestFinished(() => reading.close());
  const parts = 3_200;
  const outcome = await readInSteps(reading, parts, 400, async () => {});
  expect(outcome).toMatchObject({ read: parts, wrong: 0 });
  // A window of 2 MiB has 32 chunks; the first grant is a number of chunks.
  expect(outcome.mostAhead).toBeLessThanOrEqual(34);
  expect(outcome.brokerMiB).toBeLessThan(200);
  expect(outcome.readerMiB).toBeLessThan(300);
  expect(await reading.requester.request("ask", 100)).toMatchObject({ answered: expect.any(Number) });
}, 60_000);
