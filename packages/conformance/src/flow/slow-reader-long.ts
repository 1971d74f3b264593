// The long form: `pnpm slow-reader [gigabytes, default 10] [megabytes per second, default 40]`. Fails if the broker uses more
// than 200 MiB, if a chunk is lost, or if the latency of other requests doubles.

import { setTimeout as pause } from "node:timers/promises";
import { type Latency, PART_BYTES, readInSteps, startSlowReading } from "./slow-reader.ts";

const bytes = Number(process.argv[2] ?? 10) * 1e9;
const bytesPerSecond = Number(process.argv[3] ?? 40) * 1e6;
const STEPS_PER_SECOND = 10;
const BASELINE_MS = 20_000;

const reading = await startSlowReading();
const { requester } = reading;
try {
  await requester.request<Latency>("ask", 2_000);
  const before = await requester.request<Latency>("ask", BASELINE_MS);
  console.log(`without: ${text(before)}`);

  const parts = Math.round(bytes / PART_BYTES);
  const step = Math.max(1, Math.round(bytesPerSecond / PART_BYTES / STEPS_PER_SECOND));
  const start = performance.now();
  const meanwhile: Latency[] = [];
  let isReading = true;
  const asking = (async () => {
    while (isReading) meanwhile.push(await requester.request<Latency>("ask", BASELINE_MS));
  })();
  let steps = 0;
  const outcome = await readInSteps(reading, parts, step, async ({ read, ahead, brokerMiB, readerMiB }) => {
    const due = start + (steps * 1_000) / STEPS_PER_SECOND;
    if (steps % (30 * STEPS_PER_SECOND) === 0) {
      const gigabytes = (read * PART_BYTES) / 1e9;
      console.log(
        `${gigabytes.toFixed(2)} GB read, ${ahead} parts ahead; broker ${brokerMiB.toFixed(0)} MiB, reader ${readerMiB.toFixed(0)} MiB`,
      );
    }
    steps += 1;
    await pause(Math.max(0, due - performance.now()));
  });
  const seconds = (performance.now() - start) / 1_000;
  isReading = false;
  await asking;

  const p99s = meanwhile.map(({ p99Ms }) => p99Ms).sort((left, right) => left - right);
  const p99 = p99s[Math.floor(p99s.length / 2)] ?? 0;
  for (const latency of meanwhile) console.log(`meanwhile: ${text(latency)}`);
  console.log(
    `${outcome.read} of ${parts} parts read in ${seconds.toFixed(0)} s, ${outcome.wrong} wrong; at most ${outcome.mostAhead} parts ahead, ` +
      `broker ${outcome.brokerMiB.toFixed(0)} MiB, reader ${outcome.readerMiB.toFixed(0)} MiB; ` +
      `p99 of the others ${p99.toFixed(2)} ms, ${(p99 / before.p99Ms).toFixed(2)} times that without`,
  );
  const isFine = outcome.read === parts && outcome.wrong === 0 && outcome.brokerMiB < 200 && p99 < 2 * before.p99Ms;
  process.exitCode = isFine ? 0 : 1;
} finally {
  await reading.close();
}

function text({ answered, medianMs, p99Ms }: Latency): string {
  return `${answered} questions answered, median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
}
