// Prices from the web: CSV over `fetch`, read as it arrives. Nobody reads ahead: while whoever asked is busy, the bytes
// wait in the kernel's buffers and at the server. An abort ends the download at once, and so does leaving the loop.
//
// Errors never hold the address, because addresses of price sources hold keys.

import { Readable } from "node:stream";
import type { Ask } from "./ask.ts";
import { readPriceCsv } from "./price-csv.ts";
import { PriceError } from "./price-error.ts";
import type { PriceRow } from "./price-row.ts";
import type { PriceSource } from "./price-source.ts";
import { resample, within } from "./resample.ts";

export interface HttpOptions {
  /** Milliseconds that the server may stay silent, before its first byte or between two. @defaultValue 15 000 */
  readonly silenceMs?: number | undefined;
}

export class HttpPrices implements PriceSource {
  readonly #address: string;
  readonly #silenceMs: number;

  /**
   * @param address with the places `{ticker}`, `{start}`, `{end}` (as 2024-01-31) and `{freq}` (d, w or m). Without
   *   `{freq}` the source is taken to give days, from which weeks and months are made here.
   * @throws TypeError if it is no http or https address
   */
  constructor(address: string, { silenceMs = 15_000 }: HttpOptions = {}) {
    if (!/^https?:$/.test(new URL(address).protocol))
      throw new TypeError("a price source has an http or https address");
    this.#address = address;
    this.#silenceMs = silenceMs;
  }

  async *rows(ask: Ask, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const download = new Download(signal, this.#silenceMs);
    try {
      const bytes = Readable.from(download.chunks(this.#addressOf(ask), ask.ticker), { objectMode: false });
      const rows = within(readPriceCsv(bytes), ask);
      yield* this.#address.includes("{freq}") ? rows : resample(rows, ask.freq);
    } finally {
      download.stop();
    }
  }

  #addressOf(ask: Ask): string {
    const places: ReadonlyMap<string, string> = new Map(Object.entries(ask));
    return this.#address.replaceAll(/\{(ticker|start|end|freq)\}/g, (_place, name) =>
      encodeURIComponent(places.get(name) ?? ""),
    );
  }
}

class Download {
  readonly #caller: AbortSignal;
  readonly #silenceMs: number;
  readonly #own = new AbortController();
  #silence: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;

  constructor(caller: AbortSignal, silenceMs: number) {
    this.#caller = caller;
    this.#silenceMs = silenceMs;
  }

  async *chunks(address: string, ticker: string): AsyncGenerator<Uint8Array> {
    try {
      this.#expectBytes();
      const response = await fetch(address, { signal: AbortSignal.any([this.#caller, this.#own.signal]) });
      refuse(response, ticker);
      for await (const chunk of response.body ?? []) {
        // Whoever takes the chunk may take its time: only the server's silence counts.
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
      // If it was this process that was busy, the bytes are there by now, and are read before this.
      this.#lastLook = setImmediate(() => {
        this.#own.abort(failed(`The price source has been silent for ${this.#silenceMs / 1000} seconds.`));
      });
    }, this.#silenceMs);
  }

  #stopWaiting(): void {
    clearTimeout(this.#silence);
    clearImmediate(this.#lastLook);
  }

  #explain(error: unknown): unknown {
    if (error instanceof PriceError || this.#caller.aborted || this.#own.signal.aborted) return error;
    // What fetch throws says little; its cause is the system's error.
    const cause = error instanceof Error ? error.cause : undefined;
    const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
    return typeof code === "string" && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code)
      ? failed("The price source cannot be reached.", error)
      : failed("The connection to the price source broke off.", error);
  }
}

/** @throws PriceError unless the response is one with prices */
function refuse({ ok, status }: Response, ticker: string): void {
  if (status === 404 || status === 410) throw new PriceError("UNKNOWN_TICKER", `There are no prices for ${ticker}.`);
  if (status === 429) throw failed("The price source has had too many requests. Please wait a little.");
  if (!ok) throw failed(`The price source answered with status ${status}.`);
}

function failed(message: string, cause?: unknown): PriceError {
  return new PriceError("SOURCE_FAILED", message, { cause });
}
