// Counts the chunks that a stream's reader takes, and reports them when a report is due, so that a chunk costs no report of its own.

import { FIRST_REPORT } from "./receiver.ts";

export class ReadReports {
  #unreported = 0;
  #after = FIRST_REPORT;
  readonly #report: (chunks: number) => void;

  /** @param report called with the number of chunks since the last report */
  constructor(report: (chunks: number) => void) {
    this.#report = report;
  }

  /** The next report is due when this many chunks are unreported. */
  setNext(after: number): void {
    this.#after = after;
    this.#reportIfDue();
  }

  onRead(): void {
    this.#unreported += 1;
    this.#reportIfDue();
  }

  #reportIfDue(): void {
    if (this.#unreported < this.#after) return;
    const chunks = this.#unreported;
    this.#unreported = 0;
    this.#report(chunks);
  }
}
