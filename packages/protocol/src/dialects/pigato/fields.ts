// The fields that repeat from message to message: ids, service names, options, grants. On the path of every request,
// measured by apps/bench, core.

import { DecodeCache, LastValueCache } from "../../decode-cache.ts";
import type { Frame } from "../../frame.ts";
import { type RequestId, readBytes, readText, requestId, type ServiceName, serviceName } from "../../ids.ts";
import { parseRequestOptions, type RequestOptions } from "../../request-options.ts";
import { mayBeFirstGrant, readFirstGrant, writeFirstGrant } from "./tags.ts";

export interface FieldCodec {
  readAddress(frame: Frame): string;
  readRequestId(frame: Frame): RequestId;
  readService(frame: Frame): ServiceName;
  readOptions(frame: Frame): RequestOptions;
  readFirstGrant(frame: Frame | undefined): number | undefined;
  writeFirstGrant(chunks: number): Frame;
}

/** Decodes every field anew. Holds no state, so all may share it. */
export const UNCACHED_FIELDS: FieldCodec = {
  readAddress: readBytes,
  readRequestId: (frame) => requestId(readBytes(frame)),
  readService: (frame) => serviceName(readBytes(frame)),
  readOptions: (frame) => parseRequestOptions(readText(frame)),
  readFirstGrant,
  writeFirstGrant,
};

/** Decodes a field once while its bytes repeat. */
export class CachedFields implements FieldCodec {
  readonly #addresses = new LastValueCache();
  readonly #requestIds = new LastValueCache();
  readonly #services = new DecodeCache(UNCACHED_FIELDS.readService);
  readonly #options = new DecodeCache(UNCACHED_FIELDS.readOptions);
  readonly #grants = new DecodeCache(readFirstGrant);
  /** The last grant written: nearly all streams start with the same one. */
  #writtenChunks = 0;
  #writtenFrame: Frame | undefined;

  readAddress(frame: Frame): string {
    return this.#addresses.read(frame);
  }

  readRequestId(frame: Frame): RequestId {
    return requestId(this.#requestIds.read(frame));
  }

  readService(frame: Frame): ServiceName {
    return this.#services.read(frame);
  }

  readOptions(frame: Frame): RequestOptions {
    return this.#options.read(frame);
  }

  readFirstGrant(frame: Frame | undefined): number | undefined {
    return mayBeFirstGrant(frame) ? this.#grants.read(frame) : undefined;
  }

  writeFirstGrant(chunks: number): Frame {
    if (this.#writtenFrame === undefined || this.#writtenChunks !== chunks) {
      this.#writtenChunks = chunks;
      this.#writtenFrame = writeFirstGrant(chunks);
    }
    return this.#writtenFrame;
  }
}
