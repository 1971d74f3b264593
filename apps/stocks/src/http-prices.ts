// Prices from the web: CSV over `fetch`, parsed as it arrives. It does not read ahead: while the consumer is busy, the bytes wait
// in the kernel's buffers and at the server. An abort ends the download at once, and so does leaving the loop.
//
// Errors never contain the address, because addresses of price sources contain keys.

import { Readable } from "node:stream";
import type { PriceQuery, PriceRow } from "./contract.ts";
import { type PriceSource, SourceFailed, selectRows, UnknownTicker } from "./price-source.ts";

export interface HttpOptions {
  /** Milliseconds that the server may stay silent, before its first byte or between two bytes. @defaultValue 15 000 */
  readonly silenceMs?: number | undefined;
}

export class HttpPrices implements PriceSource {
  readonly #address: string;
  readonly #silenceMs: number;

  /**
   * @param address with the placeholders `{ticker}`, `{start}`, `{end}` (as 2024-01-31) and `{freq}` (d, w or m). Without
   *   `{freq}` the source sends days, and weeks and months are computed here.
   * @throws TypeError if it is not an http or https address
   */
  constructor(address: string, { silenceMs = 15_000 }: HttpOptions = {}) {
    if (!/^https?:$/.test(new URL(address).protocol))
      throw new TypeError("the address of a price source must start with http: or https:");
    this.#address = address;
    this.#silenceMs = silenceMs;
  }

  /** Unknown: only the server has the list. */
  async tickers(): Promise<readonly string[]> {
    return [];
  }

  async *rows(query: PriceQuery, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const download = new Download(signal, this.#silenceMs);
    try {
      const bytes = Readable.from(download.chunks(this.#addressOf(query), query.ticker), { objectMode: false });
      yield* selectRows(bytes, query, this.#address.includes("{freq}"));
    } finally {
      download.stop();
    }
  }

  #addressOf(query: PriceQuery): string {
    const values: ReadonlyMap<string, string> = new Map(Object.entries(query));
    return this.#address.replaceAll(/\{(ticker|start|end|freq)\}/g, (_placeholder, name) =>
      encodeURIComponent(values.get(name) ?? ""),
    );
  }
}

class Download {
  readonly #caller: AbortSignal;
  readonly #silenceMs: number;
  readonly #own = new AbortController();
  #silence: NodeJS.Timeout | undefined;
  #lastCheck: NodeJS.Immediate | undefined;

  constructor(caller: AbortSignal, silenceMs: number) {
    this.#caller = caller;
    this.#silenceMs = silenceMs;
  }

  async *chunks(address: string, ticker: string): AsyncGenerator<Uint8Array> {
    try {
      this.#expectBytes();
      const response = await fetch(address, { signal: AbortSignal.any([this.#caller, this.#own.signal]) });
      assertPrices(response, ticker);
      for await (const chunk of response.body ?? []) {
        // The consumer may be slow: only the silence of the server counts.
        this.#stopWaiting();
        yield chunk;
        this.#expectBytes();
      }
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#stopWaiting();
    }
  }

  stop(): void {
    this.#stopWaiting();
    this.#own.abort();
  }

  #expectBytes(): void {
    this.#silence = setTimeout(() => {
      // If this process was busy, bytes may be waiting; they are read before this callback.
      this.#lastCheck = setImmediate(() => {
        this.#own.abort(new SourceFailed(`The price source has been silent for ${this.#silenceMs / 1000} seconds.`));
      });
    }, this.#silenceMs);
  }

  #stopWaiting(): void {
    clearTimeout(this.#silence);
    clearImmediate(this.#lastCheck);
  }

  #explain(error: unknown): unknown {
    if (isExplained(error) || this.#caller.aborted || this.#own.signal.aborted) return error;
    // The error of fetch is general; its cause is the error of the system.
    const cause = error instanceof Error ? error.cause : undefined;
    const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
    return typeof code === "string" && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)
      ? new SourceFailed("The price source cannot be reached.", { cause: error })
      : new SourceFailed("The connection to the price source broke off.", { cause: error });
  }
}

/** @throws UnknownTicker or SourceFailed if the status is not one of success */
function assertPrices({ ok, status }: Response, ticker: string): void {
  if (status === 404 || status === 410) throw new UnknownTicker(ticker);
  if (status === 429) throw new SourceFailed("The price source received too many requests. Please wait a moment.");
  if (!ok) throw new SourceFailed(`The price source answered with status ${status}.`);
}

function isExplained(error: unknown): boolean {
  return error instanceof SourceFailed || error instanceof UnknownTicker;
}
