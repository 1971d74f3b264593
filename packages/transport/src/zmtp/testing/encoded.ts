// What an end writes, as bytes: greetings, commands and messages.

import type { FramesToSend } from "../../byte-strings.ts";
import * as commands from "../commands.ts";
import { BufferPool, FrameWriter } from "../frame-writer.ts";
import * as greeting from "../greeting.ts";
import { encodeMetadata } from "../metadata.ts";
import { COMMAND, encodeFrame } from "../wire.ts";

/** Messages as a writer encodes them. */
export function encoded(messages: readonly FramesToSend[]): Buffer {
  const writer = new FrameWriter(new BufferPool());
  for (const message of messages) writer.add(message);
  return Buffer.concat(writer.take().pieces);
}

/** A greeting with NULL by default. */
export function encodeGreeting(mechanism: "NULL" | "PLAIN" | "CURVE" = "NULL"): Buffer {
  return greeting.encodeGreeting(mechanism, false);
}

export function encodeCommand(name: string, ...data: readonly (Uint8Array | string)[]): Buffer {
  return encodeFrame(COMMAND, commands.encodeCommand(name, ...data.map((each) => Buffer.from(each))));
}

export function encodeReady(socketType: string, routingId: string): Buffer {
  return encodeCommand("READY", encodeMetadata({ socketType, routingId }));
}

/** As our dealer sends READY, or with PLAIN INITIATE. */
export function encodeOurDealer(command: "READY" | "INITIATE", routingId: string): Buffer {
  return encodeCommand(command, encodeMetadata({ socketType: "DEALER", routingId, retriesAfterError: true }));
}

export function encodeInitiate(socketType: string, routingId: string): Buffer {
  return encodeCommand("INITIATE", encodeMetadata({ socketType, routingId }));
}

/** @param username and password have at most 255 bytes */
export function encodeHello(username: string, password: string): Buffer {
  const words = [username, password].flatMap((word) => [Uint8Array.of(Buffer.byteLength(word)), Buffer.from(word)]);
  return encodeCommand("HELLO", ...words);
}

export function encodeError(reason: string): Buffer {
  return encodeFrame(COMMAND, commands.encodeError(reason));
}

export function encodePing(ttlMs: number): Buffer {
  return encodeFrame(COMMAND, commands.encodePing(ttlMs));
}

export function encodePong(context: Uint8Array): Buffer {
  return encodeFrame(COMMAND, commands.encodePong(context));
}

/** A subscription as a command, as in 3.1, or as a message, as in 3.0. */
export function encodeSubscribe(prefix: string, speaks31: boolean): Buffer {
  if (speaks31) return encodeFrame(COMMAND, commands.encodeSubscribe(prefix));
  return encodeFrame(0, Buffer.from(`\u0001${prefix}`, "latin1"));
}
