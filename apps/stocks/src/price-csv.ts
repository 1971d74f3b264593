// Parses CSV to rows as the bytes arrive; it holds at most one chunk and one record. The first line names the columns, in any
// order and case; `date` and `close` are required. Days without a price ("null", "N/D", empty) are skipped. Any other fault ends
// the rows with an error that names the row; the first line is row 1.

import { pipeline, type Readable, Transform } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import type { PriceRow } from "./contract.ts";

/** Maximum number of rows of a file, about two centuries of days. */
export const MAX_ROWS = 60_000;
/** Maximum length of a line; a longer one is an error, so that a source without line ends cannot fill the memory. */
const MAX_LINE = 4096;
const LINE_FEED = 10;
/** The parser skips these. It holds a line back until it has seen some characters (now three) after its end. */
const BLANK_LINES = Buffer.from("\n".repeat(8));
const NO_PRICE: ReadonlySet<string> = new Set(["", "null", "n/d", "nan", "-"]);

type Fields = ReadonlyMap<string, string>;

/** The message names the fault and its row: "row 3 has no date". */
export class InvalidCsv extends Error {}

/** @throws InvalidCsv, and what the bytes throw, while iterating */
export async function* readPriceCsv(bytes: Readable): AsyncGenerator<PriceRow> {
  const parser = parse({
    bom: true,
    trim: true,
    info: true,
    record_delimiter: ["\r\n", "\n"],
    skip_empty_lines: true,
    max_record_size: MAX_LINE,
  });
  // A failure of the input destroys the parser, and leaving the loop below destroys the input.
  pipeline(bytes, flushLines(), parser, () => {});
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
      if (++count > MAX_ROWS) throw new InvalidCsv(`there are more than ${MAX_ROWS} rows`);
      const row = rowOf(new Map(columns.map((column, at) => [column, values[at] ?? ""])), info.records);
      if (row === undefined) continue;
      if (row.date < last) throw new InvalidCsv(`row ${info.records} is out of order: the oldest day must come first`);
      last = row.date;
      yield row;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InvalidCsv(`row ${Number(error.records) + 1} is not CSV`, { cause: error });
  }
}

/** Makes the parser emit a row as soon as its line has ended, without waiting for the next line. */
function flushLines(): Transform {
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
    throw new InvalidCsv("the first line does not name the columns date and close");
  }
  return columns;
}

/** `undefined` for a day without a price. */
function rowOf(fields: Fields, at: number): PriceRow | undefined {
  const closeText = fields.get("close") ?? "";
  if (NO_PRICE.has(closeText.toLowerCase())) return undefined;
  const date = (fields.get("date") ?? "").slice(0, 10).replaceAll("/", "-");
  if (!isDay(date)) throw new InvalidCsv(`row ${at} has no date`);
  const close = Number(closeText);
  if (!Number.isFinite(close)) throw new InvalidCsv(`row ${at} has no number in the column close`);
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

export const PRICE_CSV_HEAD = "date,open,high,low,close,volume\n";

/** One line of the same format. */
export function writePriceCsv({ date, open, high, low, close, volume }: PriceRow): string {
  return `${[date, open, high, low, close, volume].join(",")}\n`;
}
