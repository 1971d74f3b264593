// Writes the log of the command to stderr. Logging never affects the service: a line that stderr does not accept at once, or that
// exceeds a bounded queue, is dropped. The number of dropped lines is reported later.
//
// Node writes to a pipe or a socket asynchronously and queues without a bound. It writes to a file or a terminal synchronously: a full
// file is an error, after which Node's own stream never writes again, and a stopped terminal would block the process.

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";

const STDERR = 2;
/** The most bytes that wait for the reader of a pipe or a socket. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/**
 * Characters of peers' names that JSON and the log formats do not escape: control characters that some terminals obey, and those that
 * reverse the direction of the text or end its line.
 */
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** @returns whether the text was taken */
type Sink = (text: string) => boolean;
type LogStream = Pick<Writable, "on" | "write" | "writableLength" | "destroyed">;

export class LogOutput {
  readonly #write: Sink;
  #dropped = 0;
  /** Called when a line was written after others were dropped. */
  onDropped: (lines: number) => void = () => {};

  constructor(sink: Sink) {
    this.#write = sink;
  }

  /** Never throws and never waits. */
  write(text: string): void {
    if (!this.#write(text.replace(UNSAFE, escaped))) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.onDropped(dropped);
  }
}

/** As JSON writes it, so that a line of JSON has the same value. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

export function stderrSink(): Sink {
  return isPipe(STDERR) ? streamSink(process.stderr) : descriptorSink(STDERR);
}

/** For a pipe or a socket. */
export function streamSink(stream: LogStream): Sink {
  // The reader has gone.
  stream.on("error", () => {});
  return (text) => {
    if (stream.destroyed || stream.writableLength + text.length > MAX_QUEUED_BYTES) return false;
    stream.write(text);
    return true;
  };
}

/** For a file or a terminal. */
export function descriptorSink(descriptor: number): Sink {
  const target = nonblocking(descriptor);
  /** The last line was written in part. */
  let isTorn = false;
  return (text) => {
    try {
      const bytes = Buffer.from(isTorn ? `\n${text}` : text);
      isTorn = writeSync(target, bytes) < bytes.length;
      return !isTorn;
    } catch {
      return false;
    }
  };
}

function isPipe(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false; // closed
  }
}

/** Another descriptor of a terminal, where a write fails instead of waiting; otherwise the same one. */
function nonblocking(descriptor: number): number {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return descriptor;
    return openSync(`/dev/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor;
  }
}
