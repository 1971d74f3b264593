// What a queued request of 20 bytes costs the broker's core, in bytes of memory above its payload: the frame, the id and
// the message as the decoder leaves them, and all that the core keeps beside them.

import { DEFAULT_REQUEST_OPTIONS, peerId, requestId, serviceName } from "@pigato/protocol";
import { BrokerCore } from "./broker-core.ts";
import { answer } from "./rounds.ts";

const QUEUED = 100_000;
const PAYLOAD_BYTES = 20;

answer(() => {
  const core = new BrokerCore({
    heartbeatMs: 2_500,
    heartbeatLiveness: 3,
    dispatchMode: "load",
    settleMs: 100,
    maxRequests: QUEUED,
    maxRequestsPerClient: QUEUED,
    maxQueuedPerService: QUEUED,
    maxRequestBytes: 1e12,
    maxWorkers: 1,
    maxClients: 1,
    random: Math.random,
  });
  const service = serviceName("echo");
  const from = peerId("client");
  const before = usedBytes();
  for (let index = 0; index < QUEUED; index++) {
    // As the codec makes it: strings of their own, a view of the bytes that were read, options of their own.
    const message = {
      type: "request",
      service,
      requestId: requestId(
        Buffer.from(`7f9c24e8-3b1a-4c5d-9e6f-${String(index).padStart(12, "0")}`).toString("latin1"),
      ),
      body: [Buffer.from('{"hello":"12345678"}')],
      trailer: [Buffer.from('{"timeout":60001,"retry":1}')],
      options: { ...DEFAULT_REQUEST_OPTIONS, timeoutMs: 60_001, retry: true },
    } as const;
    core.handle({ type: "from-client", from, message }, 1_000);
  }
  const bytes = (usedBytes() - before) / QUEUED - PAYLOAD_BYTES;
  // So that the core lives until here.
  if (core.stats().open !== QUEUED) throw new Error("not all requests are queued");
  return bytes;
});

function usedBytes(): number {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
