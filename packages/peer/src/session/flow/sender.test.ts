import { GRANT_BYTES, MAX_CREDIT, MAX_CREDIT_BYTES } from "@pigato/protocol/internal";
import { describe, expect, test } from "vitest";
import { Sender, type SendStream } from "./sender.ts";

type Stream = SendStream<string> & { readonly name: string };

/** Items are texts, of as many bytes as letters. "end" ends a stream. */
function newSender(maxHeldBytes = 10): Sender<Stream, string> {
  return new Sender({ maxHeldBytes, bytesOf: (item) => item.length, isEnd: (item) => item === "end" });
}

function newStream(name: string, credit: number): Stream {
  return { name, credit, creditBytes: MAX_CREDIT_BYTES, held: undefined, isPaused: false };
}

/** The names of the streams that have their turn. */
function turns(sender: Sender<Stream, string>): string[] {
  const names: string[] = [];
  for (let stream = sender.takeReady(); stream !== undefined; stream = sender.takeReady()) names.push(stream.name);
  return names;
}

describe("P-STREAM-4: the sender of streams", () => {
  test("blocks a stream without credit, and one whose earlier items are held", () => {
    const sender = newSender();
    const stream = newStream("a", 1);
    expect(sender.isBlocked(stream)).toBe(false);
    sender.spend(stream, 1);
    expect(sender.isBlocked(stream)).toBe(true);
    sender.hold(stream, "one");
    sender.grant(stream, 5);
    expect([stream.credit, sender.isBlocked(stream)]).toEqual([5, true]);
    sender.shift(stream);
    expect(sender.isBlocked(stream)).toBe(false);
  });

  test("does not count the credit of a stream without flow control", () => {
    const sender = newSender();
    const stream = newStream("a", MAX_CREDIT);
    sender.spend(stream, 1);
    expect([sender.grant(stream, 3), stream.credit]).toEqual([false, MAX_CREDIT]);
  });

  test("counts no grant of nothing, and reports whether the stream can continue", () => {
    const sender = newSender();
    const stream = newStream("a", 0);
    expect([sender.grant(stream, 0), sender.grant(stream, 1), stream.credit]).toEqual([false, false, 1]);
    expect(turns(sender)).toEqual([]);
    sender.pause(stream);
    expect([sender.grant(stream, 1), stream.credit]).toEqual([true, 2]);
    expect(turns(sender)).toEqual(["a"]);
  });

  test("returns held items in order, and only with credit; the end needs none", () => {
    const sender = newSender();
    const stream = newStream("a", 0);
    for (const item of ["one", "two", "end"]) expect(sender.hold(stream, item)).toBe(true);
    expect(sender.peek(stream)).toBeUndefined();
    sender.grant(stream, 2);
    for (const item of ["one", "two"]) {
      expect(sender.peek(stream)).toBe(item);
      sender.spend(stream, 1);
      sender.shift(stream);
    }
    expect([stream.credit, sender.peek(stream)]).toEqual([0, "end"]);
    sender.shift(stream);
    expect([sender.peek(stream), stream.held]).toEqual([undefined, undefined]);
    expect(() => sender.shift(stream)).not.toThrow();
  });

  test("holds up to its bound of all streams together, and any end", () => {
    const sender = newSender(6);
    const [one, other] = [newStream("a", 0), newStream("b", 0)];
    expect([sender.hold(one, "1234"), sender.hold(other, "56"), sender.hold(other, "7")]).toEqual([true, true, false]);
    expect([sender.hold(one, "end"), sender.audit().heldBytes]).toEqual([true, 9]);
    sender.shift(one);
    expect([sender.audit().heldBytes, sender.hold(other, "7")]).toEqual([5, true]);
    sender.remove(one);
    sender.remove(other);
    expect([sender.audit().heldBytes, one.held, other.held]).toEqual([0, undefined, undefined]);
  });

  test("pauses a writer once, and resumes it only when nothing blocks it", () => {
    const sender = newSender();
    const stream = newStream("a", 0);
    expect([sender.pause(stream), sender.pause(stream)]).toEqual([true, false]);
    expect(sender.resume(stream)).toBe(false);
    sender.grant(stream, 1);
    expect([sender.resume(stream), stream.isPaused, sender.resume(stream)]).toEqual([true, false, false]);
  });

  test("gives streams their turns in order, and none while the link is slow", () => {
    const sender = newSender();
    const streams = ["a", "b", "c"].map((name) => newStream(name, 1));
    for (const stream of streams) sender.pause(stream);
    expect([sender.hasReady, sender.isLinkSlow]).toEqual([true, false]);
    sender.isLinkSlow = true;
    expect(turns(sender)).toEqual([]);
    sender.isLinkSlow = false;
    const first = sender.takeReady();
    if (first !== undefined) sender.requeue(first);
    expect(turns(sender)).toEqual(["b", "c", "a"]);
    expect(sender.hasReady).toBe(false);
  });

  test("gives no turn to a paused stream without credit, or to one that has ended", () => {
    const sender = newSender();
    const [empty, ended] = [newStream("a", 0), newStream("b", 1)];
    sender.pause(empty);
    sender.pause(ended);
    sender.remove(ended);
    expect(turns(sender)).toEqual([]);
  });
});

describe("P-STREAM-11: the credit in bytes", () => {
  test("blocks a stream that has chunks left to send, and a grant restores a part of it", () => {
    const sender = newSender();
    const stream = newStream("a", 100);
    expect([sender.spend(stream, MAX_CREDIT_BYTES - 1), sender.isBlocked(stream)]).toEqual([false, false]);
    expect([sender.spend(stream, 1), sender.isBlocked(stream)]).toEqual([true, true]);
    sender.hold(stream, "one");
    sender.pause(stream);
    expect([sender.peek(stream), turns(sender), sender.resume(stream)]).toEqual([undefined, [], false]);
    expect([sender.grant(stream, 1), stream.creditBytes, sender.peek(stream)]).toEqual([true, GRANT_BYTES, "one"]);
    expect(turns(sender)).toEqual(["a"]);
  });

  test("is never more than at the start, and a chunk may be larger than what is left", () => {
    const sender = newSender();
    const stream = newStream("a", 100);
    sender.grant(stream, 1);
    expect(stream.creditBytes).toBe(MAX_CREDIT_BYTES);
    sender.spend(stream, MAX_CREDIT_BYTES - 1);
    expect([sender.spend(stream, 10 * MAX_CREDIT_BYTES), stream.creditBytes]).toEqual([true, 0]);
    sender.grant(stream, 1);
    expect(sender.isBlocked(stream)).toBe(false);
  });

  test("is not counted without flow control", () => {
    const sender = newSender();
    const stream = newStream("a", MAX_CREDIT);
    expect([sender.spend(stream, 2 * MAX_CREDIT_BYTES), sender.isBlocked(stream)]).toEqual([false, false]);
  });

  test("blocks nothing once a grant has lifted flow control", () => {
    const sender = newSender();
    const stream = newStream("a", 3);
    sender.spend(stream, MAX_CREDIT_BYTES);
    sender.grant(stream, MAX_CREDIT);
    expect([sender.isBlocked(stream), sender.spend(stream, 2 * MAX_CREDIT_BYTES)]).toEqual([false, false]);
  });
});
