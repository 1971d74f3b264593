// Peers that do not read: what `send` returns, that nothing accepted is lost, and that no other peer has to wait.

import type { SendOutcome } from "@pigato/transport";
import { expect, onTestFinished, test } from "vitest";
import { firstNumbers, message, numbered, numberOf, texts } from "./frames.ts";
import type { TestDealer, TestLinks } from "./test-links.ts";
import { MuteDealer, MuteRouter } from "./unread-peers.ts";

const LIMITS = { slowBytes: 128 * 1024, maxQueuedBytes: 1024 * 1024 };
const PADDING = Buffer.alloc(16 * 1024, "p");
/** So many consecutive failed sends, with time to write in between, mean that the link is full. */
const FAILURES_IN_A_ROW = 25;

export function pressureCases(links: () => TestLinks): void {
  test("a peer that does not read is slow, then congested, and others are served meanwhile", async () => {
    const { router, other } = await slowAndReadingPeers();
    const { outcomes } = await flood((frames) => router.send("mute", frames), other);
    expect(outcomes).toEqual(["queued", "slow", "congested"]);
    expect(router.send("other", message("direct"))).toBe("queued");
    expect(texts(await other.messages.take())).toEqual(["direct"]);
  });

  test("everything accepted for a slow peer arrives in order once it reads, and drain is reported", async () => {
    const { router, events, other, mute } = await slowAndReadingPeers();
    const { accepted } = await flood((frames) => router.send("mute", frames), other);
    expect(await mute.readNumbers(accepted)).toEqual(firstNumbers(accepted));
    await events.take((each) => each.type === "drain" && each.peer === "mute");
    expect(router.send("mute", numbered(accepted))).toBe("queued");
    expect(await mute.readNumbers(1)).toEqual([accepted]);
    expect(events.items.filter((each) => each.type !== "drain" && each.type !== "up")).toEqual([]);
  });

  test("a peer at its bound still takes urgent messages, an eighth of the bound at most", async () => {
    const { router, other, mute } = await slowAndReadingPeers();
    const { accepted } = await flood((frames) => router.send("mute", frames), other);
    const kilobyte = Buffer.alloc(1024);
    let urgent = 0;
    while (router.send("mute", numbered(accepted + urgent, kilobyte), { urgent: true }) !== "congested") urgent += 1;
    expect(urgent).toBeGreaterThan(0);
    expect(urgent * kilobyte.length).toBeLessThanOrEqual(LIMITS.maxQueuedBytes / 8 + PADDING.length);
    expect(await mute.readNumbers(accepted + urgent)).toEqual(firstNumbers(accepted + urgent));
  });

  test("messages that still wait for a slow peer when the router closes are reported", async () => {
    const { router, events, other } = await slowAndReadingPeers();
    const { accepted } = await flood((frames) => router.send("mute", frames), other);
    await router.close(20);
    const reported = events.items.flatMap((each) => (each.type === "undelivered" ? [numberOf(each.frames)] : []));
    expect(reported.length).toBeGreaterThan(0);
    // Each once and in order, after the messages that were sent.
    expect(reported).toEqual(firstNumbers(accepted).slice(-reported.length));
    expect(events.items.filter((each) => each.type === "down" || each.type === "error")).toEqual([]);
  });

  test("a dealer whose router does not read is slow, then congested, and nothing accepted is lost", async () => {
    const mute = new MuteRouter();
    onTestFinished(() => mute.close());
    const dealer = links().connectedDealer("d", mute.bind(links().newAddress()), { limits: LIMITS });
    await dealer.events.take((events) => events.type === "up");
    const { other } = await slowAndReadingPeers();
    const { outcomes, accepted } = await flood((frames) => dealer.link.send(frames), other);
    expect(outcomes).toEqual(["queued", "slow", "congested"]);
    expect(await mute.readNumbers(accepted)).toEqual(firstNumbers(accepted));
    await dealer.events.take((events) => events.type === "drain");
    expect(dealer.link.send(numbered(accepted))).toBe("queued");
    expect(await mute.readNumbers(1)).toEqual([accepted]);
  });

  test("messages that wait for a router are bounded in number, and all that were accepted arrive", async () => {
    const address = await links().knownAddress();
    const dealer = links().dealer("d", { limits: { maxQueuedMessages: 10 } });
    const outcomes = firstNumbers(20).map((number) => dealer.link.send(numbered(number)));
    expect(outcomes).toEqual([...Array(10).fill("queued"), ...Array(10).fill("congested")]);
    expect(dealer.link.send(numbered(10), { urgent: true })).toBe("queued");
    dealer.link.connect(address);
    const router = links().router();
    await router.link.bind(address);
    const received = await router.messages.takeMany(11);
    expect(received.map(({ frames }) => numberOf(frames))).toEqual(firstNumbers(11));
    await dealer.events.take((events) => events.type === "drain");
  });

  test("a message larger than the bound is accepted when no other waits", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address, { limits: { maxQueuedBytes: 1_000 } });
    expect(dealer.link.send([Buffer.alloc(5_000)])).not.toBe("congested");
    expect((await router.messages.take()).frames[0]).toHaveLength(5_000);
  });

  /** A router, a peer that does not read, and a peer that reads. */
  async function slowAndReadingPeers() {
    const { link, events } = links().router({ limits: LIMITS }, (router, peer, frames) => {
      if (peer === "mute") greeted();
      else router.send(peer, frames);
    });
    let greeted = () => {};
    const greeting = new Promise<void>((resolve) => {
      greeted = resolve;
    });
    const address = await link.bind(links().newAddress());
    const mute = new MuteDealer(address, "mute");
    onTestFinished(() => mute.close());
    await mute.greet();
    await greeting;
    const other = links().connectedDealer("other", address);
    return { router: link, events, other, mute };
  }
}

/** Sends numbered messages until the link stays full. */
async function flood(send: (frames: ReturnType<typeof numbered>) => SendOutcome, other: TestDealer) {
  const outcomes = new Set<SendOutcome>();
  let accepted = 0;
  for (let failures = 0; failures < FAILURES_IN_A_ROW; ) {
    const outcome = send(numbered(accepted, PADDING));
    outcomes.add(outcome);
    if (outcome !== "congested") {
      accepted += 1;
      failures = 0;
      continue;
    }
    failures += 1;
    other.link.send(message("meanwhile"));
    expect(texts(await other.messages.take())).toEqual(["meanwhile"]);
  }
  return { outcomes: [...outcomes], accepted };
}
