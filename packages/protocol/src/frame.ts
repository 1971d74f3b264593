/** One part of a message on the wire. Never changed once it is handed on. */
export type Frame = Uint8Array;
