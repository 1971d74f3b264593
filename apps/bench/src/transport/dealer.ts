// The measured end of `pnpm bench transport`: a dealer that keeps a number of messages in flight for a while.

import { serve } from "../children.ts";
import { linkNamed } from "./links.ts";

export interface BurstSettings {
  readonly inFlight: number;
  readonly durationMs: number;
}

export interface BurstUsage {
  readonly count: number;
  readonly seconds: number;
  readonly cpuMicros: number;
}

/** A request of the classic wire: tag, type, service, request id, payload, options. */
const MESSAGE = [
  "C",
  "1",
  "echo",
  "0f8fad5b-d9cb-469f-a165-70867728950e",
  '{"n":1,"text":"abc"}',
  '{"timeout":6000}',
].map((text) => Buffer.from(text));

const [, , name, address = ""] = process.argv;
const { transport, peer } = linkNamed(name);
let onReply = () => {};
const dealer = transport.dealer(
  { onMessage: () => onReply(), onUp: () => process.send?.("up") },
  { routingId: "bench", security: peer },
);
dealer.connect(address);

serve(
  ({ inFlight, durationMs }: BurstSettings) =>
    new Promise<BurstUsage>((resolve) => {
      const before = process.cpuUsage();
      const start = performance.now();
      let count = 0;
      let pending = inFlight;
      onReply = () => {
        count += 1;
        if (performance.now() - start < durationMs) {
          dealer.send(MESSAGE);
          return;
        }
        pending -= 1;
        if (pending > 0) return;
        const { user, system } = process.cpuUsage(before);
        resolve({ count, seconds: (performance.now() - start) / 1000, cpuMicros: user + system });
      };
      for (let sent = 0; sent < inFlight; sent++) dealer.send(MESSAGE);
    }),
);
