// Tables of results, for a terminal and for a Markdown page, and the number formats that they use.

export interface Table {
  readonly title: string;
  /** The first row holds the column heads. */
  readonly rows: readonly (readonly string[])[];
  /** Number of leading columns that hold names, aligned left; the others hold figures. @defaultValue 1 */
  readonly names?: number;
}

/** Stands for a figure that was not measured. */
export const NONE = "–";

export function asText({ title, rows, names = 1 }: Table): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  return `${title}\n${lines.join("\n")}\n`.replaceAll("`", "");
}

export function asMarkdown({ title, rows, names = 1 }: Table): string {
  const [head = [], ...rest] = rows;
  const rule = head.map((_cell, column) => (column < names ? "---" : "---:"));
  return `${title}:\n\n${[head, rule, ...rest].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}

export function thousands(figure: number): string {
  return figure < 10_000 ? String(Math.round(figure)) : `${(figure / 1000).toFixed(figure < 100_000 ? 1 : 0)}k`;
}

export function megabytes(bytes: number | undefined): string {
  return decimals(bytes === undefined ? undefined : bytes / 2 ** 20, 0);
}

export function decimals(figure: number | undefined, count: number): string {
  return figure === undefined || Number.isNaN(figure) ? NONE : figure.toFixed(count);
}

/** A whole number with commas, as in prose. */
export function whole(figure: number): string {
  return Math.round(figure).toLocaleString("en-US");
}
