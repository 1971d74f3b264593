// How large a frame and a message a peer accepts (P-SIZE-1). A peer announces its bounds only if they differ from the default, so
// that a peer that announces nothing has these. A sender that checks them loses one request and not its connection.

import type { Capabilities } from "./capabilities.ts";
import type { Frame, Frames } from "./frame.ts";

export interface SizeBounds {
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
}

export const DEFAULT_SIZE_BOUNDS: SizeBounds = Object.freeze({
  maxFrameBytes: 64 * 1024 * 1024,
  maxMessageBytes: 256 * 1024 * 1024,
});

/** No peer has smaller bounds, so smaller messages need no check. */
const SMALL_BYTES = 512;
/** The most bytes of a message besides its payload and its options: names, tags and digits. */
const ENVELOPE_BYTES = 1024;

/** The own bounds, as an offer or an answer announces them. */
export function announcedBounds({ maxFrameBytes, maxMessageBytes }: SizeBounds): Partial<SizeBounds> {
  return {
    ...(maxFrameBytes !== DEFAULT_SIZE_BOUNDS.maxFrameBytes && { maxFrameBytes }),
    ...(maxMessageBytes !== DEFAULT_SIZE_BOUNDS.maxMessageBytes && { maxMessageBytes }),
  };
}

/** The bounds of the peer that sent an offer or an answer. */
export function boundsIn(announced: Capabilities | undefined): SizeBounds {
  return {
    maxFrameBytes: announced?.maxFrameBytes ?? DEFAULT_SIZE_BOUNDS.maxFrameBytes,
    maxMessageBytes: announced?.maxMessageBytes ?? DEFAULT_SIZE_BOUNDS.maxMessageBytes,
  };
}

/** The bounds of a peer that accepts less than the sender itself. Otherwise nothing that the sender received is too large. */
export function lowerBoundsIn(announced: Capabilities, own: SizeBounds): SizeBounds | undefined {
  const bounds = boundsIn(announced);
  const isLower = bounds.maxFrameBytes < own.maxFrameBytes || bounds.maxMessageBytes < own.maxMessageBytes;
  return isLower ? bounds : undefined;
}

/** How a message exceeds the bounds of its recipient, as an error says it. @param options the options frame */
export function excessOf(bounds: SizeBounds, body: Frames, options: Frame | undefined): string | undefined {
  let bytes = options === undefined ? 0 : options.length;
  let largest = bytes;
  for (const { length } of body) {
    bytes += length;
    if (length > largest) largest = length;
  }
  return bytes <= SMALL_BYTES ? undefined : excessIn(bounds, bytes, largest);
}

/** As `excessOf`, for a body of one frame of this size. */
export function excessOfFrame(bounds: SizeBounds, size: number, options: Frame | undefined): string | undefined {
  const optionsSize = options?.length ?? 0;
  return excessIn(bounds, size + optionsSize, Math.max(size, optionsSize));
}

function excessIn({ maxFrameBytes, maxMessageBytes }: SizeBounds, bytes: number, largest: number): string | undefined {
  if (largest > maxFrameBytes) return `a frame of ${largest} bytes; the bound is ${maxFrameBytes} (maxFrameBytes)`;
  if (bytes + ENVELOPE_BYTES <= maxMessageBytes) return undefined;
  return `a message of ${bytes} bytes and its envelope; the bound is ${maxMessageBytes} (maxMessageBytes)`;
}
