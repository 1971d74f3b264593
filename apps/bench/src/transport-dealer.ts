// The near end of a burst: a dealer that keeps a number of messages in flight for a while.

import { wayCalled } from "./transport-links.ts";

export interface BurstSettings {
  readonly inFlight: number;
  readonly durationMs: number;
}

export interface BurstFigures {
  readonly perSecond: number;
  /** Microseconds of CPU per request, in either process. */
  readonly dealerMicros: number;
  readonly routerMicros: number;
}

/** As a request of the classic wire: tag, type, service, request id, payload, options. */
const MESSAGE = [
  "C",
  "1",
  "echo",
  "0f8fad5b-d9cb-469f-a165-70867728950e",
  '{"n":1,"text":"abc"}',
  '{"timeout":6000}',
].map((text) => Buffer.from(text));

const [, , name, address = ""] = process.argv;
const { transport, peer } = wayCalled(name);
let onAnswer = () => {};
const dealer = transport.dealer(
  { onMessage: () => onAnswer(), onUp: () => process.send?.("up") },
  { routingId: "bench", security: peer },
);
dealer.connect(address);

process.on("message", ({ inFlight, durationMs }: BurstSettings) => {
  const before = process.cpuUsage();
  const start = performance.now();
  let count = 0;
  let pending = inFlight;
  onAnswer = () => {
    count += 1;
    if (performance.now() - start < durationMs) {
      dealer.send(MESSAGE);
      return;
    }
    pending -= 1;
    if (pending > 0) return;
    const { user, system } = process.cpuUsage(before);
    process.send?.({ count, seconds: (performance.now() - start) / 1000, cpuMicros: user + system });
  };
  for (let sent = 0; sent < inFlight; sent++) dealer.send(MESSAGE);
});
process.on("disconnect", () => process.exit());
