import { expect, onTestFinished, test } from "vitest";
import type { Received } from "./role-main.ts";
import { CHUNK_BYTES, measured, startTransfer, type Transfer } from "./transfer.ts";

const CHUNKS = 800;
const BYTES = CHUNKS * CHUNK_BYTES;
const MAX_GROWTH_MIB = 64;

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
  "50 MB of bytes arrive unchanged and take little memory, whatever end is slow: %s",
  async (_what, isUpload) => {
    const transfer = await started();
    onTestFinished(() => transfer.close());
    for (const pauses of [{}, { readerPauseMs: 10 }, { senderPauseMs: 10 }]) {
      const { received, growth } = await measured(transfer, { chunks: CHUNKS, isUpload, ...pauses });
      const sha256 = expect.stringMatching(/^\w{64}$/);
      expect(received).toEqual({ bytes: BYTES, sha256, sentSha256: received.sha256 });
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
