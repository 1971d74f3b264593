// What a test worker does with a request, by name. `answer` finishes the request and keeps the worker's counts; the
// same behaviors run on the original's Worker and on ours.
"use strict";

const behaviors = {
  echo: (data, answer) => answer.end(data),

  /** Says which of several workers answered. */
  name: (_data, answer, worker) => answer.end(worker.name),

  /** Sends each value of a list as a chunk, then `"last"`. */
  list: (data, answer) => {
    for (const value of data) answer.write(value);
    answer.end("last");
  },

  /** Sends the numbers from 0 up to `data` as chunks, then `data` itself. */
  count: (data, answer) => {
    for (let index = 0; index < data; index++) answer.write(index);
    answer.end(data);
  },

  /** Sends `count` numbered chunks of so many `bytes`, then `"last"`. */
  rows: ({ count, bytes }, answer) => {
    for (let index = 0; index < count; index++) answer.write(`${index}:`.padEnd(bytes, "x"));
    answer.end("last");
  },

  /** A reply of two parts that may be given to equal requests for a minute. */
  keep: (data, answer) => {
    answer.keep(60_000);
    answer.write("part");
    answer.end(data);
  },

  /** An error that asks to be kept. */
  "keep-error": (data, answer) => {
    answer.keep(60_000);
    answer.error(data);
  },

  reject: (_data, answer) => answer.reject("not mine"),

  error: (data, answer) => answer.error(data),

  "error-without-value": (_data, answer) => answer.error(),

  /** Answers only when the test releases it. */
  hold: (data, answer, worker) => worker.hold(() => answer.end(data)),

  /** Stays in flight for the rest of the turn, so that whatever arrived together overlaps. */
  overlap: (data, answer) => setImmediate(() => answer.end(data)),

  /** Dies as a process does whose machine was switched off. */
  exit: () => process.kill(process.pid, "SIGKILL"),
};

module.exports = { behaviors };
