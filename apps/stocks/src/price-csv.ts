// CSV to rows, as the bytes come: at most one chunk of it and one record are held at a time. Columns are found by their
// names in the first line, in any order and case; `date` and `close` must be there. Days without a price ("null",
// "N/D", nothing) are left out. Whatever else is wrong ends the rows with an error that names the row, the names being row 1.

import { pipeline, type Readable, Transform } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { PriceError } from "./price-error.ts";
import type { PriceRow } from "./price-row.ts";
import { MAX_ROWS } from "./price-source.ts";

/** Characters of one line; a longer one is an error, so that a source without line ends cannot fill the memory. */
const MAX_LINE = 4096;
const LINE_FEED = 10;
/** Skipped by the parser, which holds a line back until it has seen some characters (three now) beyond its end. */
const BLANK_LINES = Buffer.from("\n".repeat(8));
const NO_PRICE: ReadonlySet<string> = new Set(["", "null", "n/d", "nan", "-"]);

type Fields = ReadonlyMap<string, string>;

export async function* readPriceCsv(bytes: Readable): AsyncGenerator<PriceRow> {
  const parser = parse({
    bom: true,
    trim: true,
    info: true,
    record_delimiter: ["\r\n", "\n"],
    skip_empty_lines: true,
    max_record_size: MAX_LINE,
  });
  // A failure of the bytes destroys the parser with it, and leaving the loop below destroys the bytes.
  pipeline(bytes, promptly(), parser, () => {});
  let columns: readonly string[] | undefined;
  let last = "";
  let count = 0;
  try {
    for await (const record of parser) {
      const { record: values, info }: { record: readonly string[]; info: Info } = record;
      if (columns === undefined) {
        columns = columnsOf(values);
        continue;
      }
      if (++count > MAX_ROWS)
        throw new PriceError("TOO_MANY_ROWS", `The price source sent more than ${MAX_ROWS} rows.`);
      const row = rowOf(new Map(columns.map((column, at) => [column, values[at] ?? ""])), info.records);
      if (row === undefined) continue;
      if (row.date < last) throw broken(`row ${info.records} is out of order: the oldest day must come first`);
      last = row.date;
      yield row;
    }
  } catch (error) {
    throw error instanceof CsvError ? broken(`row ${Number(error.records) + 1} is not CSV`, error) : error;
  }
}

/** Lets a row out as soon as its line has ended, however long the next one takes to come. */
function promptly(): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      this.push(chunk);
      done(null, chunk.at(-1) === LINE_FEED ? BLANK_LINES : undefined);
    },
  });
}

function columnsOf(values: readonly string[]): readonly string[] {
  const columns = values.map((value) => value.toLowerCase());
  if (!columns.includes("date") || !columns.includes("close")) {
    throw broken("there is no first line with the columns date and close");
  }
  return columns;
}

/** `undefined` for a day without a price. */
function rowOf(fields: Fields, at: number): PriceRow | undefined {
  const closeText = fields.get("close") ?? "";
  if (NO_PRICE.has(closeText.toLowerCase())) return undefined;
  const date = (fields.get("date") ?? "").slice(0, 10).replaceAll("/", "-");
  if (!isDay(date)) throw broken(`row ${at} has no date`);
  const close = Number(closeText);
  if (!Number.isFinite(close)) throw broken(`row ${at} has no number as its close`);
  const price = (name: string) => numberOr(close, fields.get(name));
  return {
    date,
    open: price("open"),
    high: price("high"),
    low: price("low"),
    close,
    volume: numberOr(0, fields.get("volume")),
  };
}

function numberOr(otherwise: number, text = ""): number {
  const number = NO_PRICE.has(text.toLowerCase()) ? otherwise : Number(text);
  return Number.isFinite(number) ? number : otherwise;
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text);
}

function broken(what: string, cause?: unknown): PriceError {
  return new PriceError("SOURCE_FAILED", `What the price source sent cannot be read: ${what}.`, { cause });
}
