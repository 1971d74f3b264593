// The codec `msgpack`: MessagePack by the package `msgpackr`, which is optional and loaded with the first value. It carries what
// JSON cannot: Date, Map, Set, BigInt, NaN, undefined, Error, bytes and typed arrays. Objects are maps with text as keys, so other
// implementations read them. A Map and an Error are extensions of this file, the other types are those of msgpackr.
//
// msgpackr has a registry of extensions for the whole process, and its usual build compiles code from what it reads. So this uses
// its build without code generation, which has a registry of its own, and reads only what `isSafeMsgpack` has checked.

import nodeModule from "node:module";
import { UsageError } from "@pigato/protocol";
import { type BodyCodec, type Frames, MALFORMED, reasonOf } from "@pigato/protocol/internal";
import { ERROR_EXTENSION, isSafeMsgpack, MAP_EXTENSION } from "./msgpack-check.ts";
import { ErrorParts, errorFrom, MapParts, mapFrom, toPackable } from "./msgpack-values.ts";

type Frame = Frames[number];
type Msgpackr = typeof import("msgpackr");
type Packr = InstanceType<Msgpackr["Packr"]>;

/** The `require` of a module. */
interface Load {
  (name: string): Msgpackr;
  resolve(name: string): string;
}

const PACKAGE = "msgpackr";
const BUILD = "msgpackr/index-no-eval";
/** msgpackr writes into a buffer that it keeps, and that grows with the largest value. */
const BUFFER_BYTES = 8 * 1024;
const MAX_KEPT_BYTES = 64 * 1024;

export class MsgpackCodec implements BodyCodec {
  readonly #load: Load;
  #packr: Packr | undefined;

  constructor(load: Load = ownRequire()) {
    this.#load = load;
  }

  get isInstalled(): boolean {
    try {
      this.#load.resolve(BUILD);
      return true;
    } catch {
      return false;
    }
  }

  encode(value: unknown): Frame {
    this.#packr ??= this.#newPackr();
    const packable = toPackable(value);
    try {
      return ownPart(this.#packr.pack(packable), this.#packr);
    } catch (cause) {
      throw new UsageError(`data cannot be written as MessagePack: ${reasonOf(cause)}`, { cause });
    }
  }

  decode(frame: Frame): unknown {
    const { stackTraceLimit } = Error;
    try {
      this.#packr ??= this.#newPackr();
      if (!isSafeMsgpack(frame)) return MALFORMED;
      // The stack of an Error that is read would show this place.
      Error.stackTraceLimit = 0;
      return this.#packr.unpack(Buffer.from(frame.buffer, frame.byteOffset, frame.length));
    } catch {
      return MALFORMED;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  /** @throws UsageError if the package is not installed */
  #newPackr(): Packr {
    if (!this.isInstalled) {
      const reason = `the package "${PACKAGE}" is not installed: run \`npm install ${PACKAGE}\``;
      throw new UsageError(`cannot use the codec "msgpack": ${reason}`);
    }
    const { addExtension, Packr } = this.#load(BUILD);
    addExtension({ Class: MapParts, type: MAP_EXTENSION, write: partsOf, read: mapFrom });
    addExtension({ Class: ErrorParts, type: ERROR_EXTENSION, write: partsOf, read: errorFrom });
    return new Packr({
      useRecords: false,
      variableMapSize: true,
      mapsAsObjects: true,
      moreTypes: true,
      structuredClone: false,
      // `toPackable` has called it.
      useToJSON: false,
      // What is read must not keep its message alive.
      copyBuffers: true,
    });
  }
}

export const MSGPACK: MsgpackCodec = new MsgpackCodec();

function partsOf(value: MapParts | ErrorParts): readonly unknown[] {
  return value.parts;
}

/** The bytes that were written, without keeping a large buffer alive. */
function ownPart(written: Buffer, packr: Packr): Frame {
  const { byteLength } = written.buffer;
  if (byteLength <= MAX_KEPT_BYTES) return written;
  packr.useBuffer(Buffer.allocUnsafeSlow(BUFFER_BYTES));
  return 2 * written.length < byteLength ? Buffer.from(written) : written;
}

/**
 * A bundle in CommonJS has no `import.meta.url`, and `node --eval` has a global `__filename` that is no path. webpack replaces calls of
 * a `createRequire` that is imported by name.
 */
function ownRequire(): NodeJS.Require {
  const url: unknown = import.meta.url;
  return nodeModule.createRequire(typeof url === "string" ? url : __filename);
}
