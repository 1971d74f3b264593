// What a dealer reads into, over real sockets: messages arrive whole, whatever their sizes and however they are written.

import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { zmtp } from "../transports.ts";

test("a dealer receives large and small messages in any order, unchanged and in memory of their own", async () => {
  const received: (readonly Uint8Array[])[] = [];
  let onAll = (): void => {};
  const all = new Promise<void>((resolve) => {
    onAll = resolve;
  });
  const router = zmtp.router({ onMessage: (peer) => void sendAll(peer) });
  const address = await router.bind("tcp://127.0.0.1:*");
  const dealer = zmtp.dealer(
    {
      onMessage: (frames) => {
        received.push(frames);
        if (received.length === sizes.length) onAll();
      },
    },
    { routingId: randomUUID() },
  );
  const sizes = [10, 65_536, 65_536, 1, 40_000, 3_000_000, 200, 32_768, 16_384, 100_000, 0, 70_000];
  const sent = sizes.map((size) => [Buffer.from("head"), randomBytes(size), Buffer.from("tail")]);
  const sendAll = (peer: string) => {
    for (const frames of sent) router.send(peer, frames);
  };
  dealer.connect(address);
  dealer.send([Buffer.from("go")]);
  await all;
  const same = received.map((frames, index) => Buffer.concat(frames).equals(Buffer.concat(sent[index] ?? [])));
  expect(same).toEqual(sizes.map(() => true));
  await dealer.close(0);
  await router.close(0);
});
