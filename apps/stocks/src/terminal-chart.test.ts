import { expect, test } from "vitest";
import { terminalChart } from "./terminal-chart.ts";

const SIZE = { columns: 60, lines: 10 };

test("a rise goes from the lower left to the upper right", () => {
  const lines = terminalChart([1, 2, 3, 4, 5, 6, 7, 8], SIZE).split("\n");
  expect(lines).toHaveLength(10);
  expect(lines[0]).toMatch(/8\.00 ┤ +╭ *$/);
  expect(lines.at(-1)).toMatch(/1\.00 ┼╯ *$/);
});

test.each([[0], [1], [2], [47], [48], [49], [5000]])("%i prices fit", (count) => {
  const prices = Array.from({ length: count }, (_, at) => 100 + Math.sin(at / 9) * 10);
  for (const line of terminalChart(prices, SIZE).split("\n")) expect(line.length).toBeLessThanOrEqual(SIZE.columns);
});

test("with more prices than columns the last one is shown", () => {
  const prices = [...Array.from({ length: 999 }, () => 1), 50];
  expect(terminalChart(prices, SIZE)).toContain("50.00");
});

test("constant prices and a terminal without a size do not fail", () => {
  expect(terminalChart([5, 5, 5], SIZE)).toContain("5.00");
  expect(terminalChart([1, 2, 3], { columns: 0, lines: 0 })).not.toBe("");
});
