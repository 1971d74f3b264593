// A mechanism that seals every frame works without a change to the connection: two connections over a socket, and the reader under
// random splits.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { DEFAULT_LINK_LIMITS } from "../link.ts";
import { Outbox } from "../outbox.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import type { SecurityMechanism } from "./mechanism/mechanism.ts";
import { SocketConnection } from "./socket-connection.ts";
import { MASKING_LISTENER, MASKING_PEER, maskingProtection } from "./testing/masking-mechanism.ts";
import { cut, LIMITS, readMessages } from "./testing/read-bytes.ts";
import { ReceiveBudget } from "./unfinished.ts";
import { COMMAND, encodeFrame, MORE, type Violation } from "./wire.ts";

const PARAMETERS = { numRuns: Number(process.env.PIGATO_FUZZ_RUNS ?? 60), seed: Number(process.env.PIGATO_FUZZ_SEED) };
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

interface Opened {
  readonly connection: SocketConnection;
  readonly socket: Socket;
  readonly messages: string[][];
  readonly subscriptions: string[];
  readonly ended: Promise<Violation | undefined>;
  readonly up: Promise<void>;
  /** Resolves with the next message or subscription. */
  next(): Promise<void>;
}

test("messages, large frames, commands and subscriptions pass sealed in both directions", async () => {
  const { peer, listener, bytes } = await connected();
  listener.connection.send([Buffer.from("hello"), Buffer.alloc(0), Buffer.alloc(100_000, "x"), "text"], false);
  await peer.next();
  expect(peer.messages).toEqual([["hello", "", "x".repeat(100_000), "text"]]);
  peer.connection.subscribe("topic");
  await listener.next();
  peer.connection.send([Buffer.from("and back")], false);
  await listener.next();
  expect([listener.subscriptions, listener.messages]).toEqual([["topic"], [["and back"]]]);
  expect(bytes().includes("READY")).toBe(true);
  for (const text of ["and back", "SUBSCRIBE", "topic"]) expect(bytes().includes(text)).toBe(false);
});

test("a frame that is not sealed ends the connection", async () => {
  const { peer, listener } = await connected();
  peer.socket.write(encodeFrame(0, Buffer.from("in clear text")));
  expect(await listener.ended).toMatchObject({
    code: "PROTOCOL",
    detail: "a frame that was not sealed, or out of order",
  });
  expect(listener.messages).toEqual([]);
});

const frame = fc
  .oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(8_192, 70_000))
  .map((size) => Buffer.alloc(size, "f"));
const messages = fc.array(fc.array(frame, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 5 });

test("sealed frames give the same messages, however they are split", () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat(), { maxLength: 8 }), fc.boolean(), (sent, places, areOurs) => {
      const protection = maskingProtection();
      const bytes = sent.flatMap((frames) =>
        frames.map((each, index) => encodeFrame(0, protection.seal(index < frames.length - 1 ? MORE : 0, each))),
      );
      const { reports, violation } = readMessages(cut(Buffer.concat(bytes), places), areOurs, maskingProtection());
      expect(violation).toBeUndefined();
      expect(reports).toEqual(sent.map((frames) => frames.map(String).join("|")));
    }),
    PARAMETERS,
  );
});

test.each<[string, string, number, number]>([
  ["a frame over the bound", "FRAME_TOO_LARGE", 0, LIMITS.maxFrameBytes + 1],
  ["a command over the bound", "FRAME_TOO_LARGE", COMMAND, 16 * 1024 + 1],
  ["a command with MORE", "PROTOCOL", COMMAND | MORE, 1],
])("the bounds apply to what a sealed frame contains: %s", (_what, code, flags, size) => {
  const bytes = encodeFrame(0, maskingProtection().seal(flags, Buffer.alloc(size)));
  expect(readMessages([bytes], true, maskingProtection())).toMatchObject({ reports: [], violation: { code } });
  const largest = encodeFrame(0, maskingProtection().seal(0, Buffer.alloc(LIMITS.maxFrameBytes)));
  expect(readMessages([largest], true, maskingProtection())).toMatchObject({ violation: undefined });
});

/** Two connections that are up, and all bytes that the listener has received. */
async function connected(): Promise<{ peer: Opened; listener: Opened; bytes: () => Buffer }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const accepted = once(server, "connection");
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  const [serverSocket] = await accepted;
  server.close();
  let bytes = Buffer.alloc(0);
  const listener = open(serverSocket, MASKING_LISTENER);
  serverSocket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  const peer = open(socket, MASKING_PEER);
  await Promise.all([peer.up, listener.up]);
  return { peer, listener, bytes: () => bytes };
}

function open(socket: Socket, mechanism: SecurityMechanism): Opened {
  sockets.push(socket);
  const isActive = mechanism === MASKING_PEER;
  const settings: ConnectionSettings = {
    linkName: isActive ? "dealer" : "router",
    metadata: { socketType: isActive ? "SUB" : "PUB", routingId: "" },
    mechanism,
    peerTypes: new Set(["SUB", "PUB"]),
    isActive,
    limits: DEFAULT_LINK_LIMITS,
    pool: new BufferPool(),
    flusher: new Flusher(setImmediate),
    receiving: new ReceiveBudget(DEFAULT_LINK_LIMITS),
  };
  const messages: string[][] = [];
  const subscriptions: string[] = [];
  let onNext = () => {};
  let onUp = () => {};
  let onEnd = (_violation: Violation | undefined) => {};
  const up = new Promise<void>((resolve) => {
    onUp = resolve;
  });
  const ended = new Promise<Violation | undefined>((resolve) => {
    onEnd = resolve;
  });
  const connection = new SocketConnection(socket, settings, {
    outboxForConnection: () => new Outbox(DEFAULT_LINK_LIMITS),
    onIntroduced: () => undefined,
    onUp: () => onUp(),
    onMessage: (_connection, frames) => {
      messages.push(frames.map((each) => Buffer.from(each).toString()));
      onNext();
    },
    onSubscription: (_connection, prefix) => {
      subscriptions.push(prefix);
      onNext();
    },
    onDrain: () => {},
    onEnd: (_connection, violation) => onEnd(violation),
  });
  const next = () =>
    new Promise<void>((resolve) => {
      onNext = resolve;
    });
  socket.on("data", (chunk: Buffer) => connection.onData(chunk, true));
  connection.greet();
  return { connection, socket, messages, subscriptions, ended, up, next };
}
