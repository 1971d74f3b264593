import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { descriptorSink, LogOutput, streamSink } from "./log-output.ts";

function open(path: string, flags: string): number {
  const descriptor = openSync(path, flags);
  onTestFinished(() => closeSync(descriptor));
  return descriptor;
}

test("writes lines to a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "pigato-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "log");
  const output = new LogOutput(descriptorSink(open(file, "w")));
  output.write("one\n");
  output.write("two\n");
  expect(readFileSync(file, "utf8")).toBe("one\ntwo\n");
});

test("escapes what a terminal obeys in the names of peers, as JSON does", () => {
  const lines: string[] = [];
  const output = new LogOutput((text) => lines.push(text) > 0);
  const record = { name: "a\u009b31m\u007f\u202e\u2028\u2066 grüße \u{1F600}" };
  output.write(`${JSON.stringify(record)}\n`);
  expect(lines).toEqual(['{"name":"a\\u009b31m\\u007f\\u202e\\u2028\\u2066 grüße \u{1F600}"}\n']);
  expect(JSON.parse(lines[0] ?? "")).toEqual(record);
});

test.runIf(process.platform === "linux")("drops lines that a full device does not take", () => {
  const output = new LogOutput(descriptorSink(open("/dev/full", "w")));
  output.onDropped = () => expect.unreachable();
  for (let line = 0; line < 10; line++) output.write("line\n");
});

test("drops lines for a descriptor that is closed", () => {
  const descriptor = openSync("/dev/null", "w");
  closeSync(descriptor);
  new LogOutput(descriptorSink(descriptor)).write("line\n");
});

test("drops what a reader does not read in time, and counts it", () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const output = new LogOutput(streamSink(stream));
  const counts: number[] = [];
  output.onDropped = (lines) => counts.push(lines);
  const line = `${"x".repeat(99_999)}\n`;
  for (let count = 0; count < 20; count++) output.write(line);
  expect(stream.writableLength).toBeLessThanOrEqual(1024 * 1024);
  expect(stream.writableLength).toBeGreaterThan(900_000);
  stream.resume();
  return new Promise<void>((resolve) =>
    setImmediate(() => {
      output.write("again\n");
      output.write("and again\n");
      expect(counts).toEqual([10]);
      resolve();
    }),
  );
});

test("drops lines when the reader has gone", async () => {
  const stream = new PassThrough();
  const output = new LogOutput(streamSink(stream));
  stream.destroy(new Error("EPIPE"));
  await new Promise((resolve) => setImmediate(resolve));
  output.write("line\n");
});
