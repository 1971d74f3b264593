import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("a queue returns items in the order in which they were added, however pushes and shifts alternate", () => {
  const fifo = new Fifo<{ readonly id: number }>();
  let pushed = 0;
  let shifted = 0;
  for (let round = 1; round <= 60; round++) {
    for (let count = 0; count < round; count++) fifo.push({ id: pushed++ });
    for (let count = 0; count < round - (round % 3); count++) expect(fifo.shift()?.id).toBe(shifted++);
    expect(fifo.length).toBe(pushed - shifted);
  }
  while (fifo.length > 0) expect(fifo.shift()?.id).toBe(shifted++);
  expect(shifted).toBe(pushed);
  expect(fifo.shift()).toBeUndefined();
});

test("a queue that is cleared is empty and can be used again", () => {
  const fifo = new Fifo<{ readonly id: number }>();
  for (let id = 0; id < 5_000; id++) fifo.push({ id });
  fifo.clear();
  expect([fifo.length, fifo.shift()]).toEqual([0, undefined]);
  fifo.push({ id: 1 });
  expect(fifo.shift()).toEqual({ id: 1 });
});
