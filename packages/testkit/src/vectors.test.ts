import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pigato } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { decodeVector, encodeVector, tableOf, VECTORS, type Vector } from "./vectors/index.ts";
import { frames } from "./vectors/vector.ts";

const PACKAGES = fileURLToPath(new URL("../..", import.meta.url));
const REFERENCE = fileURLToPath(new URL("../../../docs/reference/protocol.md", import.meta.url));
const reference = readFileSync(REFERENCE, "utf8");

describe("the PIGATO dialect", () => {
  const decoded = VECTORS.filter((vector) => vector.ways !== "encode");
  const encoded = VECTORS.filter((vector) => vector.ways !== "decode");

  test.each(decoded.map((vector) => [title(vector), vector] as const))("reads, from %s", (_, vector) => {
    const { message } = vector;
    const expected = message.type === "violation" ? { ...message, detail: expect.any(String) } : message;
    expect(readable(decodeVector(pigato, vector))).toStrictEqual(readable(expected));
  });

  test.each(encoded.map((vector) => [title(vector), vector] as const))("writes, from %s", (_, vector) => {
    expect(readable(encodeVector(pigato, vector))).toStrictEqual(readable(frames(...vector.frames)));
  });

  test("has every vector listed once", () => {
    expect(repeated(VECTORS.map(title))).toEqual([]);
    expect(repeated(VECTORS.map(({ direction, ways, frames }) => JSON.stringify([direction, ways, frames])))).toEqual(
      [],
    );
  });
});

describe("the protocol reference", () => {
  const clauses = clausesOf(reference);
  const ids = [...clauses.keys()];

  test("shows exactly these vectors", async () => {
    // `vitest -u` writes the tables anew; everything around them is written by hand.
    const tables = `$1\n\n${tableOf(VECTORS).replaceAll("$", "$$$$")}\n\n$2`;
    const updated = reference.replace(/(<!-- vectors -->)[\s\S]*(<!-- end of vectors -->)/, tables);
    await expect(updated).toMatchFileSnapshot(REFERENCE);
  });

  test("numbers its clauses without gaps or repetitions", () => {
    const headings = [...reference.matchAll(/^#+ (P-[A-Z]+)-(\d+)/gm)];
    const counts = new Map<string, number>();
    for (const [, group = "", number] of headings) {
      expect(`${group}-${number}`).toBe(`${group}-${(counts.get(group) ?? 0) + 1}`);
      counts.set(group, Number(number));
    }
    expect(headings.length).toBeGreaterThan(40);
  });

  test("has the clause of every vector and of every violation", () => {
    const named = VECTORS.flatMap(({ clause, message }) =>
      message.type === "violation" ? [clause, message.clause] : [clause],
    );
    expect(unique(named).filter((clause) => !clauses.has(clause))).toEqual([]);
  });

  test("marks a violation in exactly the clauses of the decoders", () => {
    const folder = `${PACKAGES}/protocol/src/dialects/pigato`;
    const files = readdirSync(folder)
      .filter((name) => /^decode.*\.ts$/.test(name))
      .map((name) => `${folder}/${name}`);
    const decoders = files.map((file) => readFileSync(file, "utf8")).join("\n");
    const inCode = unique([...decoders.matchAll(/"(P-[A-Z]+-\d+)"/g)].map(([, clause = ""]) => clause));
    const inReference = ids.filter((id) => clauses.get(id)?.includes("**Violation**"));
    expect(inReference.sort()).toEqual(inCode.sort());
  });

  test("shows a vector for every clause with a violation", () => {
    const shown = unique(VECTORS.flatMap(({ message }) => (message.type === "violation" ? [message.clause] : [])));
    expect(shown.sort()).toEqual(ids.filter((id) => clauses.get(id)?.includes("**Violation**")).sort());
  });

  test("has every clause that any source file names", () => {
    const missing = sourceFiles().flatMap((file) =>
      citationsIn(readFileSync(file, "utf8"))
        .filter((clause) => !clauses.has(clause))
        .map((clause) => `${clause} in ${file.slice(PACKAGES.length)}`),
    );
    expect(missing).toEqual([]);
  });

  test("names no clause that it does not have", () => {
    expect(citationsIn(reference).filter((clause) => !clauses.has(clause))).toEqual([]);
  });

  test("lists every message, and a vector for each that the codec reads", () => {
    const glance = /^## Messages at a glance$([\s\S]*?)^## /m.exec(reference)?.[1] ?? "";
    const rows = [...glance.matchAll(/^\| ([a-z0-9][a-z0-9-]*) \|/gm)].map(([, row = ""]) => row);
    // Row 20 is published on another socket, as plain text.
    const inCodec = rows.filter((row) => row !== "20");
    expect(rows).toContain("20");
    expect(unique(VECTORS.map(({ row }) => row)).sort()).toEqual([...inCodec, "any"].sort());
  });
});

function title({ direction, name }: Vector): string {
  return `${direction}: ${name}`;
}

/** Frames as byte strings, so that a difference can be read. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, readable(field)]));
}

/** Every clause by its id, with its text. */
function clausesOf(markdown: string): Map<string, string> {
  const sections = markdown.split(/^(?=#+ )/m);
  return new Map(
    sections.flatMap((section) => {
      const id = /^#+ (P-[A-Z]+-\d+)$/m.exec(section)?.[1];
      return id === undefined ? [] : [[id, section] as const];
    }),
  );
}

function citationsIn(text: string): string[] {
  return unique([...text.matchAll(/\bP-[A-Z]+-\d+\b/g)].map(([clause]) => clause));
}

function sourceFiles(): string[] {
  return readdirSync(PACKAGES, { withFileTypes: true })
    .map((entry) => `${PACKAGES}${entry.name}/src`)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
