// The codecs of bodies besides JSON, by name, and the codec `raw`: bytes as they are. They are passed on by reference, so neither
// side copies or encodes them.

import { UsageError } from "@pigato/protocol";
import { type BodyCodec, type BodyCodecName, type BodyCodecs, type Frames, isBytes } from "@pigato/protocol/internal";
import { MSGPACK } from "./msgpack.ts";

type Frame = Frames[number];

const RAW: BodyCodec = Object.freeze({ encode: bytesOf, decode: bufferOf });

export const bodyCodecs: BodyCodecs = Object.freeze({
  get installed(): readonly BodyCodecName[] {
    return MSGPACK.isInstalled ? ["raw", "msgpack"] : ["raw"];
  },
  get(name: BodyCodecName): BodyCodec {
    return name === "raw" ? RAW : MSGPACK;
  },
});

/** Whether the codec carries a value: a `Uint8Array`, such as a Buffer, or an `ArrayBuffer`. */
export function isRawValue(value: unknown): value is Uint8Array | ArrayBuffer {
  return isBytes(value) || isArrayBuffer(value);
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return (
    typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object ArrayBuffer]"
  );
}

function bytesOf(value: unknown): Frame {
  if (isBytes(value)) return value;
  if (isArrayBuffer(value)) return new Uint8Array(value);
  throw new UsageError('the codec "raw" carries bytes: a Uint8Array, such as a Buffer, or an ArrayBuffer');
}

/** A view of the frame. One that would keep a much larger buffer alive is a copy. */
function bufferOf(frame: Frame): Buffer {
  const { buffer, byteOffset, length } = frame;
  return 2 * length < buffer.byteLength ? Buffer.from(frame) : Buffer.from(buffer, byteOffset, length);
}
