// A directory at a broker, and requests to it that are repeated: it learns of a worker a moment after the broker, and of the end of a
// worker a moment after that.

import { Directory } from "@pigato/directory";
import { onTestFinished } from "vitest";
import type { RunningBroker } from "../support/start.ts";

/** A started directory, stopped when the current test has finished. */
export async function startDirectory({ address, broker }: RunningBroker): Promise<Directory> {
  const directory = new Directory(address, { intch: broker.conf.intch });
  onTestFinished(() => directory.stop());
  await directory.start();
  return directory;
}

/** Repeats the request until the reply is as expected, or the test times out. */
export async function until<Reply>(ask: () => Promise<Reply>, isWanted: (reply: Reply) => boolean): Promise<Reply> {
  for (;;) {
    const reply = await ask();
    if (isWanted(reply)) return reply;
  }
}
