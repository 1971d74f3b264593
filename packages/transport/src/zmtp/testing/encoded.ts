import type { FramesToSend } from "../../frames-to-send.ts";
import { BufferPool } from "../buffer-pool.ts";
import { FrameWriter } from "../frame-writer.ts";

/** The bytes that a writer makes of messages. */
export function encoded(messages: readonly FramesToSend[]): Buffer {
  const writer = new FrameWriter(new BufferPool());
  for (const message of messages) writer.add(message);
  return Buffer.concat(writer.take().pieces);
}
