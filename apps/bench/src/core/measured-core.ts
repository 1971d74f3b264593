// The broker's core without a broker, with limits so high that no measurement reaches them. The package does not export the core;
// this is the only file that imports it by a path.

import { pigato } from "@pigato/protocol";
import { BrokerCore } from "../../../../packages/broker/src/core/core.ts";
import type { CoreOptions } from "../../../../packages/broker/src/core/core-options.ts";

export type { CoreOptions, DispatchMode } from "../../../../packages/broker/src/core/core-options.ts";
export type { Effect } from "../../../../packages/broker/src/core/effects.ts";

const OPTIONS: CoreOptions = {
  dialects: { [pigato.id]: pigato.traits },
  heartbeatMs: 2_500,
  heartbeatLiveness: 3,
  busyTimeoutMs: 900_000,
  dispatchMode: "load",
  whenDeclined: "fail",
  settleMs: 100,
  maxDispatches: 3,
  maxRequests: 10_000_000,
  maxRequestsPerClient: 10_000_000,
  maxQueuedPerService: 10_000_000,
  maxRequestBytes: 1e12,
  maxFrameBytes: 64 * 1024 * 1024,
  maxMessageBytes: 256 * 1024 * 1024,
  maxRequestBytesPerClient: 1e12,
  maxTimeoutMs: 2_147_483_647,
  maxStoredRequests: 10_000_000,
  maxStoredRequestsPerClient: 10_000_000,
  maxStoredBytes: 1e12,
  maxStoredBytesPerClient: 1e12,
  maxStoredMs: 604_800_000,
  maxWorkers: 10_000_000,
  maxClients: 10_000_000,
  maxHeldReplies: 100_000,
  maxHeldRepliesPerClient: 10_000,
  maxHeldBytes: 1_000_000_000,
  maxHeldBytesPerClient: 1_000_000_000,
  cacheMaxEntries: 10_000,
  cacheMaxBytes: 64 * 2 ** 20,
  cacheMaxReplyBytes: 2 ** 20,
  announces: false,
  random: Math.random,
};

export function measuredCore(options: Partial<CoreOptions> = {}): BrokerCore {
  return new BrokerCore({ ...OPTIONS, ...options });
}
