// The pure part of this package: sessions import it without the sockets and timers of the rest.

export { type Backoff, pauseBefore } from "./backoff.ts";
export { Connection, type ConnectionOptions, type ConnectionStep, type LossReason } from "./connection.ts";
