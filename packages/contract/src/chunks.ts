// The chunks of streams, as async iterables.

/**
 * Waits for the first chunk.
 * @param signal closes the chunks when it aborts, also if nothing reads them
 * @returns all chunks, for one reader
 * @throws what the chunks fail with before the first
 */
export async function afterFirst<Chunk>(
  chunks: AsyncIterable<Chunk>,
  signal: AbortSignal,
): Promise<AsyncIterable<Chunk>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const close = (): void => void closeQuietly(iterator);
  signal.addEventListener("abort", close, { once: true });
  let first: IteratorResult<Chunk> | undefined = await iterator.next();
  if (first.done === true) signal.removeEventListener("abort", close);
  return iterable({
    next() {
      if (first === undefined) return iterator.next();
      const result = first;
      first = undefined;
      return Promise.resolve(result);
    },
    async return() {
      signal.removeEventListener("abort", close);
      first = undefined;
      await iterator.return?.();
    },
  });
}

/** Nothing waits for an error of it. The iterator of a program may throw at once, or return no promise. */
async function closeQuietly(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {}
}

/**
 * The same chunks, with a listener for their end.
 * @param listener called once: with the error, if reading failed, and without one at the end, or when the reader stops before
 */
export function withEnd<Chunk>(
  chunks: AsyncIterable<Chunk>,
  listener: (failure?: { readonly error: unknown }) => void,
): AsyncIterable<Chunk> {
  const iterator = chunks[Symbol.asyncIterator]();
  let isEnded = false;
  const end = (failure?: { readonly error: unknown }): void => {
    if (isEnded) return;
    isEnded = true;
    listener(failure);
  };
  return iterable({
    async next() {
      try {
        const result = await iterator.next();
        if (result.done === true) end();
        return result;
      } catch (error) {
        end({ error });
        throw error;
      }
    },
    async return() {
      try {
        await iterator.return?.();
      } finally {
        end();
      }
    },
  });
}

/**
 * Not a generator: that would close nothing, if its reader stops before the first chunk.
 * @param source `return` closes it
 */
function iterable<Chunk>(source: {
  next(): Promise<IteratorResult<Chunk>>;
  return(): Promise<void>;
}): AsyncIterableIterator<Chunk> {
  const iterator: AsyncIterableIterator<Chunk> = {
    next: () => source.next(),
    async return() {
      await source.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
