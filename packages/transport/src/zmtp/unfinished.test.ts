import { beforeEach, describe, expect, test } from "vitest";
import { type MessageSize, ReceiveBudget, UnfinishedMessage } from "./unfinished.ts";

const LIMITS = { maxReceivingBytes: 1_000, stallTimeoutMs: 100, minProgressBytes: 50 };

let budget: ReceiveBudget;
let dropped: string[];
let wakeAt: number | undefined;

beforeEach(() => {
  budget = new ReceiveBudget(LIMITS);
  dropped = [];
  wakeAt = undefined;
});

function newMessage(name: string): UnfinishedMessage {
  const alarm = {
    set: (at: number | undefined) => {
      wakeAt = at;
    },
  };
  return new UnfinishedMessage(
    budget,
    () => alarm,
    ({ code }) => dropped.push(`${name} ${code}`),
  );
}

function size(bytes: number, keptBytes = bytes): MessageSize {
  return { bytes, keptBytes };
}

test("a budget forgets a message when its connection ends", () => {
  const [ended, other] = [newMessage("ended"), newMessage("other")];
  ended.update(size(10), false, 0);
  other.update(size(20), false, 0);
  ended.stop();
  ended.stop();
  expect([[...budget.audit()], budget.bytes, ended.keptBytes]).toEqual([[other], 20, 0]);
});

test("a budget without a message to drop does not search for one without end", () => {
  budget.count(2_000, 0);
  expect([budget.bytes, dropped]).toEqual([2_000, []]);
});

describe("an unfinished message", () => {
  test("must grow by the minimum in every period", () => {
    const message = newMessage("slow");
    message.update(size(1), false, 0);
    expect(wakeAt).toBe(100);
    message.update(size(51), false, 99);
    message.check(100);
    expect(wakeAt).toBe(200);
    message.update(size(100), false, 199);
    message.check(200);
    expect(dropped).toEqual(["slow STALLED"]);
    expect(wakeAt).toBeUndefined();
    expect(budget.bytes).toBe(0);
  });

  test("may end instead, and the next one has a whole period", () => {
    const message = newMessage("small");
    message.update(size(20), false, 0);
    // It ends, and the next one has the same size.
    message.update(size(20), true, 90);
    message.check(100);
    expect(dropped).toEqual([]);
    message.update(size(0), true, 150);
    message.check(200);
    expect(wakeAt).toBe(200);
    message.update(size(10), false, 300);
    expect(wakeAt).toBe(400);
    message.check(400);
    expect(dropped).toEqual(["small STALLED"]);
  });

  test("may end without a message, because there are commands in between", () => {
    const message = newMessage("ping");
    message.update(size(5), false, 0);
    message.update(size(0), false, 10);
    message.update(size(3), false, 20);
    message.check(100);
    expect(dropped).toEqual([]);
  });

  test("has no alarm while there is none", () => {
    const message = newMessage("idle");
    message.update(size(0), true, 0);
    expect(wakeAt).toBeUndefined();
    message.check(100);
    expect(dropped).toEqual([]);
  });
});

describe("the bound of all unfinished messages", () => {
  test("drops the largest of those that began together", () => {
    const [small, large, other] = [newMessage("small"), newMessage("large"), newMessage("other")];
    small.update(size(100), false, 0);
    large.update(size(600), false, 0);
    other.update(size(300), false, 0);
    expect(dropped).toEqual([]);
    small.update(size(101), false, 0);
    expect(dropped).toEqual(["large TOO_MUCH_UNFINISHED"]);
    expect(budget.bytes).toBe(401);
  });

  test("drops one that is sent slowly before a larger one that makes progress", () => {
    const [slow, fast] = [newMessage("slow"), newMessage("fast")];
    slow.update(size(300), false, 0);
    slow.update(size(400), false, 20_000);
    fast.update(size(500), false, 20_000);
    fast.update(size(601), false, 21_000);
    expect(dropped).toEqual(["slow TOO_MUCH_UNFINISHED"]);
  });

  test("counts the time of each message of a connection from its own start", () => {
    const [busy, other] = [newMessage("busy"), newMessage("other")];
    busy.update(size(400), false, 0);
    busy.update(size(400), true, 20_000);
    other.update(size(500), false, 19_000);
    other.update(size(601), false, 20_000);
    expect(dropped).toEqual(["other TOO_MUCH_UNFINISHED"]);
  });

  test("drops the one that grows beyond it alone, and as many as it takes", () => {
    const messages = Array.from({ length: 10 }, (_, index) => newMessage(String(index)));
    for (const message of messages) message.update(size(100), false, 0);
    newMessage("huge").update(size(1_001), false, 0);
    expect(dropped).toEqual(["huge TOO_MUCH_UNFINISHED"]);
    expect(budget.bytes).toBe(1_000);
  });

  test("counts what is kept of a message that is skipped, which must grow like any other", () => {
    const message = newMessage("skipped");
    message.update(size(500), false, 0);
    message.update(size(5_000, 10), false, 10);
    expect(budget.bytes).toBe(10);
    message.check(100);
    message.update(size(5_010, 10), false, 150);
    expect(dropped).toEqual([]);
    message.check(200);
    expect(dropped).toEqual(["skipped STALLED"]);
  });

  test("does not count messages that ended, or whose connection ended", () => {
    const [one, two] = [newMessage("one"), newMessage("two")];
    one.update(size(900), false, 0);
    one.update(size(0), true, 0);
    two.update(size(900), false, 0);
    two.stop();
    two.update(size(950), false, 0);
    two.stop();
    expect(budget.bytes).toBe(0);
    newMessage("three").update(size(1_000), false, 0);
    expect(dropped).toEqual([]);
  });
});
