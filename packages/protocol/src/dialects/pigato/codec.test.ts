// Properties of the codec, for arbitrary messages and frames. The vectors of packages/testkit show single messages.
// PIGATO_FUZZ_RUNS sets the number of runs, PIGATO_FUZZ_SEED repeats a run; every failure prints its seed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Capabilities, NO_CAPABILITIES } from "../../capabilities.ts";
import { type Frame, type Frames, MAX_FRAMES } from "../../frame.ts";
import { asFrame, readBytes, requestId, writeBytes, writeText } from "../../ids.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { MAX_OPTIONS_BYTES } from "../../request-options.ts";
import type { Violation } from "../../violation.ts";
import { pigatoDialect, pigato as uncached } from "./index.ts";
import { someDamage } from "./testing/damage.ts";
import {
  FROM_CLIENT,
  FROM_WORKER,
  fromClient,
  fromWorker,
  someFailure,
  TO_CLIENT,
  TO_WORKER,
  toClient,
  toWorker,
} from "./testing/messages.ts";

const SEED = Number(process.env.PIGATO_FUZZ_SEED);
const RUNS = process.env.PIGATO_FUZZ_RUNS;
const withSeed = (numRuns: number) => ({ seed: SEED, numRuns: RUNS === undefined ? numRuns : Number(RUNS) });

/** With caches, which must not change any result. */
const pigato = pigatoDialect();

/** Encoded messages as the bytes that arrive. */
const written = {
  fromClient: (message: FromClient) => pigato.encodeFromClient(message).map(asFrame),
  fromWorker: (message: FromWorker) => pigato.encodeFromWorker(message).map(asFrame),
  toClient: (message: ToClient, capabilities: Capabilities) =>
    pigato.encodeToClient(message, capabilities).map(asFrame),
  toWorker: (message: ToWorker) => pigato.encodeToWorker(message).map(asFrame),
};

const CAPABLE: Capabilities = { ...NO_CAPABILITIES, error: true };

describe("an encoded message decodes to itself", () => {
  /** Checks one union, and that the run reached all of its types. */
  function identity<Message extends { readonly type: string }>(
    messages: fc.Arbitrary<Message>,
    types: Readonly<Record<string, true>>,
    roundTrip: (message: Message) => unknown,
  ): void {
    const reached = new Set<string>();
    fc.assert(
      fc.property(messages, (message) => {
        reached.add(message.type);
        expect(readable(roundTrip(message))).toStrictEqual(readable(message));
      }),
      withSeed(400),
    );
    expect([...reached].sort(), `reached with seed ${SEED}`).toEqual(Object.keys(types).sort());
  }

  test("from a client", () => {
    identity(fromClient, FROM_CLIENT, (message) => pigato.decodeFromClient(written.fromClient(message)));
  });

  test("from a worker", () => {
    identity(fromWorker, FROM_WORKER, (message) => pigato.decodeFromWorker(written.fromWorker(message)));
  });

  test("to a client that negotiated failures", () => {
    identity(toClient, TO_CLIENT, (message) => pigato.decodeToClient(written.toClient(message, CAPABLE)));
  });

  test("to a worker", () => {
    identity(toWorker, TO_WORKER, (message) => pigato.decodeToWorker(written.toWorker(message)));
  });

  test("except a failure to a client that did not negotiate them: it decodes as a worker's error with the code", () => {
    fc.assert(
      fc.property(someFailure, (message) => {
        const frames = written.toClient(message, NO_CAPABILITIES);
        expect(frames).toHaveLength(6);
        expect(readable(pigato.decodeToClient(frames))).toStrictEqual({
          type: "final",
          requestId: message.requestId,
          status: -1,
          body: [JSON.stringify(message.failure.code)],
          trailer: [],
        });
      }),
      withSeed(100),
    );
  });
});

/** One end of the wire: its decoder, valid frames, the message types, and the clauses of its violations. */
interface End {
  readonly name: string;
  readonly decode: (frames: Frames) => { readonly type: string } | Violation;
  readonly valid: fc.Arbitrary<Frames>;
  readonly types: Readonly<Record<string, true>>;
  readonly clauses: readonly string[];
}

const ENDS: readonly End[] = [
  {
    name: "from a client",
    decode: pigato.decodeFromClient,
    valid: fromClient.map(written.fromClient),
    types: FROM_CLIENT,
    clauses: ["P-MSG-1", "P-MSG-2", "P-TYPE-1", "P-RID-1", "P-REQ-1", "P-REQ-3", "P-REQ-4", "P-HB-2", "P-STREAM-2"],
  },
  {
    name: "from a worker",
    decode: pigato.decodeFromWorker,
    valid: fromWorker.map(written.fromWorker),
    types: FROM_WORKER,
    clauses: [
      "P-MSG-1",
      "P-MSG-2",
      "P-TYPE-1",
      "P-RID-1",
      "P-ADDR-1",
      "P-READY-1",
      "P-REP-1",
      "P-REP-9",
      "P-REP-10",
      "P-HB-3",
      "P-STREAM-2",
    ],
  },
  {
    name: "to a client",
    decode: pigato.decodeToClient,
    valid: toClient.map((message) => written.toClient(message, CAPABLE)),
    types: TO_CLIENT,
    clauses: ["P-MSG-1", "P-MSG-2", "P-TYPE-1", "P-RID-1", "P-REP-9", "P-NOT-1", "P-STREAM-2"],
  },
  {
    name: "to a worker",
    decode: pigato.decodeToWorker,
    valid: toWorker.map(written.toWorker),
    types: TO_WORKER,
    clauses: ["P-MSG-1", "P-MSG-2", "P-TYPE-1", "P-RID-1", "P-ADDR-1", "P-DSP-1", "P-DSP-3", "P-STREAM-2"],
  },
];

function damaged(valid: fc.Arbitrary<Frames>): fc.Arbitrary<Frames> {
  return fc
    .tuple(valid, fc.array(someDamage, { minLength: 1, maxLength: 3 }))
    .map(([frames, damages]) => damages.reduce((rest, damage) => damage(rest), frames));
}

/** The result of decoding: the type of a message, or the clause of a violation; never an exception. */
function outcomeOf({ decode, types, clauses }: End, frames: Frames): string {
  const message = decode(frames);
  if ("clause" in message) {
    expect(clauses).toContain(message.clause);
    expect(message.detail.length).toBeLessThan(300);
    return message.clause;
  }
  expect(types).toHaveProperty([message.type]);
  return message.type;
}

describe("any frames decode to a message or a violation", () => {
  test.each(ENDS.map((end) => [end.name, end] as const))(
    "%s, after any damage; and the test reaches every message and every violation",
    (_, end) => {
      const reached = new Set<string>();
      fc.assert(
        fc.property(damaged(end.valid), (frames) => {
          reached.add(outcomeOf(end, frames));
        }),
        withSeed(4_000),
      );
      const expected = [...Object.keys(end.types), ...end.clauses];
      expect([...reached].sort(), `reached with seed ${SEED}`).toEqual(expected.sort());
    },
  );

  test("even at the wrong end, and even random bytes", () => {
    const anything = fc.oneof(
      ...ENDS.map(({ valid }) => valid),
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
    );
    fc.assert(
      fc.property(anything, (frames) => {
        for (const end of ENDS) outcomeOf(end, frames);
      }),
      withSeed(500),
    );
  });

  test("and the frames do not change", () => {
    fc.assert(
      fc.property(fc.oneof(...ENDS.map(({ valid }) => valid)), (frames) => {
        const before = readable(frames);
        for (const end of ENDS) end.decode(frames);
        expect(readable(frames)).toEqual(before);
      }),
      withSeed(200),
    );
  });

  test("with the same result with and without caches", () => {
    fc.assert(
      fc.property(fc.oneof(...ENDS.map(({ valid }) => damaged(valid))), (frames) => {
        for (const decode of ["decodeFromClient", "decodeFromWorker", "decodeToClient", "decodeToWorker"] as const) {
          expect(readable(pigato[decode](frames))).toEqual(readable(uncached[decode](frames)));
        }
      }),
      withSeed(300),
    );
  });

  test("and a decoded request encodes and decodes to itself", () => {
    fc.assert(
      fc.property(damaged(fromClient.map(written.fromClient)), (frames) => {
        const message = pigato.decodeFromClient(frames);
        if (message.type !== "request") return;
        expect(readable(pigato.decodeFromClient(written.fromClient(message)))).toStrictEqual(readable(message));
      }),
      withSeed(500),
    );
  });

  test.each(ENDS.map(({ name, decode }) => [name, decode] as const))(
    "%s: one frame too many and a hundred thousand are the same violation",
    (_, decode) => {
      for (const length of [MAX_FRAMES + 1, 100_000]) {
        const frames = Array.from({ length }, () => writeText("C"));
        expect(decode(frames)).toMatchObject({ type: "violation", clause: "P-MSG-2" });
      }
      const most = Array.from({ length: MAX_FRAMES }, () => writeText("x"));
      expect(decode(most)).toMatchObject({ clause: "P-MSG-1" });
    },
  );
});

describe("decoders do not read large frames", () => {
  /** A frame that reports a large length and throws when its bytes are read. */
  function unreadable(length: number): Frame {
    return new Proxy(new Uint8Array(0), {
      get(_, key) {
        if (key === "length") return length;
        throw new Error(`${String(key)} of a large frame was read`);
      },
    });
  }

  test.each([
    ["an id", ["C", "2", "echo", 256, "1"], "P-RID-1"],
    ["a service", ["C", "2", 256, "r1", "1"], "P-REQ-3"],
    ["the options", ["C", "2", "echo", "r1", "1", MAX_OPTIONS_BYTES + 1], "P-REQ-4"],
    ["an offer", ["C", "4", 1e9], "P-RID-1"],
  ] as const)("of a client: %s", (_, parts, clause) => {
    const frames = parts.map((part) => (typeof part === "number" ? unreadable(part) : writeBytes(part)));
    expect(pigato.decodeFromClient(frames)).toMatchObject({ type: "violation", clause });
  });

  test.each([
    ["a service", ["W", "1", 256], "P-READY-1"],
    ["the settings of a heartbeat", ["W", "4", "", MAX_OPTIONS_BYTES + 1], "P-HB-3"],
    ["an address", ["W", "3", 256, "", "r1", "0", "1"], "P-ADDR-1"],
  ] as const)("of a worker: %s", (_, parts, clause) => {
    const frames = parts.map((part) => (typeof part === "number" ? unreadable(part) : writeBytes(part)));
    expect(pigato.decodeFromWorker(frames)).toMatchObject({ type: "violation", clause });
  });

  test("of a worker: an offer, which is ignored", () => {
    const frames = [writeText("W"), writeText("1"), writeText("echo"), unreadable(1e9)];
    expect(pigato.decodeFromWorker(frames)).toMatchObject({ type: "ready", offer: undefined });
  });

  test("of a worker: a status, which counts as 0", () => {
    const frames = ["W", "3", "~1", "", "r1"].map(writeText);
    expect(pigato.decodeFromWorker([...frames, unreadable(256), writeText("1")])).toMatchObject({ status: 0 });
  });

  test("of any peer: a payload", () => {
    const payload = unreadable(1e9);
    const request = [...["C", "2", "echo", "r1"].map(writeText), payload];
    const reply = [...["W", "3", "~1", "", "r1", "0"].map(writeText), payload];
    expect(pigato.decodeFromClient(request)).toMatchObject({ type: "request" });
    expect(pigato.decodeFromWorker(reply)).toMatchObject({ type: "final" });
  });
});

describe("payloads and trailers", () => {
  const data = writeText('"data"');
  const rest = [writeText("{}"), writeText("more")];

  test("are passed on by reference, from client to worker", () => {
    const message = pigato.decodeFromClient([...["C", "2", "echo", "r1"].map(writeText), data, ...rest]);
    if (message.type !== "request") throw new Error(message.type);
    const frames = written.toWorker({ ...message, address: "~1" });
    expect(frames.slice(6).every((frame, index) => frame === [data, ...rest][index])).toBe(true);
    expect(frames).toHaveLength(9);
  });

  test("are passed on by reference, from worker to client", () => {
    const message = pigato.decodeFromWorker([...["W", "6", "~1", "", "r1", "0"].map(writeText), data, ...rest]);
    if (message.type !== "partial") throw new Error(message.type);
    const { type, requestId, status, body, trailer } = message;
    const frames = written.toClient({ type, requestId, status, body, trailer }, NO_CAPABILITIES);
    expect(frames.slice(5).every((frame, index) => frame === [data, ...rest][index])).toBe(true);
    expect(frames).toHaveLength(8);
  });

  test("are cut to the first of several frames; a body without frames is null", () => {
    const reply = { type: "final", requestId: requestId("r1"), status: 0, trailer: [] } as const;
    const bodyOf = (body: readonly Frame[]) => written.toClient({ ...reply, body }, NO_CAPABILITIES).slice(5);
    expect(bodyOf([data, ...rest])).toEqual([data]);
    expect(bodyOf([])).toEqual([writeText("null")]);
  });
});

test("the tag of the first message is the peer's role", () => {
  const roleOf = (...frames: readonly string[]) => pigato.detect(frames.map(writeText));
  expect(roleOf("C", "4")).toBe("client");
  expect(roleOf("W", "1", "echo")).toBe("worker");
  expect([roleOf(), roleOf(""), roleOf("", "C"), roleOf("MDPC02"), roleOf("c")]).toEqual(Array(5).fill(undefined));
});

/** Frames as byte strings, for readable differences. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return readBytes(value);
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, readable(field)]));
}
