// The options of a session in a test. Importing this file checks every session, too.

import type { SessionOptions } from "../session/session.ts";
import "./watch-sessions.ts";

export interface SessionChanges extends Partial<Omit<SessionOptions, "connection" | "limits">> {
  readonly connection?: Partial<SessionOptions["connection"]>;
  readonly limits?: Partial<SessionOptions["limits"]>;
}

/** @param changes what the test is about */
export function sessionOptions({ connection, limits, ...changes }: SessionChanges = {}): SessionOptions {
  return {
    connection: {
      addresses: ["tcp://a"],
      heartbeatMs: 1_000,
      liveness: 3,
      backoff: { firstMs: 100, maxMs: 400 },
      connectTimeoutMs: 500,
      brokerAnswers: true,
      random: () => 0,
      ...connection,
    },
    limits: { maxQueuedRequests: 10, maxOpenRequests: 20, timeoutGraceMs: 200, hasStableId: false, ...limits },
    stopTimeoutMs: 2_000,
    negotiate: true,
    ...changes,
  };
}
