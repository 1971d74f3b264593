// What varies from request to request travels in frames of its own, directly behind the options, in this order (P-TAG-1):
//
//   credit=n   deadline=ms   caller=id   attempt=n   headers={json}
//
// Inside the options, the values could be mistaken for options of the service, and no cache of decoded options would hit. A mark
// distinguishes each tag from other frames. `caller` and `attempt` are of the broker alone.

import { MAX_CREDIT } from "../../credit.ts";
import type { Frame, Frames } from "../../frame.ts";
import { MAX_NAME_BYTES, readBytes, writeBytes, writeText } from "../../ids.ts";

const CREDIT = "credit=";
const DEADLINE = "deadline=";
const CALLER = "caller=";
const ATTEMPT = "attempt=";
const HEADERS = "headers=";
const HEADERS_MARK: Frame = writeText(HEADERS);
const CALLER_MARK: Frame = writeText(CALLER);
const ATTEMPT_MARK: Frame = writeText(ATTEMPT);

const MAX_DIGITS = 15;
const POSITIVE = /^[1-9][0-9]*$/;

/** What the tags of a request say. A field is absent if its tag is. */
export interface Tags {
  readonly credit?: number | undefined;
  /** Milliseconds that are left until the deadline. */
  readonly deadlineMs?: number | undefined;
  /** A byte string. */
  readonly caller?: string | undefined;
  readonly attempt?: number | undefined;
  /** Whether the frame behind the options, in the trailer, is that of the headers. */
  readonly hasHeaders?: boolean;
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** Whether the length allows a first grant: cheaper than a cache lookup. */
export function mayBeFirstGrant(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length > CREDIT.length && frame.length <= CREDIT.length + MAX_DIGITS;
}

/** The chunks granted, at most `MAX_CREDIT`; `undefined` for any other frame. */
export function readFirstGrant(frame: Frame | undefined): number | undefined {
  const chunks = readNumber(frame, CREDIT);
  return chunks === undefined ? undefined : Math.min(chunks, MAX_CREDIT);
}

export function writeFirstGrant(chunks: number): Frame {
  return writeText(`${CREDIT}${chunks}`);
}

/** How the tags are read; the first grant, which is on the path of every stream, with a cache. */
interface TagReader {
  readFirstGrant(frame: Frame | undefined): number | undefined;
}

/** Takes the tags of a client out of the trailer, except the headers. Also takes out those that only a broker may send. */
export function withClientTags<Request extends { readonly trailer: Frames }>(
  reader: TagReader,
  request: Request,
): Request & Tags {
  const { trailer } = request;
  const credit = reader.readFirstGrant(trailer[1]);
  const [options] = trailer;
  if (options === undefined) return request;
  // The usual case: nothing but a grant.
  if (credit !== undefined && trailer.length === 2) return { ...request, trailer: [options], credit };
  let at = credit === undefined ? 1 : 2;
  const deadlineMs = readNumber(trailer[at], DEADLINE);
  if (deadlineMs !== undefined) at += 1;
  const hasHeaders = startsWith(trailer[at], HEADERS_MARK);
  // Removes all grants, so that no second grant takes the place of the first.
  const isOthers = (frame: Frame): boolean =>
    !isOfBroker(frame) && (credit === undefined || readFirstGrant(frame) === undefined);
  return tagged(request, [options, ...trailer.slice(at).filter(isOthers)], { credit, deadlineMs, hasHeaders });
}

/** Takes the tags of the broker out of the trailer, except the headers. */
export function withBrokerTags<Request extends { readonly trailer: Frames }>(
  reader: TagReader,
  request: Request,
): Request & Tags {
  const { trailer } = request;
  const [options] = trailer;
  if (options === undefined) return request;
  let at = 1;
  const credit = reader.readFirstGrant(trailer[at]);
  if (credit !== undefined) at += 1;
  const deadlineMs = readNumber(trailer[at], DEADLINE);
  if (deadlineMs !== undefined) at += 1;
  const caller = readCaller(trailer[at]);
  if (caller !== undefined) at += 1;
  const attempt = readNumber(trailer[at], ATTEMPT);
  if (attempt !== undefined) at += 1;
  const hasHeaders = startsWith(trailer[at], HEADERS_MARK);
  const others = trailer.slice(at);
  const rest = credit === undefined ? others : others.filter((frame) => readFirstGrant(frame) === undefined);
  return tagged(request, [options, ...rest], { credit, deadlineMs, caller, attempt, hasHeaders });
}

/** The tags before the headers, in their order. */
export function writeTags({ credit, deadlineMs, caller, attempt }: Tags, writer: TagWriter): Frame[] {
  const frames: Frame[] = [];
  if (credit !== undefined) frames.push(writer.writeFirstGrant(credit));
  if (deadlineMs !== undefined) frames.push(writeText(`${DEADLINE}${deadlineMs}`));
  if (caller !== undefined) frames.push(writeBytes(`${CALLER}${caller}`));
  if (attempt !== undefined) frames.push(writeText(`${ATTEMPT}${attempt}`));
  return frames;
}

interface TagWriter {
  writeFirstGrant(chunks: number): Frame;
}

/** @param json an object whose values are strings */
export function writeHeaders(json: string): Frame {
  return writeText(HEADERS + json);
}

/** The JSON in a frame of headers. */
export function headersIn(frame: Frame): Frame {
  return frame.subarray(HEADERS.length);
}

function tagged<Request extends object>(request: Request, trailer: Frames, tags: Tags): Request & Tags {
  const result: Request & Mutable<Tags> = { ...request, trailer };
  const { credit, deadlineMs, caller, attempt, hasHeaders } = tags;
  if (credit !== undefined) result.credit = credit;
  if (deadlineMs !== undefined) result.deadlineMs = deadlineMs;
  if (caller !== undefined) result.caller = caller;
  if (attempt !== undefined) result.attempt = attempt;
  if (hasHeaders === true) result.hasHeaders = true;
  return result;
}

/** A positive integer in canonical digits behind a mark. */
function readNumber(frame: Frame | undefined, mark: string): number | undefined {
  if (frame === undefined || frame.length <= mark.length || frame.length > mark.length + MAX_DIGITS) return undefined;
  const text = readBytes(frame);
  const digits = text.slice(mark.length);
  return text.startsWith(mark) && POSITIVE.test(digits) ? Number(digits) : undefined;
}

function readCaller(frame: Frame | undefined): string | undefined {
  if (frame === undefined || frame.length > CALLER.length + MAX_NAME_BYTES) return undefined;
  return startsWith(frame, CALLER_MARK) ? readBytes(frame).slice(CALLER.length) : undefined;
}

function isOfBroker(frame: Frame): boolean {
  return startsWith(frame, CALLER_MARK) || startsWith(frame, ATTEMPT_MARK);
}

function startsWith(frame: Frame | undefined, mark: Frame): boolean {
  if (frame === undefined || frame.length < mark.length) return false;
  for (let at = 0; at < mark.length; at++) if (frame[at] !== mark[at]) return false;
  return true;
}
