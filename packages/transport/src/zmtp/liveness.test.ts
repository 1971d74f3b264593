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

test("a peer without a handshake in time is gone", () => {
  const liveness = connected(false);
  expect(wakeAt).toBe(1_000);
  expect(liveness.check(1_000, false, true)).toMatchObject({ code: "HANDSHAKE_TIMEOUT" });
});

describe("the active end", () => {
  test("sends PING when either end was quiet, and not when both sent data", () => {
    const liveness = connected(true);
    liveness.onUp(true, 100);
    expect(wakeAt).toBe(2_600);
    expect(liveness.check(2_600, false, false)).toBe("ping");
    liveness.lastDataAt = 2_601;
    expect(liveness.check(5_100, false, true)).toBeUndefined();
    expect(liveness.check(7_600, false, true)).toBe("ping");
    expect(wakeAt).toBe(10_100);
  });

  test("closes the connection to an end that sent nothing for ten seconds", () => {
    const liveness = connected(true);
    liveness.onUp(true, 0);
    liveness.lastDataAt = 1_000;
    expect(liveness.check(10_999, false, false)).toBe("ping");
    expect(liveness.check(11_000, false, false)).toMatchObject({ code: "SILENCE" });
  });

  test("neither sends PING to an end that reads nothing nor closes its connection", () => {
    const liveness = connected(true);
    liveness.onUp(true, 0);
    expect(liveness.check(60_000, true, false)).toBeUndefined();
    expect(wakeAt).toBe(62_500);
  });

  test("gives an end that reads again ten seconds, because what it has not read yet comes before the PING", () => {
    const liveness = connected(true);
    liveness.onUp(true, 0);
    expect(liveness.check(60_000, true, true)).toBeUndefined();
    expect(liveness.check(62_500, false, true)).toBe("ping");
    expect(liveness.check(69_999, false, true)).toBe("ping");
    expect(liveness.check(70_000, false, true)).toMatchObject({ code: "SILENCE" });
  });

  test("never sends PING to an end of version 3.0, and ignores a TTL", () => {
    const liveness = connected(true);
    liveness.onUp(false, 0);
    expect(wakeAt).toBeUndefined();
    liveness.onTtl(100, 0);
    expect(wakeAt).toBeUndefined();
  });
});

describe("the listening end", () => {
  test("keeps a silent peer that announced no TTL", () => {
    connected(false).onUp(true, 0);
    expect(wakeAt).toBeUndefined();
  });

  test("closes the connection to a peer that was silent for its TTL, counted from its last data", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 100);
    expect(wakeAt).toBe(600);
    liveness.lastDataAt = 400;
    expect(liveness.check(600, false, true)).toBeUndefined();
    expect(wakeAt).toBe(900);
    expect(liveness.check(900, false, true)).toMatchObject({ code: "SILENCE" });
  });

  test("keeps a silent peer that reads nothing", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 0);
    expect(liveness.check(500, true, true)).toBeUndefined();
    expect(wakeAt).toBe(1_000);
  });

  test("keeps a silent peer that announces a TTL of zero later", () => {
    const liveness = connected(false);
    liveness.onUp(true, 0);
    liveness.onTtl(500, 0);
    liveness.onTtl(0, 100);
    expect(wakeAt).toBeUndefined();
  });
});
