// The long form: `pnpm transfer [gigabytes, default 2]`. Fails if a byte is wrong, if a process takes 64 MiB more than before, or if its
// event loop stalls for more than 50 ms.

import type { Stall } from "./role-main.ts";
import { CHUNK_BYTES, measured, startTransfer } from "./transfer.ts";

const MAX_GROWTH_MIB = 64;
const MAX_STALL_MS = 50;
const chunks = Math.round((Number(process.argv[2] ?? 2) * 1e9) / CHUNK_BYTES);

const transfer = await startTransfer();
try {
  const { sender, reader } = transfer;
  await reader.request("download", { chunks: 400 });
  for (const peer of [sender, reader]) await peer.request<Stall>("stall");
  const start = performance.now();
  const { received, growth } = await measured(transfer, { chunks });
  const seconds = (performance.now() - start) / 1_000;
  const stalls = { sender: await sender.request<Stall>("stall"), reader: await reader.request<Stall>("stall") };
  const stallMs = Math.max(stalls.sender.maxMs, stalls.reader.maxMs);
  const isWhole = received.bytes === chunks * CHUNK_BYTES && received.sha256 === received.sentSha256;
  const growthMiB = Math.max(growth.broker, growth.sender, growth.reader);
  console.log(
    `${(received.bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s, ${isWhole ? "unchanged" : "CHANGED"}; above idle: ` +
      `broker ${growth.broker.toFixed(0)} MiB, worker ${growth.sender.toFixed(0)} MiB, client ${growth.reader.toFixed(0)} MiB; ` +
      `longest stall: worker ${stalls.sender.maxMs.toFixed(0)} ms, client ${stalls.reader.maxMs.toFixed(0)} ms`,
  );
  process.exitCode = isWhole && growthMiB < MAX_GROWTH_MIB && stallMs < MAX_STALL_MS ? 0 : 1;
} finally {
  await transfer.close();
}
