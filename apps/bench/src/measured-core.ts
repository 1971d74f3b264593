// A broker's core to be measured by itself: no bound of it is in the way.

import { pigato } from "@pigato/protocol";
import { BrokerCore, type CoreOptions } from "./broker-core.ts";

const OPTIONS: CoreOptions = {
  dialects: { [pigato.id]: pigato.traits },
  heartbeatMs: 2_500,
  heartbeatLiveness: 3,
  busyTimeoutMs: 900_000,
  dispatchMode: "load",
  whenDeclined: "fail",
  settleMs: 100,
  maxRequests: 10_000_000,
  maxRequestsPerClient: 10_000_000,
  maxQueuedPerService: 10_000_000,
  maxRequestBytes: 1e12,
  maxWorkers: 10_000_000,
  maxClients: 10_000_000,
  maxHeldAnswers: 100_000,
  maxHeldAnswersPerClient: 10_000,
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
