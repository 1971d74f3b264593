// Metadata of a ZMTP handshake: what an end says about itself in READY or INITIATE. It is a list of properties, each with a name
// (length in one byte) and a value (length in four). Names are case-insensitive. Unknown properties are ignored.

import { protocolViolation, type Violation } from "./wire.ts";

export interface Metadata {
  readonly socketType: string;
  /** A byte string, or empty. */
  readonly routingId: string;
  /** This end connects again after ERROR, where libzmq gives up. So it may get one for a reason that can pass. */
  readonly retriesAfterError?: true;
  /** A text for the application at the other end. */
  readonly announcement?: string;
}

const VALUE_SIZE_BYTES = 4;
/** RFC 37 reserves names with "X-" for applications. */
const RETRIES = "X-Retries-After-Error";
const ANNOUNCEMENT = "X-Announcement";

export function encodeMetadata({ socketType, routingId, retriesAfterError, announcement }: Metadata): Buffer {
  const properties = [encodeProperty("Socket-Type", socketType), encodeProperty("Identity", routingId)];
  if (retriesAfterError) properties.push(encodeProperty(RETRIES, "1"));
  if (announcement !== undefined) properties.push(encodeProperty(ANNOUNCEMENT, announcement));
  return Buffer.concat(properties);
}

/** The last of several properties with the same name counts. */
export function decodeMetadata(data: Buffer): Metadata | Violation {
  let socketType = "";
  let routingId = "";
  let retriesAfterError = false;
  let announcement: string | undefined;
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + (data[at] ?? 0);
    const valueAt = nameEnd + VALUE_SIZE_BYTES;
    if (valueAt > data.length) return protocolViolation("the metadata ends within a property");
    const valueEnd = valueAt + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) return protocolViolation("the metadata ends within a property");
    const name = data.toString("latin1", at + 1, nameEnd).toLowerCase();
    if (name === "socket-type") socketType = data.toString("latin1", valueAt, valueEnd);
    else if (name === "identity") routingId = data.toString("latin1", valueAt, valueEnd);
    else if (name === RETRIES.toLowerCase()) retriesAfterError = data.toString("latin1", valueAt, valueEnd) === "1";
    else if (name === ANNOUNCEMENT.toLowerCase()) announcement = data.toString("latin1", valueAt, valueEnd);
    at = valueEnd;
  }
  return {
    socketType,
    routingId,
    ...(retriesAfterError && { retriesAfterError }),
    ...(announcement !== undefined && { announcement }),
  };
}

function encodeProperty(name: string, value: string): Buffer {
  const head = Buffer.alloc(1 + name.length + VALUE_SIZE_BYTES);
  head[0] = name.length;
  head.write(name, 1, "latin1");
  head.writeUInt32BE(value.length, 1 + name.length);
  return Buffer.concat([head, Buffer.from(value, "latin1")]);
}
