import { expect, onTestFinished, test } from "vitest";
import type { Received } from "./role-main.ts";
import { CHUNK_BYTES, measured, startTransfer, type Transfer } from "./transfer.ts";

const CHUNKS = 800;
const BYTES = CHUNKS * CHUNK_BYTES;
const MAX_GROWTH_MIB = 64;

/** The code of all three is loaded, and each has its buffers. */
async function started(): Promise<Transfer> {
  const transfer = await startTransfer();
  await transfer.reader.request("download", { chunks: 100 });
  return transfer;
}

test("50 MB of bytes arrive unchanged and take little memory, whatever end is slow", async () => {
  const transfer = await started();
  onTestFinished(() => transfer.close());
  for (const pauses of [{}, { readerPauseMs: 10 }, { senderPauseMs: 10 }]) {
    const { received, growth } = await measured(transfer, { chunks: CHUNKS, ...pauses });
    const sha256 = expect.stringMatching(/^\w{64}$/);
    expect(received).toEqual({ bytes: BYTES, sha256, sentSha256: received.sha256 });
    expect(Math.max(growth.broker, growth.sender, growth.reader)).toBeLessThan(MAX_GROWTH_MIB);
  }
}, 60_000);

test("a broker that is killed during a transfer ends it with a typed error at both ends", async () => {
  const transfer = await started();
  onTestFinished(() => transfer.close());
  const { broker, sender, reader } = transfer;
  const downloading = reader.request<Received>("download", { chunks: 100_000 });
  const before = await sender.request<number>("sent");
  await expect.poll(() => sender.request("sent"), { timeout: 10_000 }).toBeGreaterThan(before);
  await broker.kill("SIGKILL");
  expect(await downloading).toMatchObject({ failure: "BROKER_LOST" });
  await expect.poll(() => sender.request("failure"), { timeout: 10_000 }).toBe("BROKER_LOST");
}, 60_000);
