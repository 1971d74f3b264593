// Kills workers and the broker during requests, and counts the outcomes. The short form is a test; `pnpm chaos` runs the long
// form.

import { Client } from "@pigato/client";
import { spawnBroker, spawnWorker } from "../support/spawn.ts";

export interface Outcome {
  readonly requests: number;
  readonly answered: number;
  /** Failures by code and delivery class. */
  readonly failures: ReadonlyMap<string, number>;
  /** Requests that ended more than once, or with the reply to another request. */
  readonly wrong: number;
}

const FAST = { reconnect: 50 };

/** Sends `requests` with `retry`, kills a worker after a fifth of them, and the broker after two fifths. */
export async function killInTheMiddle(requests: number): Promise<Outcome> {
  let broker = await spawnBroker("--log-level", "fatal");
  const { address } = broker;
  const settings = { address, service: "echo", concurrency: 20, ...FAST };
  const workers = await Promise.all([settings, settings, settings].map((each) => spawnWorker(each)));
  const client = new Client(address, FAST);
  await client.start();

  const ends = new Map<number, number>();
  const failures = new Map<string, number>();
  let answered = 0;
  let wrong = 0;
  let restarted: Promise<void> = Promise.resolve();

  await new Promise<void>((resolve) => {
    const onEnd = (): void => {
      const ended = answered + [...failures.values()].reduce((sum, count) => sum + count, 0);
      if (ended === Math.floor(requests / 5)) workers[0]?.signal("SIGKILL");
      if (ended === Math.floor((requests * 2) / 5)) {
        restarted = broker.kill("SIGKILL").then(async () => {
          broker = await spawnBroker("--bind", address, "--log-level", "fatal");
        });
      }
      if (ended === requests) resolve();
    };
    for (let number = 0; number < requests; number++) {
      client.request(
        "echo",
        number,
        undefined,
        (error, answer) => {
          const times = (ends.get(number) ?? 0) + 1;
          ends.set(number, times);
          if (times > 1 || (!error && answer !== number)) wrong += 1;
          if (times > 1) return;
          if (error) {
            const kind = error.code === "USAGE" ? error.code : `${error.code} ${error.delivery}`;
            failures.set(kind, (failures.get(kind) ?? 0) + 1);
          } else {
            answered += 1;
          }
          onEnd();
        },
        { retry: 1, timeout: 15_000 },
      );
    }
  });

  await restarted;
  await client.stop();
  await Promise.all(workers.map((worker) => worker.kill()));
  await broker.kill("SIGKILL");
  return { requests, answered, failures, wrong };
}
