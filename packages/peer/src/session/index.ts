// The pure part of this package: sessions import it without the sockets and timers of the rest.

export { type Backoff, pauseBefore } from "./backoff.ts";
export { Connection, type ConnectionOptions, type ConnectionStep, type LossReason } from "./connection.ts";
export type { CallId, RuntimeEffect, RuntimeInput } from "./effects.ts";
export { ChunkBatch } from "./flow/chunk-batch.ts";
export { ReadReports } from "./flow/read-reports.ts";
export { ReceiveWindow } from "./flow/receiver.ts";
export { Sender, type SendStream } from "./flow/sender.ts";
export { mayOffer, type Negotiation } from "./negotiation.ts";
export { SlotTable } from "./slot-table.ts";
