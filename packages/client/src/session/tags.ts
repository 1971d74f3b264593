// What varies from request to request, as the broker of this connection reads it (P-TAG-1).

import type { Capabilities } from "@pigato/protocol";
import { type Instant, leftToWire, withHeadersInOptions } from "@pigato/protocol/internal";
import type { Call } from "./calls.ts";
import type { RequestMessage } from "./effects.ts";

/** A request with the tags that the broker negotiated. Without them, it has no deadline, and its headers are in its options. */
export function tagged(
  { message: request, deadlineAt }: Call,
  capabilities: Capabilities,
  now: Instant,
): RequestMessage {
  if (request.deadlineMs === undefined && request.hasHeaders !== true) return request;
  const { type, service, requestId, body, options } = request;
  const isInFrame = request.hasHeaders === true && capabilities.headers;
  const isInOptions = request.hasHeaders === true && !capabilities.headers;
  const trailer = isInOptions ? withHeadersInOptions(request.trailer) : request.trailer;
  return {
    ...{ type, service, requestId, body, trailer, options },
    ...(isInFrame && { hasHeaders: true }),
    ...(capabilities.deadline && deadlineAt !== undefined && { deadlineMs: leftToWire(deadlineAt - now) }),
  };
}
