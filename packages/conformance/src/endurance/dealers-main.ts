// Many clients or workers of an endurance run in one process. Each is a bare link that speaks the classic wire.

import { serve, settingsText } from "@pigato/testkit/serve";
import { type DealerLink, type Frames, zmtp } from "@pigato/transport";

const { address, prefix }: { address: string; prefix: string } = JSON.parse(settingsText());

interface Clients {
  readonly count: number;
  readonly services: number;
}

const dealers: DealerLink[] = [];

/** @param onMessage called with each message; may resolve the result of its dealer */
function open<Result>(
  count: number,
  onMessage: (frames: readonly string[], index: number, dealer: DealerLink, done: (result: Result) => void) => void,
  first: (index: number) => readonly string[],
): Promise<Result[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => {
      return new Promise<Result>((resolve) => {
        const dealer = zmtp.dealer(
          { onMessage: (frames: Frames) => onMessage(frames.map(textOf), index, dealer, resolve) },
          { routingId: `${prefix}${index}`, reconnectMs: 50 },
        );
        dealers.push(dealer);
        dealer.connect(address);
        dealer.send(framesOf(first(index)));
      });
    }),
  );
}

function framesOf(texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => Buffer.from(text));
}

function textOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString();
}

serve({
  /** Opens workers; each replies with the data of the request and its name. @returns when the broker has accepted all of them */
  workers: async (argument) => {
    const { count, services }: Clients = JSON.parse(String(argument));
    await open<void>(
      count,
      ([, type, client = "", , , id = "", data = ""], index, dealer, done) => {
        if (type === "1") done();
        if (type !== "2") return;
        dealer.send(framesOf(["W", "3", client, "", id, "0", JSON.stringify([data, `${prefix}${index}`]), "{}"]));
      },
      // It sends nothing more until its next request, however long that takes.
      (index) => ["W", "1", `service-${index % services}`, "pigato/1 heartbeat=60000 concurrency=100"],
    );
  },
  /** Opens clients, each of which sends one request. @returns which worker replied to which client */
  clients: async (argument) => {
    const { count, services }: Clients = JSON.parse(String(argument));
    return await open<[asked: string, answer: string]>(
      count,
      ([, type, , , , data = ""], index, _dealer, done) => {
        if (type === "3") done([`"${prefix}${index}"`, data]);
      },
      (index) => ["C", "2", `service-${index % services}`, `r${index}`, `"${prefix}${index}"`, '{"timeout":60000}'],
    );
  },
  close: async () => {
    await Promise.all(dealers.map((dealer) => dealer.close()));
  },
});
