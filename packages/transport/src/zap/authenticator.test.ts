import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AuthRequest } from "../security/auth-request.ts";
import {
  ABANDON_AFTER_MS,
  MAX_RUNNING_CALLS,
  reportDenial,
  type Verdict,
  verdictOf,
  ZapAuthenticator,
  type ZapEffect,
} from "./authenticator.ts";

const SHOP = { name: "shop", mechanism: "PLAIN", timeoutMs: 100 } as const;

describe("the ZAP authenticator", () => {
  test("calls the authenticate of the domain and answers by its verdict", () => {
    const zap = newAuthenticator();
    const effects = zap.onRequest("1", plain(), 0);
    expect(effects).toEqual([{ type: "authenticate", number: 1, request: plain() }]);
    expect(statuses(zap.onVerdict("shop", 1, { type: "authorized" }))).toEqual(["1 200"]);
  });

  test("denies after false, a failure and a timeout, and reports each", () => {
    const zap = newAuthenticator();
    const cause = new Error("gone");
    for (const id of ["1", "2", "3"]) zap.onRequest(id, plain(), 0);
    const effects = [
      ...zap.onVerdict("shop", 1, { type: "denied" }),
      ...zap.onVerdict("shop", 2, { type: "failed", cause }),
      ...zap.onTick(99),
      ...zap.onTick(100),
    ];
    expect(statuses(effects)).toEqual(["1 400", "2 500", "3 500"]);
    expect(effects.map((effect) => (effect.type === "answer" ? effect.denial : undefined))).toEqual([
      { type: "denied" },
      { type: "failed", cause },
      { type: "timeout" },
    ]);
  });

  test("ignores a verdict that comes too late, twice, or for an unknown request", () => {
    const zap = newAuthenticator();
    zap.onRequest("1", plain(), 0);
    zap.onTick(100);
    expect(zap.onVerdict("shop", 1, { type: "authorized" })).toEqual([]);
    expect(zap.onVerdict("shop", 1, { type: "authorized" })).toEqual([]);
    expect(zap.onVerdict("shop", 2, { type: "authorized" })).toEqual([]);
    expect(zap.onVerdict("other", 1, { type: "authorized" })).toEqual([]);
  });

  test("denies another mechanism than the domain's without a call", () => {
    const effects = newAuthenticator().onRequest("1", { mechanism: "NULL", domain: "shop", address: "::1" }, 0);
    expect(effects).toMatchObject([{ type: "answer", status: "400", denial: { type: "other-mechanism" } }]);
  });

  test("forgets a closed domain and ignores the verdicts of its calls", () => {
    const zap = newAuthenticator();
    zap.onRequest("1", plain(), 0);
    zap.close("shop");
    expect(zap.open(SHOP)).toBe(true);
    expect(zap.onVerdict("shop", 1, { type: "authorized" })).toEqual([]);
    expect(zap.nextDeadline()).toBeUndefined();
    zap.close("shop");
    expect(statuses(zap.onRequest("2", plain(), 0))).toEqual(["2 400"]);
  });

  test("rejects a second domain of the same name", () => {
    expect(newAuthenticator().open({ ...SHOP, mechanism: "NULL" })).toBe(false);
  });

  test("has the deadline of the request that expires first", () => {
    const zap = newAuthenticator();
    zap.open({ ...SHOP, name: "fast", timeoutMs: 10 });
    zap.onRequest("1", plain(), 0);
    zap.onRequest("2", plain(), 50);
    zap.onRequest("3", plain("fast"), 60);
    expect(zap.nextDeadline()).toBe(70);
    zap.onTick(70);
    expect(zap.nextDeadline()).toBe(100);
  });

  test("counts calls that never settle, so that the number of running calls is bounded", () => {
    const zap = newAuthenticator();
    for (let id = 1; id <= MAX_RUNNING_CALLS; id += 1) zap.onRequest(String(id), plain(), 0);
    zap.onTick(1000);
    const effects = zap.onRequest("x", plain(), 2000);
    expect(statuses(effects)).toEqual(["x 300"]);
    expect(effects[0]).toMatchObject({ denial: { type: "too-many" } });
    zap.onVerdict("shop", 7, { type: "denied" });
    expect(zap.onRequest("y", plain(), 2000)).toMatchObject([{ type: "authenticate" }]);
  });

  test("abandons calls that have not settled a minute after their timeout", () => {
    const zap = newAuthenticator();
    for (let id = 1; id <= MAX_RUNNING_CALLS; id += 1) zap.onRequest(String(id), plain(), 0);
    zap.onTick(1000);
    const abandonedAt = SHOP.timeoutMs + ABANDON_AFTER_MS;
    expect(statuses(zap.onRequest("early", plain(), abandonedAt - 1))).toEqual(["early 300"]);
    expect(zap.onRequest("late", plain(), abandonedAt)).toMatchObject([{ type: "authenticate" }]);
    expect(zap.onVerdict("shop", 7, { type: "authorized" })).toEqual([]);
  });

  test("answers each request once, and 200 only after an authorized verdict, under any script", () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant("request" as const) }),
      fc.record({
        type: fc.constant("verdict" as const),
        number: fc.integer({ min: 1, max: 20 }),
        verdict: fc.constantFrom<Verdict>({ type: "authorized" }, { type: "denied" }, { type: "failed", cause: 0 }),
      }),
      fc.record({ type: fc.constant("tick" as const), ms: fc.integer({ min: 0, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const zap = newAuthenticator();
        const answered: string[] = [];
        const authorized = new Set<string>();
        let [now, made] = [0, 0];
        for (const one of steps) {
          if (one.type === "tick") now += one.ms;
          if (one.type === "request") made += 1;
          const effects =
            one.type === "request"
              ? zap.onRequest(String(made), plain(), now)
              : one.type === "tick"
                ? zap.onTick(now)
                : zap.onVerdict("shop", one.number, one.verdict);
          if (one.type === "verdict" && one.verdict.type === "authorized") authorized.add(String(one.number));
          for (const text of statuses(effects)) {
            const [id = "", status] = text.split(" ");
            answered.push(id);
            expect(status === "200" && !authorized.has(id)).toBe(false);
          }
        }
        answered.push(...statuses(zap.onTick(now + 1000)).map((text) => text.split(" ")[0] ?? ""));
        expect(answered.sort()).toEqual(Array.from({ length: made }, (_, index) => String(index + 1)).sort());
      }),
      { ...(process.env.PIGATO_FUZZ_SEED && { seed: Number(process.env.PIGATO_FUZZ_SEED) }) },
    );
  });
});

test.each<[string, () => boolean | Promise<boolean>, Verdict["type"]]>([
  ["returns true", () => true, "authorized"],
  ["returns false", () => false, "denied"],
  ["resolves to true", () => Promise.resolve(true), "authorized"],
  ["rejects", () => Promise.reject(new Error("gone")), "failed"],
  ["returns an object", () => JSON.parse('{"ok":true}'), "failed"],
  [
    "throws",
    () => {
      throw new Error("gone");
    },
    "failed",
  ],
])("an authenticate that %s has a verdict", async (_what, authenticate, type) => {
  expect(await verdictOf({ domain: "shop", authenticate, timeoutMs: 1 }, plain())).toMatchObject({ type });
});

test("a denial is reported with its mechanism and without credentials", () => {
  const report = reportDenial(plain(), { type: "denied" });
  expect(report).toEqual({ code: "DENIED", detail: "authenticate returned false", mechanism: "PLAIN" });
});

function newAuthenticator(): ZapAuthenticator<string> {
  const zap = new ZapAuthenticator<string>();
  zap.open(SHOP);
  return zap;
}

function plain(domain = "shop"): AuthRequest {
  return { mechanism: "PLAIN", domain, address: "::1", username: "ada", password: "x" };
}

/** `"ticket status"` of each answer. */
function statuses(effects: readonly ZapEffect<string>[]): string[] {
  return effects.flatMap((effect) => (effect.type === "answer" ? [`${effect.ticket} ${effect.status}`] : []));
}
