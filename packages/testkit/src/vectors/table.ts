// Writes the vectors as the tables of docs/reference/protocol.md.

import type { Direction, Vector, Ways } from "./vector.ts";

const DIRECTIONS: readonly Direction[] = [
  "client to broker",
  "worker to broker",
  "broker to client",
  "broker to worker",
];

const ARROWS: Readonly<Record<Ways, string>> = { both: "⇄", decode: "→", encode: "←" };

/** Longer frames are cut. */
const SHOWN_BYTES = 110;

/** One Markdown table for each direction. */
export function tableOf(vectors: readonly Vector[]): string {
  const sections = DIRECTIONS.map((direction) => {
    const rows = vectors.filter((vector) => vector.direction === direction).map(rowOf);
    return [
      `### ${direction[0]?.toUpperCase()}${direction.slice(1)}`,
      "",
      "| Row | Clause | Example | Frames | Way | Message |",
      "| --- | --- | --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
  });
  return sections.join("\n\n");
}

function rowOf(vector: Vector): string {
  const { message } = vector;
  const frames = vector.frames.length === 0 ? "(none)" : shownFrames(vector.frames);
  const meaning = message.type === "violation" ? `violation of ${linked(message.clause)}` : message.type;
  return `| ${vector.row} | ${linked(vector.clause)} | ${vector.name} | ${frames} | ${ARROWS[vector.ways]} | ${meaning} |`;
}

/** Shows a run of equal frames once, with its length. */
function shownFrames(frames: readonly string[]): string {
  const shown: string[] = [];
  for (let index = 0; index < frames.length; ) {
    let end = index + 1;
    while (end < frames.length && frames[end] === frames[index]) end += 1;
    const frame = shownFrame(frames[index] ?? "");
    shown.push(
      end - index > 2 ? `${frame} × ${end - index}` : Array.from({ length: end - index }, () => frame).join(" "),
    );
    index = end;
  }
  return shown.join(" ");
}

function shownFrame(frame: string): string {
  if (frame === "") return "`''`";
  const length = frame.length;
  const first = frame[0] ?? "";
  const isRun = length > 20 && frame === first.repeat(length);
  if (isRun) return `\`${escaped(first)}…\` (${length} bytes)`;
  if (length > SHOWN_BYTES) return `\`${escaped(frame.slice(0, 20))}…\` (${length} bytes)`;
  return `\`${escaped(frame)}\``;
}

/** Writes bytes that are not printable ASCII as `\xff`. */
function escaped(frame: string): string {
  return frame
    .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replaceAll("|", "\\|");
}

function linked(clause: string): string {
  return `[${clause}](#${clause.toLowerCase()})`;
}
