// The end of a link: accepted messages are still sent, nothing follows, and the link does not keep the process alive.

import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { expect, onTestFinished, test } from "vitest";
import { firstNumbers, message, numbered, numberOf } from "./frames.ts";
import type { ProcessSettings } from "./link-process.ts";
import type { Subject } from "./subject.ts";
import type { TestLinks } from "./test-links.ts";
import { MuteDealer } from "./unread-peers.ts";

const PROGRAM = fileURLToPath(new URL("./link-process.ts", import.meta.url));

export function closingCases(links: () => TestLinks, subject: Subject): void {
  const many = Math.min(3_000, subject.can.unreadAtClose);

  test("a router that closes at once still writes its messages", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    dealer.link.send(message("hello"));
    await router.messages.take();
    for (const number of firstNumbers(many)) router.link.send("d", numbered(number, Buffer.alloc(500)));
    await router.link.close(10_000);
    expect((await dealer.messages.takeMany(many)).map(numberOf)).toEqual(firstNumbers(many));
  });

  test("a dealer that closes at once still writes its messages", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    for (const number of firstNumbers(many)) dealer.link.send(numbered(number, Buffer.alloc(500)));
    await dealer.link.close(10_000);
    const received = await router.messages.takeMany(many);
    expect(received.map(({ frames }) => numberOf(frames))).toEqual(firstNumbers(many));
  });

  test("messages that could not be sent before the link closed are reported", async () => {
    const dealer = links().connectedDealer("d", await links().knownAddress());
    if (subject.kind === "inproc") return; // there, connecting is being connected
    for (const number of firstNumbers(3)) dealer.link.send(numbered(number));
    await dealer.link.close(20);
    const reported = dealer.events.items.map((events) =>
      events.type === "undelivered" ? numberOf(events.frames) : events.type,
    );
    expect(reported).toEqual([0, 1, 2]);
  });

  test("closing without waiting messages does not wait for the linger time", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    dealer.link.send(message("hello"));
    await router.messages.take();
    const idle = links().connectedDealer("idle", await links().knownAddress());
    // Longer than the timeout of the test.
    await Promise.all([dealer, idle, router].map(({ link }) => link.close(600_000)));
  });

  test("closing twice has no further effect", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    await Promise.all([dealer.link.close(), dealer.link.close(), router.link.close(), router.link.close()]);
    await dealer.link.close();
    await router.link.close();
  });

  test("links that were never used can be closed", async () => {
    await links().router().link.close();
    await links().dealer("d").link.close();
  });

  test("a closed link accepts no messages", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    dealer.link.send(message("hello"));
    await router.messages.take();
    const closing = [dealer.link.close(), router.link.close()];
    expect(dealer.link.send(message("too late"))).toBe("congested");
    expect(router.link.send("d", message("too late"))).toBe("unreachable");
    await Promise.all(closing);
    expect(dealer.link.send(message("too late"))).toBe("congested");
    expect(router.link.send("d", message("too late"))).toBe("unreachable");
  });

  test("a closed link delivers no more messages", async () => {
    const router = await links().boundRouter();
    const dealer = links().connectedDealer("d", router.address);
    const pass = await links().clockwork();
    for (const number of firstNumbers(20_000)) dealer.link.send(numbered(number));
    await router.messages.take();
    const closing = router.link.close(200);
    const count = router.messages.items.length;
    await closing;
    for (const _ of firstNumbers(20)) await pass();
    expect(router.messages.items).toHaveLength(count);
    expect(router.events.items.filter((events) => events.type !== "up")).toEqual([]);
  });

  test("a process ends by itself when its links are closed", async () => {
    expect(await startProgram("echo").exited()).toBe(0);
  });

  test("an exception of a handler is uncaught, and the link continues", async () => {
    expect(await startProgram("throw").exited()).toBe(0);
  });

  test.skipIf(subject.kind === "inproc")("a process ends although its last messages were not read", async () => {
    const program = startProgram("unread");
    const address = await program.receive();
    const mute = new MuteDealer(String(address), "mute");
    onTestFinished(() => mute.close());
    await mute.greet();
    expect(await program.exited()).toBe(0);
  });

  function startProgram(scenario: ProcessSettings["scenario"]): PeerProcess {
    const { router, dealer } = subject;
    const settings: ProcessSettings = { router, dealer, scenario, address: links().newAddress() };
    const program = PeerProcess.node(PROGRAM, [JSON.stringify(settings)]);
    onTestFinished(() => void program.kill());
    return program;
  }
}
