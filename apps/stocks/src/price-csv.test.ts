import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { InvalidCsv, MAX_ROWS, readPriceCsv } from "./price-csv.ts";
import { collect } from "./testing/rows.ts";

const HEAD = "date,open,high,low,close,volume\n";

test("rows do not depend on how the input is split into chunks", async () => {
  const text = `${HEAD}2024-01-02,1,3,0.5,2,100\n2024-01-03,2,4,1.5,3,200\n`;
  for (const size of [1, 7, 1000]) {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    expect(await rowsOf(chunks)).toEqual([
      { date: "2024-01-02", open: 1, high: 3, low: 0.5, close: 2, volume: 100 },
      { date: "2024-01-03", open: 2, high: 4, low: 1.5, close: 3, volume: 200 },
    ]);
  }
});

test("columns are found by name in any order, and the close replaces missing prices", async () => {
  expect(await rowsOf(["\uFEFFClose,Adj Close,Date\r\n", '"2.5",9,2024/01/02\r\n'])).toEqual([
    { date: "2024-01-02", open: 2.5, high: 2.5, low: 2.5, close: 2.5, volume: 0 },
  ]);
});

test("days without a price are skipped", async () => {
  const rows = await rowsOf([HEAD, "2024-01-02,null,null,null,null,null\n2024-01-03,,,,,\n2024-01-04,1,1,1,N/D,0\n"]);
  expect(rows).toEqual([]);
});

test("rows arrive before the end of the file", async () => {
  const bytes = new Readable({ read() {} });
  bytes.push(`${HEAD}2024-01-02,1,1,1,1,1\n2024-01-03,1,1,1,1,1\n`);
  const rows = readPriceCsv(bytes);
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-02" });
  expect((await rows.next()).value).toMatchObject({ date: "2024-01-03" });
  const closed = new Promise((resolve) => bytes.once("close", resolve));
  await rows.return(undefined);
  await closed;
});

test.each<readonly [text: string, message: string]>([
  ["<!doctype html><p>Please log in</p>", "the first line does not name the columns date and close"],
  [`${HEAD}2024-01-02,1,1,1,one,1\n`, "row 2 has no number in the column close"],
  [`${HEAD}2024-13-02,1,1,1,1,1\n`, "row 2 has no date"],
  [`${HEAD}2024-02-30,1,1,1,1,1\n`, "row 2 has no date"],
  [`${HEAD}2024-01-02,1\n`, "row 2 is not CSV"],
  [`${HEAD}2024-01-02,"1,1,1,1,1\n`, "row 2 is not CSV"],
  [`${HEAD}2024-01-03,1,1,1,1,1\n2024-01-02,1,1,1,1,1\n`, "row 3 is out of order"],
  [`${HEAD}${"9".repeat(10_000)}`, "is not CSV"],
])("invalid data is an error that names the row, case %#", async (text, message) => {
  const reading = rowsOf([text]);
  await expect(reading).rejects.toThrow(message);
  await expect(reading).rejects.toThrow(InvalidCsv);
});

test("a file without an end fails at the maximum number of rows", async () => {
  let chunkCount = 0;
  function* endless(): Generator<string> {
    yield HEAD;
    for (;;) {
      chunkCount++;
      yield "2024-01-02,1,1,1,1,1\n".repeat(1000);
    }
  }
  await expect(collect(readPriceCsv(Readable.from(endless())))).rejects.toThrow("there are more than 60000 rows");
  expect(chunkCount).toBeLessThan(MAX_ROWS / 1000 + 50);
});

test("a failure of the input is a failure of the rows", async () => {
  const bytes = Readable.from(
    (function* () {
      yield HEAD;
      throw new Error("gone");
    })(),
  );
  await expect(collect(readPriceCsv(bytes))).rejects.toThrow("gone");
});

function rowsOf(chunks: readonly string[]): Promise<unknown[]> {
  return collect(readPriceCsv(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))));
}
