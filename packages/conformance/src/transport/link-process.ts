// A program that runs one scenario with links and must then exit by itself: it never calls `process.exit`.

import type { Frames } from "@pigato/transport";
import { message } from "./frames.ts";
import { TRANSPORTS, type TransportName } from "./subject.ts";

/** The settings on the command line, as JSON. */
export interface ProcessSettings {
  readonly router: TransportName;
  readonly dealer: TransportName;
  readonly address: string;
  readonly scenario: "echo" | "throw" | "unread";
}

const settings: ProcessSettings = JSON.parse(process.argv[2] ?? "{}");

switch (settings.scenario) {
  case "echo":
    await echo(() => {});
    break;
  case "throw":
    await throwing();
    break;
  case "unread":
    await unread();
    break;
  default:
    settings.scenario satisfies never;
}
// The channel to the parent must not keep the process alive, either.
if (process.connected) process.disconnect();

/** Sends a message there and back. */
async function echo(meddle: (frames: Frames) => void): Promise<void> {
  const router = TRANSPORTS[settings.router].router({
    onMessage: (peer, frames) => {
      router.send(peer, frames);
      meddle(frames);
    },
  });
  const address = await router.bind(settings.address);
  await new Promise<void>((resolve) => {
    let answers = 0;
    const dealer = TRANSPORTS[settings.dealer].dealer(
      {
        onMessage: () => {
          answers += 1;
          if (answers < 3) dealer.send(message("again"));
          else resolve(dealer.close());
        },
      },
      { routingId: "d" },
    );
    dealer.connect(address);
    dealer.send(message("hello"));
  });
  await router.close();
}

/** The router's handler throws at every message, and yet all are answered. */
async function throwing(): Promise<void> {
  let uncaught = 0;
  process.on("uncaughtException", (error) => {
    if (error.message === "a handler's own fault") uncaught += 1;
    else process.exitCode = 2;
  });
  await echo(() => {
    throw new Error("a handler's own fault");
  });
  if (uncaught !== 3) process.exitCode = 1;
}

/** Leaves more messages than a peer that does not read can take. */
async function unread(): Promise<void> {
  let greeted = () => {};
  const greeting = new Promise<void>((resolve) => {
    greeted = resolve;
  });
  const router = TRANSPORTS[settings.router].router({ onMessage: () => greeted() });
  process.send?.(await router.bind(settings.address));
  await greeting;
  while (router.send("mute", [Buffer.alloc(1024 * 1024)]) !== "congested");
  await router.close(100);
}
