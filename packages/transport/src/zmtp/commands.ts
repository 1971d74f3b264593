// Commands of ZMTP: what the ends say to each other besides messages. A command is a frame whose body is a name, with its
// length in one byte before it, and data. READY carries properties; PING carries how long to wait for the next one, in
// tenths of a second, and a context that PONG gives back; SUBSCRIBE and CANCEL carry what messages start with.

import type { Violation } from "./violation.ts";
import { COMMAND, LONG, LONG_HEADER_BYTES, MAX_SHORT_SIZE, SHORT_HEADER_BYTES } from "./wire.ts";

export type Command =
  | { readonly type: "ready"; readonly socketType: string; readonly routingId: string }
  | { readonly type: "error"; readonly reason: string }
  | { readonly type: "ping"; readonly ttlMs: number; readonly context: Uint8Array }
  | { readonly type: "pong" }
  | { readonly type: "subscribe" | "cancel"; readonly prefix: string }
  | { readonly type: "unknown"; readonly name: string };

const MS_PER_TTL_UNIT = 100;
const MAX_TTL_UNITS = 0xffff;
const MAX_CONTEXT_BYTES = 16;
const NO_CONTEXT = new Uint8Array(0);

export function encodeReady(socketType: string, routingId: string): Buffer {
  return command("READY", property("Socket-Type", socketType), property("Identity", routingId));
}

/** @param reason at most 255 bytes of it are sent */
export function encodeError(reason: string): Buffer {
  const text = Buffer.from(reason, "latin1").subarray(0, MAX_SHORT_SIZE);
  return command("ERROR", Uint8Array.of(text.length), text);
}

/** @param ttlMs the other end may count us as gone after as many milliseconds without anything from us */
export function encodePing(ttlMs: number): Buffer {
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(Math.min(MAX_TTL_UNITS, Math.ceil(ttlMs / MS_PER_TTL_UNIT)));
  return command("PING", ttl);
}

export function encodePong(context: Uint8Array): Buffer {
  return command("PONG", context);
}

/**
 * What a subscriber says to a publisher.
 * @param prefix a byte string
 * @param speaks31 the publisher understands the command. Those of version 3.0 take a message that starts with 1.
 */
export function encodeSubscribe(prefix: string, speaks31: boolean): Buffer {
  const bytes = Buffer.from(prefix, "latin1");
  return speaks31 ? command("SUBSCRIBE", bytes) : framed(0, Buffer.concat([Uint8Array.of(1), bytes]));
}

/** @param body of a command frame. What it keeps of the bytes is copied. */
export function decodeCommand(body: Buffer): Command | Violation {
  const nameBytes = body[0] ?? 0;
  const dataAt = 1 + nameBytes;
  if (nameBytes === 0 || dataAt > body.length) return malformed("a command without a name");
  const name = body.toString("latin1", 1, dataAt);
  const data = body.subarray(dataAt);
  switch (name) {
    case "READY":
      return decodeReady(data);
    case "ERROR":
      return { type: "error", reason: data.toString("latin1", 1, 1 + (data[0] ?? 0)) };
    case "PING":
      return decodePing(data);
    case "PONG":
      return { type: "pong" };
    case "SUBSCRIBE":
      return { type: "subscribe", prefix: data.toString("latin1") };
    case "CANCEL":
      return { type: "cancel", prefix: data.toString("latin1") };
    default:
      return { type: "unknown", name };
  }
}

function decodePing(data: Buffer): Command | Violation {
  if (data.length < 2) return malformed("a PING without a time to live");
  if (data.length > 2 + MAX_CONTEXT_BYTES)
    return malformed(`a PING with more than ${MAX_CONTEXT_BYTES} bytes of context`);
  const context = data.length === 2 ? NO_CONTEXT : Uint8Array.from(data.subarray(2));
  return { type: "ping", ttlMs: data.readUInt16BE(0) * MS_PER_TTL_UNIT, context };
}

function decodeReady(data: Buffer): Command | Violation {
  let socketType = "";
  let routingId = "";
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + (data[at] ?? 0);
    const valueAt = nameEnd + 4;
    if (valueAt > data.length) return malformed("READY ends within a property");
    const valueEnd = valueAt + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) return malformed("READY ends within a property");
    // Names of properties do not care for case.
    const name = data.toString("latin1", at + 1, nameEnd).toLowerCase();
    if (name === "socket-type") socketType = data.toString("latin1", valueAt, valueEnd);
    else if (name === "identity") routingId = data.toString("latin1", valueAt, valueEnd);
    at = valueEnd;
  }
  return { type: "ready", socketType, routingId };
}

function property(name: string, value: string): Buffer {
  const head = Buffer.alloc(1 + name.length + 4);
  head[0] = name.length;
  head.write(name, 1, "latin1");
  head.writeUInt32BE(value.length, 1 + name.length);
  return Buffer.concat([head, Buffer.from(value, "latin1")]);
}

function command(name: string, ...data: Uint8Array[]): Buffer {
  return framed(COMMAND, Buffer.concat([Uint8Array.of(name.length), Buffer.from(name, "latin1"), ...data]));
}

function framed(flags: number, body: Buffer): Buffer {
  const isLong = body.length > MAX_SHORT_SIZE;
  const header = Buffer.alloc(isLong ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES);
  header[0] = isLong ? flags | LONG : flags;
  if (isLong) header.writeUInt32BE(body.length, LONG_HEADER_BYTES - 4);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

function malformed(detail: string): Violation {
  return { code: "PROTOCOL", detail };
}
