import { expect, onTestFinished, test } from "vitest";
import { spawnWorker } from "../support/spawn.ts";
import { startBroker, startClient } from "../support/start.ts";
import { killInTheMiddle } from "./killing.ts";

test("1,000 requests with retry survive the death of a worker and of the broker, and each ends once", async () => {
  const { requests, answered, failures, wrong } = await killInTheMiddle(1_000);
  expect(wrong).toBe(0);
  expect(answered + [...failures.values()].reduce((sum, count) => sum + count, 0)).toBe(requests);
  expect([...failures]).toEqual([]);
}, 60_000);

test("a worker that is frozen by SIGSTOP expires within its liveness, and its request goes to another worker", async () => {
  const heartbeat = 200;
  const { broker, address } = await startBroker({ heartbeat });
  const frozen = await spawnWorker({ address, service: "echo", heartbeat, holds: true });
  onTestFinished(() => void frozen.kill());
  const client = await startClient(address, { heartbeat });

  const answer = client.call("echo", "saved", { retry: 1, timeout: 20_000 });
  await expect.poll(() => broker.stats()?.inFlight).toBe(1);
  const other = await spawnWorker({ address, service: "echo", heartbeat });
  onTestFinished(() => void other.kill());

  const start = performance.now();
  frozen.signal("SIGSTOP");
  const [{ reason }] = await new Promise<[{ reason: string }]>((resolve) => {
    broker.once("worker:leave", (event) => resolve([event]));
  });
  const noticedAfter = performance.now() - start;
  expect(reason).toBe("silent");
  expect(await answer).toBe("saved");
  // Three intervals of silence since its last heartbeat, and a margin for a loaded machine.
  expect(noticedAfter).toBeLessThan(3 * heartbeat + 1_000);
  frozen.signal("SIGCONT");
});
