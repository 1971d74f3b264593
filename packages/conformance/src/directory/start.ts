import { Directory } from "@pigato/directory";
import { onTestFinished } from "vitest";
import { type RunningBroker, startBroker } from "../support/start.ts";

/** A broker that detects the loss of a peer within a second. */
export function startBriskBroker(): Promise<RunningBroker> {
  return startBroker({ heartbeat: 200 });
}

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
