// The contract of the service, which worker and client share. Its methods have types without schemas; apps/stocks has schemas, too.

import { serverStream, service, unary } from "@pigato/contract";

export const echo = service("echo", {
  /** Returns what it takes. */
  say: unary<unknown, unknown>({ idempotent: true }),
  /** Returns a text several times. */
  repeat: serverStream<{ readonly text: string; readonly times: number }, string>({ idempotent: true }),
});
