// The value of a reply: JSON, or in the codec that its options name. Only the reply to a request that asked for a codec may name
// one (P-CODEC-3), so all other replies cost nothing here.

import { decodePayload, NULL_FRAME, type ToClient } from "@pigato/protocol";
import { type BodyCodecName, type BodyCodecs, DecodeCache, MALFORMED, readReplyCodec } from "@pigato/protocol/internal";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

export class ReplyValues {
  readonly #codecs: BodyCodecs | undefined;
  readonly #names = new DecodeCache(readReplyCodec);

  constructor(codecs: BodyCodecs | undefined) {
    this.#codecs = codecs;
  }

  /**
   * The value, `NOT_JSON`, or `MALFORMED` for what is not in the named codec.
   * @param accept the codec that the request asked for
   */
  read({ status, body, trailer }: Reply, accept: BodyCodecName | undefined): unknown {
    const frame = body[0] ?? NULL_FRAME;
    const options = trailer[0];
    // An error is JSON.
    if (accept === undefined || options === undefined || status !== 0) return decodePayload(frame);
    const name = this.#names.read(options);
    if (name === undefined) return decodePayload(frame);
    return name === accept && this.#codecs !== undefined ? this.#codecs.get(name).decode(frame) : MALFORMED;
  }
}
