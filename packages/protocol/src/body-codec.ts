// Codecs of bodies besides JSON (P-CODEC-1). A message names its codec in its options: only peers that agreed on a codec use it,
// and the broker passes bodies on unread. The codecs themselves are in @pigato/peer, because one of them needs a package.

import { type Frame, sameBytes } from "./frame.ts";
import { readText, writeText } from "./ids.ts";
import { getOwn } from "./payload.ts";

/** `raw` is bytes as they are, `msgpack` is MessagePack. */
export type BodyCodecName = "raw" | "msgpack";

export const BODY_CODEC_NAMES: readonly BodyCodecName[] = Object.freeze(["raw", "msgpack"]);

/** What `BodyCodec.decode` returns for bytes that the codec did not write. */
export const MALFORMED: unique symbol = Symbol("malformed");

export interface BodyCodec {
  /** @throws UsageError for a value that the codec cannot carry */
  encode(value: unknown): Frame;
  /** The value of a body, or `MALFORMED`. Never throws. */
  decode(frame: Frame): unknown;
}

/** The codecs of a peer. A session gets them, because the core loads no package. */
export interface BodyCodecs {
  /** Those that this process can use, for an offer. */
  readonly installed: readonly BodyCodecName[];
  get(name: BodyCodecName): BodyCodec;
}

/** The codecs in the options of a request. An absent one is JSON. */
export interface RequestCodecs {
  /** Of the body of the request. */
  readonly codec?: BodyCodecName;
  /** In which the client wants the replies. */
  readonly accept?: BodyCodecName;
  /** Of the chunks of its input. */
  readonly inputCodec?: BodyCodecName;
}

export function isBodyCodecName(value: unknown): value is BodyCodecName {
  return value === "raw" || value === "msgpack";
}

/** An unknown word counts as JSON: an old client may use the name for an option of its own. */
export function readRequestCodecs(options: object): RequestCodecs {
  if (!("codec" in options) && !("accept" in options) && !("inputCodec" in options)) return {};
  const codec = codecIn(options, "codec", undefined);
  const accept = codecIn(options, "accept", codec);
  const inputCodec = codecIn(options, "inputCodec", accept);
  return {
    ...(codec !== undefined && { codec }),
    ...(accept !== undefined && { accept }),
    ...(inputCodec !== undefined && { inputCodec }),
  };
}

/** The codec that the options of a reply name. */
export function readReplyCodec(options: Frame): BodyCodecName | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readText(options));
  } catch {
    return undefined;
  }
  const codec = getOwn(value, "codec");
  return isBodyCodecName(codec) ? codec : undefined;
}

/** The options of a reply that name its codec and nothing else. */
export const CODEC_OPTIONS: Readonly<Record<BodyCodecName, Frame>> = Object.freeze({
  raw: writeText('{"codec":"raw"}'),
  msgpack: writeText('{"codec":"msgpack"}'),
});

export function isCodecAlone(options: Frame): boolean {
  return sameBytes(options, CODEC_OPTIONS.raw) || sameBytes(options, CODEC_OPTIONS.msgpack);
}

function codecIn(options: object, name: string, absent: BodyCodecName | undefined): BodyCodecName | undefined {
  const word = getOwn(options, name);
  if (word === undefined) return absent;
  return isBodyCodecName(word) ? word : undefined;
}
