// The capabilities that a request needs of its broker.

import type { Capabilities, Failure } from "@pigato/protocol";
import { excessOf, type SizeBounds } from "@pigato/protocol/internal";
import type { Call } from "./calls.ts";
import type { RequestMessage } from "./effects.ts";
import { tooLarge, unsupportedAcceptTimeout, unsupportedCodec, unsupportedInput } from "./failures.ts";

/** Whether any broker takes the request, as far as its options say. Otherwise it waits until the broker is known. */
export function isClassic({ options, deadlineMs, hasHeaders }: RequestMessage): boolean {
  const { codec, hasInput, acceptTimeoutMs } = options;
  const isTagged = deadlineMs !== undefined || hasHeaders === true;
  return codec === undefined && !hasInput && acceptTimeoutMs === undefined && !isTagged;
}

/** @param message the request as it is sent. @returns why this broker cannot take it */
export function obstacleTo(
  call: Call,
  { body, trailer, options }: RequestMessage,
  { codecs, duplex, methods }: Capabilities,
  bounds: SizeBounds,
): Failure | undefined {
  if (options.codec !== undefined && !codecs.includes(options.codec)) return unsupportedCodec(call, options.codec);
  if (options.hasInput && !duplex) return unsupportedInput(call);
  if (options.acceptTimeoutMs !== undefined && !methods) return unsupportedAcceptTimeout(call);
  const excess = call.message.excess ?? excessOf(bounds, body, trailer[1] ?? trailer[0]);
  return excess === undefined ? undefined : tooLarge(call, excess);
}
