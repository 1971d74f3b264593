// Reports the bytes that a queued request of 20 bytes takes above its payload. The case `queued` measures all of them; the case
// `decoded` measures the decoded message alone: frames, id, options.

import { DEFAULT_REQUEST_OPTIONS, type FromClient, peerId, pigato, requestId, serviceName } from "@pigato/protocol";
import { serveRounds } from "../rounds.ts";
import { measuredCore } from "./measured-core.ts";

const QUEUED = 100_000;
const PAYLOAD = '{"hello":"12345678"}';
const SERVICE = serviceName("echo");
const CLIENT = peerId("client");
const isQueued = process.argv[2] === "queued";

serveRounds(() => {
  const core = measuredCore();
  const kept: FromClient[] = [];
  const before = usedBytes();
  for (let index = 0; index < QUEUED; index++) {
    const message = decoded(index);
    if (isQueued) core.handle({ type: "from-client", from: CLIENT, message, dialect: pigato.id }, 1_000);
    else kept.push(message);
  }
  const bytes = (usedBytes() - before) / QUEUED - PAYLOAD.length;
  // This use keeps both alive until here.
  if (core.stats().open + kept.length !== QUEUED) throw new Error("some requests are missing");
  return bytes;
});

/** As the codec creates it: with its own strings, buffers and options. */
function decoded(index: number): FromClient {
  const id = Buffer.from(`7f9c24e8-3b1a-4c5d-9e6f-${String(index).padStart(12, "0")}`);
  return {
    type: "request",
    service: SERVICE,
    requestId: requestId(id.toString("latin1")),
    body: [Buffer.from(PAYLOAD)],
    trailer: [Buffer.from('{"timeout":60001,"retry":1}')],
    options: { ...DEFAULT_REQUEST_OPTIONS, timeoutMs: 60_001, retry: true },
  };
}

function usedBytes(): number {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
