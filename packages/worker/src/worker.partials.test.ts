import { NO_CAPABILITIES } from "@pigato/protocol";
import { FakeClock, MemoryNetwork } from "@pigato/testkit";
import type {
  DealerHandlers,
  DealerLink,
  DealerOptions,
  FramesToSend,
  PublisherLink,
  RouterHandlers,
  RouterLink,
  SendOutcome,
  SubscriberHandlers,
  SubscriberLink,
  Transport,
} from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import type { WorkerOptions } from "./options.ts";
import type { Reply } from "./reply.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { turn } from "./testing/recording-port.ts";
import { Worker } from "./worker.ts";

/** A transport whose links to the broker have the outcome that the test sets. */
class SlowTransport implements Transport {
  outcome: SendOutcome = "queued";
  /** Fails the send of messages with several partials. Others are sent. */
  failsBatches = false;
  drain: () => void = () => {};
  readonly #network: MemoryNetwork;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  dealer(handlers: DealerHandlers, options: DealerOptions): DealerLink {
    const link = this.#network.dealer(handlers, options);
    this.drain = () => handlers.onDrain?.();
    return {
      connect: (address) => link.connect(address),
      close: () => link.close(),
      send: (frames, sendOptions) => {
        if (sendOptions?.urgent) return link.send(frames);
        // A full link may have room for a small message after it did not accept a larger one.
        const outcome = this.failsBatches && isTogether(frames) ? "congested" : this.outcome;
        if (outcome !== "congested") link.send(frames);
        return outcome;
      },
    };
  }

  router(handlers: RouterHandlers): RouterLink {
    return this.#network.router(handlers);
  }

  publisher(): PublisherLink {
    return this.#network.publisher();
  }

  subscriber(handlers: SubscriberHandlers): SubscriberLink {
    return this.#network.subscriber(handlers);
  }
}

function isTogether([, type]: FramesToSend): boolean {
  return type !== undefined && Buffer.from(type).toString() === "13";
}

/** A worker that runs the requests `ids`, at a broker that supports batched partials. */
async function running(
  ids: readonly string[],
  { partials = true, ...options }: WorkerOptions & { partials?: boolean } = {},
) {
  const network = new MemoryNetwork();
  const transport = new SlowTransport(network);
  const clock = new FakeClock();
  const broker = await FakeBroker.at("inproc://broker", network);
  broker.accepted = { ...NO_CAPABILITIES, cancel: true, partials };
  const worker = new Worker("inproc://broker", "echo", { transport, clock, ...options });
  const replies: Reply[] = [];
  worker.on("request", (_, reply) => void replies.push(reply));
  onTestFinished(async () => {
    const stopped = worker.stop();
    clock.advance(60_000);
    await stopped;
  });
  const ready = worker.start();
  await turn();
  network.deliver();
  await ready;
  for (const id of ids) broker.request(id, "null");
  broker.takeMessages();
  return {
    broker,
    worker,
    replies,
    clock,
    transport,
    /** The messages that the broker has received at the end of the current tick. */
    async takeMessages(): Promise<string[]> {
      await turn();
      network.deliver();
      return broker.takeMessages();
    },
  };
}

test("partials that a handler writes in one tick are sent at its end as one message", async () => {
  const { replies, takeMessages } = await running(["r1"]);
  for (const part of [1, 2, 3]) replies[0]?.write(part);
  expect(await takeMessages()).toEqual(["partials r1 1,2,3 {}"]);
  replies[0]?.write(4);
  expect(await takeMessages()).toEqual(["partial r1 0 4"]);
});

test("the final and other messages follow the partials", async () => {
  const { replies, worker, takeMessages } = await running(["r1", "r2"]);
  replies[0]?.write(1);
  replies[0]?.write(2);
  replies[1]?.write("a");
  replies[0]?.write(3);
  replies[0]?.end("last");
  replies[1]?.write("b");
  worker.conf.concurrency = 3;
  expect(await takeMessages()).toEqual([
    "partials r1 1,2 {}",
    'partial r2 0 "a"',
    "partial r1 0 3",
    'final r1 0 "last"',
    'partial r2 0 "b"',
  ]);
});

test("partials that may be cached carry the option", async () => {
  const { replies, takeMessages } = await running(["r1"]);
  if (replies[0] !== undefined) replies[0].opts.cache = 1_000;
  replies[0]?.write(1);
  replies[0]?.write(2);
  expect(await takeMessages()).toEqual(['partials r1 1,2 {"cache":1000}']);
});

test("a broker without batched partials gets each partial at once", async () => {
  const { replies, broker, takeMessages } = await running(["r1"], { partials: false });
  for (const part of [1, 2]) replies[0]?.write(part);
  expect(await takeMessages()).toEqual(["partial r1 0 1", "partial r1 0 2"]);
  expect(broker.received).toEqual([]);
});

test("a large partial is sent at once, after the waiting ones", async () => {
  const { replies, takeMessages } = await running(["r1"]);
  const large = "x".repeat(5_000);
  for (const part of [1, 2, large, 3]) replies[0]?.write(part);
  expect(await takeMessages()).toEqual(["partials r1 1,2 {}", `partial r1 0 "${large}"`, "partial r1 0 3"]);
});

test("stop() sends waiting partials before DISCONNECT", async () => {
  const { replies, worker, takeMessages } = await running(["r1"], { stopTimeoutMs: 0 });
  for (const part of [1, 2]) replies[0]?.write(part);
  void worker.stop();
  expect(await takeMessages()).toEqual(["partials r1 1,2 {}", "disconnect"]);
});

test("a slow link pauses handlers until it has drained", async () => {
  const { replies, transport, takeMessages } = await running(["r1"]);
  const [reply] = replies;
  transport.outcome = "slow";
  expect([reply?.write(1), reply?.write(2)]).toEqual([true, true]);
  expect(await takeMessages()).toEqual(["partials r1 1,2 {}"]);
  expect(reply?.write(3)).toBe(false);
  let drained = 0;
  reply?.on("drain", () => {
    drained += 1;
  });
  expect(await takeMessages()).toEqual(["partial r1 0 3"]);
  transport.outcome = "queued";
  transport.drain();
  expect([drained, reply?.write(4)]).toEqual([1, true]);
});

test("a link that has drained before the next partial does not pause the handler", async () => {
  const { replies, transport, takeMessages } = await running(["r1"]);
  transport.outcome = "slow";
  replies[0]?.write(1);
  await takeMessages();
  transport.drain();
  expect(replies[0]?.write(2)).toBe(true);
});

test("a reply whose partials cannot be sent fails, and its caller gets the error", async () => {
  const { replies, transport, takeMessages } = await running(["r1"]);
  transport.outcome = "congested";
  replies[0]?.write(1);
  replies[0]?.write(2);
  expect(await takeMessages()).toEqual([expect.stringContaining("final r1 -1")]);
  expect(replies[0]?.active()).toBe(false);
});

test.each([
  [2, false],
  [2, true],
  [40, false],
  [40, true],
])(
  "nothing of a reply follows a partial that was not sent (%i of them, then a large one: %s)",
  async (count, isLarge) => {
    const { transport, replies, takeMessages } = await running(["r1"]);
    transport.failsBatches = true;
    const [reply] = replies;
    reply?.on("error", () => {});
    for (let part = 0; part < count; part++) reply?.write(part);
    if (isLarge) reply?.write("x".repeat(10_000));
    reply?.end("last");
    expect(await takeMessages()).toEqual([expect.stringMatching(/^final r1 -1 .*"code":"BUSY"/)]);
    expect(reply?.writableErrored).toMatchObject({ code: "BUSY" });
  },
);
