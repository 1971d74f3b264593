// Handshakes of every mechanism and role under random commands, splits and flipped bits. PIGATO_FUZZ_RUNS makes it longer,
// PIGATO_FUZZ_SEED repeats a run.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { SecurityMechanism } from "./mechanism/mechanism.ts";
import { NULL_AUTHENTICATING_LISTENER, NULL_LISTENER, NULL_PEER } from "./mechanism/null.ts";
import { PLAIN_LISTENER, plainPeer } from "./mechanism/plain.ts";
import { PeerReader } from "./peer-reader.ts";
import {
  encodeCommand,
  encoded,
  encodeError,
  encodeGreeting,
  encodeHello,
  encodeInitiate,
  encodePing,
  encodeReady,
} from "./testing/encoded.ts";
import { cut, LIMITS } from "./testing/read-bytes.ts";
import type { Violation } from "./wire.ts";

const PARAMETERS = { numRuns: Number(process.env.PIGATO_FUZZ_RUNS ?? 300), seed: Number(process.env.PIGATO_FUZZ_SEED) };

interface Outcome {
  readonly reports: readonly string[];
  readonly violation: Violation | undefined;
}

/** Reads bytes in pieces, and ends a pending authentication after the last one. */
function read(mechanism: SecurityMechanism, pieces: readonly Buffer[], isAuthorized: boolean): Outcome {
  const reports: string[] = [];
  let isAuthenticating = false;
  const metadata = { socketType: "ROUTER", routingId: "" };
  const reader = new PeerReader(
    { limits: LIMITS, mechanism, metadata },
    {
      onGreeting: () => reports.push("greeting"),
      onSendCommand: (body) => reports.push(`send ${body.toString("latin1", 1, 1 + (body[0] ?? 0))}`),
      onAuthenticate: (credentials) => {
        reports.push(`authenticate ${JSON.stringify(credentials)}`);
        isAuthenticating = true;
      },
      onIntroduced: (peer) => {
        reports.push(`introduced ${JSON.stringify(peer)}`);
        return undefined;
      },
      onHandshakeComplete: () => reports.push("complete"),
      onMessage: (frames) => reports.push(`message of ${frames.length}`),
      onPing: () => reports.push("ping"),
      onSubscription: () => reports.push("subscription"),
      onIgnored: () => {},
    },
  );
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    const violation = reader.read(chunk, false);
    if (violation !== undefined) return { reports, violation };
    // A socket reuses its memory.
    chunk.fill(0xaa);
  }
  while (isAuthenticating && isAuthorized) {
    isAuthenticating = false;
    const violation = reader.authorize();
    if (violation !== undefined) return { reports, violation };
  }
  return { reports, violation: undefined };
}

const valid = (mechanism: SecurityMechanism): Buffer[] => {
  if (mechanism.name === "NULL") return [encodeReady("DEALER", "d")];
  return mechanism.isServer
    ? [encodeHello("ada", "x"), encodeInitiate("DEALER", "d")]
    : [encodeCommand("WELCOME"), encodeReady("ROUTER", "")];
};

const command = fc.oneof(
  fc.constantFrom<Buffer>(
    encodeHello("ada", "x"),
    encodeInitiate("DEALER", "d"),
    encodeReady("DEALER", "d"),
    encodeCommand("WELCOME"),
    encodeCommand("UNKNOWN", "data"),
    encodeError("400"),
    encodePing(100),
    encoded([[Buffer.from("a"), Buffer.from("b")]]),
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

test.each([
  ["a NULL peer", NULL_PEER],
  ["a NULL listener", NULL_LISTENER],
  ["a NULL listener with authentication", NULL_AUTHENTICATING_LISTENER],
  ["a PLAIN peer", plainPeer("ada", "x")],
  ["a PLAIN listener", PLAIN_LISTENER],
])(
  "%s reports the same, however the bytes are split, and completes no other than a valid handshake",
  (_what, mechanism) => {
    let completed = 0;
    let failed = 0;
    const script = fc.tuple(
      fc.boolean(),
      fc.array(command, { maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      fc.array(fc.nat(600), { maxLength: 2 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(script, ([isValid, commands, places, flips, isAuthorized]) => {
        const start = isValid ? valid(mechanism) : [];
        const bytes = Buffer.concat([encodeGreeting(mechanism.name), ...start, ...commands]);
        for (const flip of flips)
          bytes[(flip >> 3) % bytes.length] = (bytes[(flip >> 3) % bytes.length] ?? 0) ^ (1 << (flip & 7));
        const whole = read(mechanism, [bytes], isAuthorized);
        expect(read(mechanism, cut(bytes, places), isAuthorized)).toEqual(whole);
        if (whole.violation !== undefined) failed += 1;
        if (!whole.reports.includes("complete")) return;
        completed += 1;
        const order = whole.reports.map((report) => report.split(" ")[0]).filter((word) => word !== "send");
        const isAuthenticating = mechanism === NULL_AUTHENTICATING_LISTENER || mechanism === PLAIN_LISTENER;
        const authentication = isAuthenticating ? ["authenticate"] : [];
        const expected = ["greeting", ...authentication, "introduced", "complete"];
        expect(order.slice(0, expected.length)).toEqual(expected);
        if (authentication.length > 0) expect(isAuthorized).toBe(true);
      }),
      PARAMETERS,
    );
    expect([completed > 0, failed > 0]).toEqual([true, true]);
  },
);
