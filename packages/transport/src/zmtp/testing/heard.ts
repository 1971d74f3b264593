// What a session or a reader made of some bytes, in a form that can be compared.

import { FrameReader } from "../frame-reader.ts";
import { Session } from "../session.ts";
import type { Violation } from "../violation.ts";

export const LIMITS = { maxFrameBytes: 100_000, maxMessageBytes: 150_000, maxFrames: 12 };

export interface Heard {
  /** Each message or command as text, frames apart by `|`. */
  readonly told: readonly string[];
  readonly violation: Violation | undefined;
}

/** Gives a reader that takes messages the bytes in the given pieces. */
export function heardByReader(pieces: readonly Buffer[], areOurs: boolean): Heard {
  const told: string[] = [];
  const reader = new FrameReader(LIMITS, {
    onMessage: (frames) => told.push(frames.map((frame) => Buffer.from(frame).toString("latin1")).join("|")),
    onCommand: (body) => told.push(`command ${body.toString("latin1")}`),
  });
  reader.acceptMessages();
  return { told, violation: readAll(pieces, areOurs, (piece) => reader.read(piece, 0, areOurs)) };
}

/** Gives a session the bytes in the given pieces. */
export function heardBySession(pieces: readonly Buffer[], areOurs: boolean): Heard {
  const told: string[] = [];
  const session = new Session(LIMITS, {
    onGreeting: (speaks31) => told.push(`greeting ${speaks31 ? "3.1" : "3.0"}`),
    onReady: (socketType, routingId) => {
      told.push(`ready ${socketType} ${routingId}`);
      return undefined;
    },
    onMessage: (frames) => told.push(frames.map((frame) => Buffer.from(frame).toString("latin1")).join("|")),
    onSubscription: (prefix, isWanted) => told.push(`${isWanted ? "subscribe" : "cancel"} ${prefix}`),
    onPing: (ttlMs, context) => told.push(`ping ${ttlMs} ${Buffer.from(context).toString("latin1")}`),
  });
  return { told, violation: readAll(pieces, areOurs, (piece) => session.read(piece, areOurs)) };
}

function readAll(
  pieces: readonly Buffer[],
  areOurs: boolean,
  read: (piece: Buffer) => Violation | undefined,
): Violation | undefined {
  for (const piece of pieces) {
    // As a socket would: memory that is used again, unless it was given away.
    const chunk = Buffer.from(piece);
    const violation = read(chunk);
    if (violation !== undefined) return violation;
    if (!areOurs) chunk.fill(0xaa);
  }
  return undefined;
}

/** Cuts bytes at some places, which need not be in order. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ordered = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ordered.slice(1).map((place, index) => bytes.subarray(ordered[index], place));
}
