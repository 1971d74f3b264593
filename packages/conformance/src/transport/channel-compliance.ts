// One suite for every implementation of publisher and subscriber, and for pairs of them: every subscriber gets the latest
// message, however late it subscribes or slowly it reads.

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Subscriber, XSubscriber } from "zeromq";
import { firstNumbers, message, texts } from "./frames.ts";
import { type ChannelSubject, TestChannels } from "./test-channels.ts";

const PADDING = "p".repeat(64 * 1024);

/** Registers the tests of one subject. */
export function channelCompliance(subject: ChannelSubject): void {
  const hasConnections = subject.kind !== "inproc";

  describe(`a publisher of ${subject.publisher} and subscribers of ${subject.subscriber} over ${subject.kind}`, () => {
    let channels: TestChannels;

    beforeEach(() => {
      channels = new TestChannels(subject);
    });

    test("subscribers get messages that start with their prefixes, and no others", async () => {
      const { link, address } = await channels.boundPublisher();
      const numbers = channels.subscriber("number ", address);
      const all = channels.subscriber("", address);
      link.publish(message("number 0"));
      await Promise.all([numbers.messages.take(), all.messages.take()]);
      link.publish(message("letter a"));
      expect(texts(await all.messages.take((frames) => texts(frames)[0] === "letter a"))).toEqual(["letter a"]);
      link.publish(message("number 1", "second frame"));
      const next = await numbers.messages.take((frames) => texts(frames)[0] !== "number 0");
      expect(texts(next)).toEqual(["number 1", "second frame"]);
    });

    test("a prefix may be bytes that are not text", async () => {
      const { link, address } = await channels.boundPublisher();
      const subscriber = channels.subscriber("\u00ff\u0000", address);
      link.publish([Buffer.from([0xff, 0x00, 0x01])]);
      expect(Buffer.from((await subscriber.messages.take())[0] ?? [])).toEqual(Buffer.from([0xff, 0x00, 0x01]));
    });

    test("a late subscriber gets the latest message", async () => {
      const { link, address } = await channels.boundPublisher();
      for (const number of firstNumbers(10)) link.publish(message(`state ${number}`));
      const late = channels.subscriber("state", address);
      expect(texts(await late.messages.take())).toEqual(["state 9"]);
    });

    test("each of many late subscribers gets the latest message", async () => {
      const { link, address } = await channels.boundPublisher();
      link.publish(message("state"));
      const late = firstNumbers(30).map(() => channels.subscriber("state", address));
      for (const { messages } of late) expect(texts(await messages.take())).toEqual(["state"]);
    });

    test("a subscriber that adds a prefix gets the latest message with that prefix", async () => {
      const { link, address } = await channels.boundPublisher();
      link.publish(message("state"));
      const subscriber = channels.subscriber("else", address);
      await subscriber.events.take((events) => events.type === "up");
      subscriber.link.subscribe("state");
      expect(texts(await subscriber.messages.take())).toEqual(["state"]);
    });

    test("a subscriber may connect before its publisher is bound", async () => {
      const address = await channels.knownAddress();
      const early = channels.subscriber("state", address);
      const { link } = await channels.boundPublisher(address);
      link.publish(message("state"));
      expect(texts(await early.messages.take())).toEqual(["state"]);
    });

    test("a publisher sends the message that it published before it was bound", async () => {
      const address = await channels.knownAddress();
      const early = channels.subscriber("state", address);
      const link = channels.publisher();
      link.publish(message("state"));
      await link.bind(address);
      expect(texts(await early.messages.take())).toEqual(["state"]);
    });

    test.runIf(hasConnections)("subscribers reconnect to the next publisher at the address", async () => {
      const { link, address } = await channels.boundPublisher();
      const subscriber = channels.subscriber("state", address);
      link.publish(message("state of the first"));
      await subscriber.messages.take();
      await link.close();
      await subscriber.events.take((events) => events.type === "down");
      const second = await channels.boundPublisher(address);
      second.link.publish(message("state of the second"));
      const next = await subscriber.messages.take((frames) => texts(frames)[0] !== "state of the first");
      expect(texts(next)).toEqual(["state of the second"]);
      expect(subscriber.events.items.map(({ type }) => type)).toEqual(["up", "up"]);
    });

    test("a subscriber that does not read misses messages and ends with the latest one, and others do not wait for it", async () => {
      const { link, address } = await channels.boundPublisher();
      const mute = new Subscriber({ receiveHighWaterMark: 1, linger: 0 });
      onTestFinished(() => mute.close());
      mute.subscribe("state");
      mute.connect(address);
      link.publish(message("state of before"));
      expect(String((await mute.receive())[0])).toBe("state of before");
      const quick = channels.subscriber("state", address);
      await quick.messages.take();

      const last = 500;
      for (let number = 1; number <= last; number++) {
        link.publish(message(`state ${number}`, PADDING));
        // Another subscriber reads each message, so that each is really sent.
        await quick.messages.take((frames) => texts(frames)[0] === `state ${number}`);
      }

      let read = 0;
      for (let first = ""; first !== `state ${last}`; read++) first = String((await mute.receive())[0]);
      expect(read).toBeLessThan(last);
    });

    test("a peer that sends anything but a subscription has no effect", async () => {
      const { link, address } = await channels.boundPublisher();
      const listener = new XSubscriber({ linger: 0, sendTimeout: 5_000 });
      onTestFinished(() => listener.close());
      listener.connect(address);
      for (const odd of ["", "\u0002", "state", "\u0000state"]) await listener.send(odd);
      link.publish(message("state"));
      await listener.send("\u0001state");
      expect(String((await listener.receive())[0])).toBe("state");
      expect(texts(await channels.subscriber("state", address).messages.take())).toEqual(["state"]);
    });

    test.runIf(hasConnections)("a message above the bound is not delivered, and later ones are", async () => {
      const { link, address } = await channels.boundPublisher();
      const subscriber = channels.subscriber("state", address, { maxFrameBytes: 1_000 });
      link.publish(message("state"));
      await subscriber.messages.take();
      link.publish(message(`state ${PADDING}`));
      await subscriber.events.take((events) => events.type === "down");
      link.publish(message("state again"));
      const next = await subscriber.messages.take((frames) => texts(frames)[0] !== "state");
      expect(texts(next)).toEqual(["state again"]);
    });

    test("an address in use is rejected, and its owner continues", async () => {
      const { link, address } = await channels.boundPublisher();
      await expect(channels.publisher().bind(address)).rejects.toMatchObject({ code: "ADDRESS_IN_USE", address });
      link.publish(message("state"));
      expect(texts(await channels.subscriber("state", address).messages.take())).toEqual(["state"]);
    });

    test("an address is free as soon as its publisher is closed", async () => {
      const { link, address } = await channels.boundPublisher();
      const subscriber = channels.subscriber("state", address);
      link.publish(message("state"));
      await subscriber.messages.take();
      await link.close();
      expect((await channels.boundPublisher(address)).address).toBe(address);
    });

    test.each(["", "nonsense", "tcp://127.0.0.1", `${subject.kind}://`])("%j is no address", async (address) => {
      const invalid = { name: "LinkError", code: "ADDRESS_INVALID", address };
      await expect(channels.publisher().bind(address)).rejects.toMatchObject(invalid);
      expect(() => channels.subscriber("", address)).toThrow(expect.objectContaining(invalid));
    });

    test("closed links have no effect", async () => {
      const { link, address } = await channels.boundPublisher();
      const subscriber = channels.subscriber("", address);
      await Promise.all([subscriber.link.close(), subscriber.link.close(), link.close(), link.close()]);
      link.publish(message("state"));
      subscriber.link.subscribe("more");
      await expect(link.bind(address)).rejects.toMatchObject({ code: "CLOSED" });
      expect(() => subscriber.link.connect(address)).toThrow(expect.objectContaining({ code: "CLOSED" }));
      expect(subscriber.messages.items).toEqual([]);
    });
  });
}
