// What a reader reports for some bytes, in a form that can be compared.

import type { FrameProtection } from "../mechanism/mechanism.ts";
import { NULL_LISTENER } from "../mechanism/null.ts";
import { MessageReader } from "../message-reader.ts";
import { PeerReader } from "../peer-reader.ts";
import type { Violation } from "../wire.ts";

export const LIMITS = { maxFrameBytes: 100_000, maxMessageBytes: 150_000, maxFrames: 12 };

export interface ReadResult {
  /** Each message or command as text, with `|` between frames. */
  readonly reports: readonly string[];
  readonly violation: Violation | undefined;
}

const toText = (frames: readonly Uint8Array[]) =>
  frames.map((frame) => Buffer.from(frame).toString("latin1")).join("|");

/** Passes the pieces to a message reader. @param pauseEvery pauses after every run of this many messages; 0: never */
export function readMessages(
  pieces: readonly Buffer[],
  areOurs: boolean,
  protection?: FrameProtection,
  pauseEvery = 0,
): ReadResult {
  const reports: string[] = [];
  const sink = {
    onMessage: (frames: readonly Uint8Array[]) => {
      reports.push(toText(frames));
      if (reports.length % pauseEvery === 0) reader.pause();
    },
    onCommand: (body: Buffer) => reports.push(`command ${body.toString("latin1")}`),
  };
  const reader = new MessageReader(LIMITS, sink, protection);
  const readWhole = (piece: Buffer) => {
    let violation = reader.read(piece, 0, areOurs);
    for (let rest = reader.takeUnread(); rest !== undefined; rest = reader.takeUnread()) {
      const before = reports.length;
      violation = reader.read(rest, 0, true);
      if (reports.length - before > pauseEvery) throw new Error("the reader did not pause");
    }
    return violation;
  };
  return { reports, violation: readAll(pieces, areOurs, readWhole) };
}

/** Passes the pieces to the reader of a listener with NULL. */
export function readConnection(pieces: readonly Buffer[], areOurs: boolean): ReadResult {
  const reports: string[] = [];
  const settings = { limits: LIMITS, mechanism: NULL_LISTENER, metadata: { socketType: "ROUTER", routingId: "" } };
  const reader = new PeerReader(settings, {
    onGreeting: (speaks31) => reports.push(`greeting ${speaks31 ? "3.1" : "3.0"}`),
    onSendCommand: () => {},
    onAuthenticate: () => {},
    onIntroduced: ({ socketType, routingId }) => {
      reports.push(`ready ${socketType} ${routingId}`);
      return undefined;
    },
    onHandshakeComplete: () => {},
    onMessage: (frames) => reports.push(toText(frames)),
    onSubscription: (prefix, isSubscribed) => reports.push(`${isSubscribed ? "subscribe" : "cancel"} ${prefix}`),
    onIgnored: () => {},
    onPing: (ttlMs, context) => reports.push(`ping ${ttlMs} ${Buffer.from(context).toString("latin1")}`),
  });
  return { reports, violation: readAll(pieces, areOurs, (piece) => reader.read(piece, areOurs)) };
}

function readAll(
  pieces: readonly Buffer[],
  areOurs: boolean,
  read: (piece: Buffer) => Violation | undefined,
): Violation | undefined {
  for (const piece of pieces) {
    // Like a socket: its memory is reused, unless it was given away.
    const chunk = Buffer.from(piece);
    const violation = read(chunk);
    if (violation !== undefined) return violation;
    if (!areOurs) chunk.fill(0xaa);
  }
  return undefined;
}

/** Cuts bytes at some places, in any order. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ordered = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ordered.slice(1).map((place, index) => bytes.subarray(ordered[index], place));
}
