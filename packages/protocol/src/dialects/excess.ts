// Whether a message is larger than its recipient accepts (P-SIZE-1). Frames that pass unchanged are too large only for a recipient that
// announced a lower bound than the broker's. Frames that become JSON on their way may also grow beyond the broker's own bound.

import type { Frame } from "../frame.ts";
import type { RequestOptions } from "../request-options.ts";
import { excessOf, excessOfFrame, type SizeBounds } from "../size-bounds.ts";
import type { DialectTraits } from "./dialect.ts";
import { methodOverhead } from "./method-body.ts";
import { pigato } from "./pigato/index.ts";
import { excessOfJson, jsonSizeOf } from "./raw-body.ts";

interface Recipient {
  /** The id of its dialect. */
  readonly dialect: string;
  readonly traits: DialectTraits;
  readonly bounds: SizeBounds | undefined;
}

interface Payload {
  readonly body: readonly Frame[];
  readonly isRaw?: boolean | undefined;
  readonly isText?: boolean | undefined;
}

/**
 * @param own what the broker accepts
 * @param options the options frame
 * @returns the size and the bound; `undefined` if the recipient accepts the message
 */
export function excessFor(
  own: SizeBounds,
  recipient: Recipient,
  payload: Payload,
  options: Frame | undefined,
): string | undefined {
  const { bounds } = recipient;
  const excess = bounds && excessOf(bounds, payload.body, options);
  if (excess !== undefined || !becomesJson(recipient, payload)) return excess;
  return excessOfJson(bounds ?? own, payload.body, options);
}

/** As `excessFor`, for a request whose method the worker gets in the body, which is longer than the data (P-CALL-2). */
export function excessWithMethod(
  own: SizeBounds,
  recipient: Recipient,
  { body, options }: { readonly body: readonly Frame[]; readonly options: RequestOptions },
  trailer: Frame | undefined,
): string | undefined {
  const bounds = recipient.bounds ?? own;
  const overhead = methodOverhead(options);
  const size = body.reduce((sum, { length }) => sum + length, overhead);
  if (!becomesJson(recipient, { body })) return excessOfFrame(bounds, size, trailer);
  const smaller = { ...bounds, maxFrameBytes: bounds.maxFrameBytes - overhead };
  if (excessOfJson(smaller, body, trailer) === undefined) return undefined;
  return excessOfFrame(bounds, jsonSizeOf(body) + overhead, trailer);
}

/** D-MAP-9: the broker converts raw bodies for peers that read JSON, and checks all bodies for those that are not PIGATO's. */
function becomesJson({ traits, dialect }: Recipient, { isRaw, isText }: Payload): boolean {
  return !traits.hasFrames && (isRaw === true || dialect !== pigato.id) && isText !== true;
}
