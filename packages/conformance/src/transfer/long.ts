// The long form: `pnpm transfer [gigabytes, default 2]`. Fails if a byte is wrong, if a process takes 64 MiB more than before, or if its
// event loop stalls for more than 50 ms.

import type { Stall } from "./role-main.ts";
import { CHUNK_BYTES, measured, startTransfer } from "./transfer.ts";

const MAX_GROWTH_MIB = 64;
const MAX_STALL_MS = 50;
const chunks = Math.round((Number(process.argv[2] ?? 2) * 1e9) / CHUNK_BYTES);

const transfer = await startTransfer();
process.exitCode = 0;
try {
  for (const isUpload of [false, true]) await run(isUpload);
} finally {
  await transfer.close();
}

async function run(isUpload: boolean): Promise<void> {
  const { worker, client } = transfer;
  await client.request("transfer", { chunks: 400, isUpload });
  for (const peer of [worker, client]) await peer.request<Stall>("stall");
  const start = performance.now();
  const { received, growth } = await measured(transfer, { chunks, isUpload });
  const seconds = (performance.now() - start) / 1_000;
  const stalls = { worker: await worker.request<Stall>("stall"), client: await client.request<Stall>("stall") };
  const isWhole = received.bytes === chunks * CHUNK_BYTES && received.sha256 === received.sentSha256;
  console.log(
    `${isUpload ? "upload" : "download"}: ${(received.bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s, ${isWhole ? "unchanged" : "CHANGED"}; ` +
      `above idle: broker ${growth.broker.toFixed(0)} MiB, worker ${growth.worker.toFixed(0)} MiB, client ${growth.client.toFixed(0)} MiB; ` +
      `longest stall: worker ${stalls.worker.maxMs.toFixed(0)} ms, client ${stalls.client.maxMs.toFixed(0)} ms`,
  );
  const isFlat = Math.max(growth.broker, growth.worker, growth.client) < MAX_GROWTH_MIB;
  const isSmooth = Math.max(stalls.worker.maxMs, stalls.client.maxMs) < MAX_STALL_MS;
  if (!isWhole || !isFlat || !isSmooth) process.exitCode = 1;
}
