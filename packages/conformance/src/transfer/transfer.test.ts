import { expect, onTestFinished, test } from "vitest";
import type { File, Received } from "./role-main.ts";
import { CHUNK_BYTES, measured, startTransfer, type Transfer } from "./transfer.ts";

const MAX_GROWTH_MIB = 64;
/**
 * 50 MB. For a reader that pauses, twice that, because a process that kept all of it would exceed the bound only then; and first, because
 * a process does not give back all memory.
 */
const FILES: readonly File[] = [
  { chunks: 1_600, readerPauseMs: 2_000 },
  { chunks: 800 },
  { chunks: 800, senderPauseMs: 10 },
];

/** The code of all three is loaded, and each has its buffers. */
async function started(): Promise<Transfer> {
  const transfer = await startTransfer();
  await transfer.client.request("transfer", { chunks: 100 });
  await transfer.client.request("transfer", { chunks: 100, isUpload: true });
  return transfer;
}

test.each([
  ["download", false],
  ["upload", true],
])(
  "50 MB and more of bytes arrive unchanged and take little memory, whatever end is slow: %s",
  async (_what, isUpload) => {
    const transfer = await started();
    onTestFinished(() => transfer.close());
    for (const file of FILES) {
      const { received, growth } = await measured(transfer, { ...file, isUpload });
      const sha256 = expect.stringMatching(/^\w{64}$/);
      expect(received).toEqual({ bytes: file.chunks * CHUNK_BYTES, sha256, sentSha256: received.sha256 });
      expect(Math.max(growth.broker, growth.worker, growth.client)).toBeLessThan(MAX_GROWTH_MIB);
    }
  },
  60_000,
);

test.each([
  ["download", false],
  ["upload", true],
])(
  "a broker that is killed ends a transfer with a typed error at both ends: %s",
  async (_what, isUpload) => {
    const transfer = await started();
    onTestFinished(() => transfer.close());
    const { broker, worker, client } = transfer;
    const before = await worker.request<number>("passed");
    const transferring = client.request<Received>("transfer", { chunks: 100_000, isUpload });
    await expect.poll(() => worker.request("passed"), { timeout: 10_000 }).toBeGreaterThan(before);
    await broker.kill("SIGKILL");
    expect(await transferring).toMatchObject({ failure: "BROKER_LOST" });
    await expect.poll(() => worker.request("failure"), { timeout: 10_000 }).toBe("BROKER_LOST");
  },
  60_000,
);
