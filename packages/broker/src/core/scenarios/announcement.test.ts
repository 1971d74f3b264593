import { expect, test } from "vitest";
import { scenario } from "../testing/scenario.ts";

test("the broker announces an empty directory at the start", () => {
  const sim = scenario({ announces: true });
  sim.step({ type: "start" });
  sim.advance(1);
  expect(sim.announced).toEqual([[]]);
});

test("the broker announces workers that register within the same millisecond together", () => {
  const sim = scenario({ announces: true });
  sim.worker("w1").ready("echo");
  sim.worker("w2").ready("echo");
  sim.worker("w3").ready("sum");
  expect(sim.announced).toEqual([]);
  sim.advance(1);
  expect(sim.announced).toEqual([["echo: w1 w2", "sum: w3"]]);
});

test("the broker no longer announces a worker that leaves, falls silent or breaks the protocol", () => {
  const sim = scenario({ announces: true });
  for (const name of ["stays", "leaves", "silent", "breaks"]) sim.worker(name).ready("echo");
  sim.advance(10);
  sim.worker("leaves").disconnect();
  sim.advance(10);
  sim.violation("breaks", "worker", "P-MSG-1");
  sim.advance(10);
  expect(sim.announced.slice(1)).toEqual([["echo: stays silent breaks"], ["echo: stays silent"]]);
  sim.advance(10_000, { keepAlive: ["stays"] });
  expect(sim.announced.at(-1)).toEqual(["echo: stays"]);
});

test("the broker announces a service only while it has workers, even if requests wait for it", () => {
  const sim = scenario({ announces: true });
  sim.client("c1").request("wanted", "r1", { timeoutMs: Number.POSITIVE_INFINITY });
  sim.worker("w1").ready("echo");
  sim.advance(10);
  sim.worker("w1").disconnect();
  sim.advance(10);
  expect(sim.announced).toEqual([["echo: w1"], []]);
});

test("the broker announces service names such as __proto__ like any other", () => {
  const sim = scenario({ announces: true });
  for (const name of ["__proto__", "constructor", "toString"]) sim.worker(`worker of ${name}`).ready(name);
  sim.advance(1);
  expect(sim.announced[0]).toContain("__proto__: worker of __proto__");
});

test("the broker announces the directory again when a core service asks for it, but not for other services", () => {
  const sim = scenario({ announces: true });
  sim.worker("core").ready("$dir");
  sim.worker("plain").ready("echo");
  sim.advance(10);
  const beat = { type: "heartbeat", concurrency: 100, update: true } as const;
  sim.fromWorker("plain", beat);
  sim.advance(10);
  expect(sim.announced).toHaveLength(1);
  sim.fromWorker("core", beat);
  sim.advance(10);
  expect(sim.announced).toHaveLength(2);
  sim.fromWorker("core", { ...beat, update: false });
  sim.advance(10);
  expect(sim.announced).toHaveLength(2);
});

test("a broker without a directory channel announces nothing", () => {
  const sim = scenario({ announces: false });
  sim.step({ type: "start" });
  sim.worker("w1").ready("echo");
  sim.advance(100);
  expect(sim.announced).toEqual([]);
});

test("the broker announces a thousand workers that register within a second at a bounded rate, and all of them in the end", () => {
  const sim = scenario({ announces: true, isChecked: false });
  const id = "W".padEnd(73, "-");
  for (let number = 0; number < 1_000; number++) {
    sim.worker(`${id}${number}`).ready("echo", { concurrency: 1, heartbeatMs: 60_000 });
    sim.advance(1);
  }
  sim.advance(100);
  const characters = sim.announced.flat().join("").length;
  // One announcement for each worker would be 38 MB.
  expect(characters).toBeLessThan(4_600_000);
  expect(sim.announced.at(-1)?.[0]?.split(" ")).toHaveLength(1_001);
});
