import { beforeEach, describe, expect, test } from "vitest";
import { Liveness } from "./liveness.ts";

let wakeAt: number | undefined;
const alarm = {
  set: (at: number | undefined) => {
    wakeAt = at;
  },
};

beforeEach(() => {
  wakeAt = undefined;
});

function connected(isActive: boolean): Liveness {
  return new Liveness({ isActive, handshakeTimeoutMs: 1_000 }, alarm, 0);
}

test("who does not introduce itself in time is gone", () => {
  const liveness = connected(false);
  expect(wakeAt).toBe(1_000);
  expect(liveness.look(1_000, false, true)).toMatchObject({ code: "HANDSHAKE_TIMEOUT" });
});

describe("the end that connected", () => {
  test("asks when either end was quiet, and not when both were heard", () => {
    const liveness = connected(true);
    liveness.onUp(true, 100);
    expect(wakeAt).toBe(2_600);
    expect(liveness.look(2_600, false, false)).toBe("ask");
    liveness.heardAt = 2_601;
    expect(liveness.look(5_100, false, true)).toBeUndefined();
    expect(liveness.look(7_600, false, true)).toBe("ask");
    expect(wakeAt).toBe(10_100);
  });

  test("gives up one that answered nothing for ten seconds", () => {
    const liveness = connected(true);
    liveness.onUp(true, 0);
    liveness.heardAt = 1_000;
    expect(liveness.look(10_999, false, false)).toBe("ask");
    expect(liveness.look(11_000, false, false)).toMatchObject({ code: "SILENCE" });
  });

  test("neither asks nor gives up one that takes nothing", () => {
    const liveness = connected(true);
    liveness.onUp(true, 0);
    expect(liveness.look(60_000, true, false)).toBeUndefined();
    expect(wakeAt).toBe(62_500);
  });

  test("never asks one of version 3.0, and goes by no TTL", () => {
    const liveness = connected(true);
    liveness.onUp(false, 0);
    expect(wakeAt).toBeUndefined();
    liveness.onTtl(100, 0);
    expect(wakeAt).toBeUndefined();
  });
});

describe("the end that listens", () => {
  test("waits for ever for one that announced nothing", () => {
    connected(false).onUp(true, 0);
    expect(wakeAt).toBeUndefined();
  });

  test("gives up one that was silent for as long as it announced, counted from what came last", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 100);
    expect(wakeAt).toBe(600);
    liveness.heardAt = 400;
    expect(liveness.look(600, false, true)).toBeUndefined();
    expect(wakeAt).toBe(900);
    expect(liveness.look(900, false, true)).toMatchObject({ code: "SILENCE" });
  });

  test("does not hold against one that takes nothing that it says nothing", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 0);
    expect(liveness.look(500, true, true)).toBeUndefined();
    expect(wakeAt).toBe(1_000);
  });

  test("waits for ever again when that is announced", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 0);
    liveness.onTtl(0, 100);
    expect(wakeAt).toBeUndefined();
  });
});
