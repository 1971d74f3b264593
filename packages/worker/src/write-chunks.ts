// Writes the chunks of an async iterable, such as an async generator, to a reply. The reply's flow control paces the iterable. If the
// request ends early, the iterable is closed, so that its `finally` blocks run.

import type { Reply } from "./reply.ts";

/**
 * Does not end the reply. Once the request has ended, it reads no further chunk.
 * @returns what the iterable returned at its end
 */
export async function writeChunks(chunks: AsyncIterable<unknown>, reply: Reply): Promise<unknown> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    void closeIterator(iterator);
  };
  // A generator that waits for something else closes when its wait is over.
  reply.once("close", close);
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) {
        isOpen = false;
        return value;
      }
      if (!reply.active()) return undefined;
      if (!reply.write(value)) await untilWritable(reply);
    }
  } finally {
    reply.off("close", close);
    close();
  }
}

/** Resolves when the reply may be written to, or has ended. */
function untilWritable(reply: Reply): Promise<void> {
  return new Promise((resolve) => {
    const onReady = (): void => {
      reply.off("drain", onReady);
      reply.off("close", onReady);
      resolve();
    };
    reply.on("drain", onReady);
    reply.on("close", onReady);
  });
}

async function closeIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Its request has ended, so nothing waits for the error.
  }
}
