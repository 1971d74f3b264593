// The last full run of each question, beside the page that shows it: what the page and its charts are made from.

import { readFileSync, writeFileSync } from "node:fs";
import type { BrokerRecord, CompareRecord, CoreRecord, DialectsRecord, ProfileRecord } from "./shapes.ts";

/** From source and as built alike. */
export const FOLDER: URL = new URL("../../../../docs/benchmarks/", import.meta.url);

export interface Records {
  readonly compare: CompareRecord;
  readonly core: CoreRecord;
  readonly broker: BrokerRecord;
  readonly dialects: DialectsRecord;
  readonly profile: ProfileRecord;
}

export function readRecords(): Records {
  return {
    compare: read("compare"),
    core: read("core"),
    broker: read("broker"),
    dialects: read("dialects"),
    profile: read("profile"),
  };
}

export function writeRecord<Name extends keyof Records>(name: Name, record: Records[Name]): void {
  writeFileSync(fileOf(name), asLines(record));
}

/** JSON with a line for each item of each list, and four digits of each figure: a new run is a diff that can be read. */
export function asLines(record: object): string {
  const parts = Object.entries(record).map(([key, value]) => {
    const text = Array.isArray(value) ? `[\n${value.map(asText).join(",\n")}\n]` : asText(value);
    return `${JSON.stringify(key)}: ${text}`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "number" && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part,
  );
}

function read<Name extends keyof Records>(name: Name): Records[Name] {
  return JSON.parse(readFileSync(fileOf(name), "utf8"));
}

function fileOf(name: keyof Records): URL {
  return new URL(`${name}.json`, FOLDER);
}
