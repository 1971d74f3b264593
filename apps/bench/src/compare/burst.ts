// Keeps a number of requests in flight for a while and counts what comes back. Hot while it runs: nothing is made for a
// request but what the peer itself makes. Every answer is looked at, so that none can cheat.

import { type Case, questionOf } from "./cases.ts";
import type { Caller, Done } from "./peer.ts";

export interface Burst {
  /** Requests, or parts of streams. */
  readonly count: number;
  readonly seconds: number;
  /** Parts that never came, though their stream ended well. */
  readonly lost: number;
}

/** @throws (rejects) the first failure of a request, or an answer that is not what was sent */
export function burst(callers: readonly Caller[], what: Case, durationMs: number): Promise<Burst> {
  switch (what.kind) {
    case "calls":
      return calls(callers, what, durationMs);
    case "parts":
      return streams(callers, what, durationMs, (part) => typeof part === "number");
    case "chunks":
      return streams(callers, what, durationMs, (part) => part instanceof Uint8Array && part.length === 64 * 1024);
    default:
      return what.kind satisfies never;
  }
}

function calls(callers: readonly Caller[], what: Case, durationMs: number): Promise<Burst> {
  const question = questionOf(what);
  const length = question.text?.length ?? 0;
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let pending = what.inFlight;
    let count = 0;
    for (let slot = 0; slot < what.inFlight; slot++) {
      const caller = callers[slot % callers.length];
      if (caller === undefined) throw new Error("no connection");
      const done: Done = (error, answer) => {
        if (error) return reject(error);
        if (!isEcho(answer, length)) return reject(new Error(`not the answer: ${JSON.stringify(answer)}`));
        count += 1;
        const elapsedMs = performance.now() - start;
        if (elapsedMs < durationMs) return caller.call(question, done);
        pending -= 1;
        if (pending === 0) resolve({ count, seconds: elapsedMs / 1000, lost: 0 });
      };
      caller.call(question, done);
    }
  });
}

function streams(
  [caller]: readonly Caller[],
  what: Case,
  durationMs: number,
  isPart: (part: unknown) => boolean,
): Promise<Burst> {
  const question = questionOf(what);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let streamed = 0;
    let count = 0;
    const onPart = (part: unknown) => {
      if (isPart(part)) count += 1;
    };
    const next = () => caller?.stream?.(question, onPart, done);
    const done: Done = (error) => {
      streamed += question.parts ?? 0;
      if (error) return reject(error);
      const elapsedMs = performance.now() - start;
      if (elapsedMs < durationMs) next();
      else resolve({ count, seconds: elapsedMs / 1000, lost: streamed - count });
    };
    next();
  });
}

function isEcho(answer: unknown, length: number): boolean {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "text" in answer &&
    typeof answer.text === "string" &&
    answer.text.length === length
  );
}
