// Bits and bounds of a ZMTP frame (RFC 37 §"Framing"; RFC 23 has the same): one byte of flags, the size in one byte or,
// if it is long, in eight, then the body.

export const MORE = 1;
export const LONG = 2;
export const COMMAND = 4;
/** The other bits have to be zero. */
export const ALL_FLAGS: number = MORE | LONG | COMMAND;

export const SHORT_HEADER_BYTES = 2;
export const LONG_HEADER_BYTES = 9;
export const MAX_SHORT_SIZE = 255;

/** No command that we know comes near. What a peer says about itself in READY has to fit. */
export const MAX_COMMAND_BYTES: number = 16 * 1024;
