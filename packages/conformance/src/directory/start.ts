import { Directory } from "@pigato/directory";
import { onTestFinished } from "vitest";
import { type RunningBroker, startBroker } from "../support/start.ts";

/** A broker whose peers show their loss within a second. */
export function startBriskBroker(): Promise<RunningBroker> {
  return startBroker({ heartbeat: 200 });
}

/** A directory that serves, until the current test has finished. */
export async function startDirectory({ address, broker }: RunningBroker): Promise<Directory> {
  const directory = new Directory(address, { intch: broker.conf.intch });
  onTestFinished(() => directory.stop());
  await directory.start();
  return directory;
}

/** Asks until the reply is as wanted; the test's own timeout ends it if it never is. */
export async function until<Reply>(ask: () => Promise<Reply>, isWanted: (reply: Reply) => boolean): Promise<Reply> {
  for (;;) {
    const reply = await ask();
    if (isWanted(reply)) return reply;
  }
}
