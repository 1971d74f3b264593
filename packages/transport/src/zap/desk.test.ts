import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DeskEffect, MAX_RUNNING_CHECKS, type Verdict, ZapDesk } from "./desk.ts";

const SHOP = { name: "shop", mechanism: "PLAIN", timeoutMs: 100 } as const;

describe("the desk of ZAP", () => {
  test("asks the check of the domain, and lets in by its word", () => {
    const desk = newDesk();
    const [ask] = desk.onRequest(request("1"), 0);
    expect(ask).toMatchObject({
      type: "ask",
      number: 1,
      domain: "shop",
      applicant: { username: "ada", password: "x" },
    });
    expect(codes(desk.onVerdict("shop", 1, { type: "in" }))).toEqual(["1 200"]);
  });

  test("keeps out by its word, by its failure, and by its silence, and tells of each", () => {
    const desk = newDesk();
    const cause = new Error("gone");
    for (const id of ["1", "2", "3"]) desk.onRequest(request(id), 0);
    const effects = [
      ...desk.onVerdict("shop", 1, { type: "out" }),
      ...desk.onVerdict("shop", 2, { type: "failed", cause }),
      ...desk.onTick(99),
      ...desk.onTick(100),
    ];
    expect(codes(effects)).toEqual(["1 400", "2 500", "3 500"]);
    expect(effects.flatMap((effect) => (effect.type === "kept-out" ? [effect.denial] : []))).toEqual([
      { type: "denied" },
      { type: "failed", cause },
      { type: "late" },
    ]);
  });

  test("a word that comes too late, or twice, or about nobody, lets nobody in", () => {
    const desk = newDesk();
    desk.onRequest(request("1"), 0);
    desk.onTick(100);
    expect(desk.onVerdict("shop", 1, { type: "in" })).toEqual([]);
    expect(desk.onVerdict("shop", 1, { type: "in" })).toEqual([]);
    expect(desk.onVerdict("shop", 2, { type: "in" })).toEqual([]);
    expect(desk.onVerdict("other", 1, { type: "in" })).toEqual([]);
  });

  test("another mechanism than the domain's is kept out unasked", () => {
    const desk = newDesk();
    const frames = [...ENVELOPE, ...bytes("1.0", "1", "shop", "::1", "", "NULL")];
    expect(codes(desk.onRequest(frames, 0))).toEqual(["1 400"]);
  });

  test("a domain that is closed is unknown, and what its check still says is about nobody", () => {
    const desk = newDesk();
    desk.onRequest(request("1"), 0);
    desk.close("shop");
    expect(desk.open(SHOP)).toBe(true);
    expect(desk.onVerdict("shop", 1, { type: "in" })).toEqual([]);
    expect(desk.nextDeadline()).toBeUndefined();
    desk.close("shop");
    expect(codes(desk.onRequest(request("2"), 0))).toEqual(["2 400"]);
  });

  test("a name belongs to one domain at a time", () => {
    expect(newDesk().open({ ...SHOP, mechanism: "NULL" })).toBe(false);
  });

  test("wakes for the request that has waited longest", () => {
    const desk = newDesk();
    desk.open({ ...SHOP, name: "fast", timeoutMs: 10 });
    desk.onRequest(request("1"), 0);
    desk.onRequest(request("2"), 50);
    desk.onRequest(request("3", "fast"), 60);
    expect(desk.nextDeadline()).toBe(70);
    desk.onTick(70);
    expect(desk.nextDeadline()).toBe(100);
  });

  test("checks that never end count, so that there are never more than so many", () => {
    const desk = newDesk();
    for (let id = 1; id <= MAX_RUNNING_CHECKS; id += 1) desk.onRequest(request(String(id)), 0);
    desk.onTick(1000);
    const effects = desk.onRequest(request("x"), 2000);
    expect(codes(effects)).toEqual(["x 300"]);
    expect(effects[1]).toMatchObject({ type: "kept-out", denial: { type: "too-many" } });
    desk.onVerdict("shop", 7, { type: "out" });
    expect(desk.onRequest(request("y"), 2000)).toMatchObject([{ type: "ask" }]);
  });

  test("whatever comes, each request is answered once, and 200 only by a word", () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant("request" as const) }),
      fc.record({
        type: fc.constant("verdict" as const),
        number: fc.integer({ min: 1, max: 20 }),
        verdict: fc.constantFrom<Verdict>({ type: "in" }, { type: "out" }, { type: "failed", cause: 0 }),
      }),
      fc.record({ type: fc.constant("tick" as const), ms: fc.integer({ min: 0, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const desk = newDesk();
        const answered: string[] = [];
        const letIn = new Set<string>();
        let [now, made] = [0, 0];
        for (const one of steps) {
          if (one.type === "tick") now += one.ms;
          if (one.type === "request") made += 1;
          const effects =
            one.type === "request"
              ? desk.onRequest(request(String(made)), now)
              : one.type === "tick"
                ? desk.onTick(now)
                : desk.onVerdict("shop", one.number, one.verdict);
          if (one.type === "verdict" && one.verdict.type === "in") letIn.add(String(one.number));
          for (const code of codes(effects)) {
            const [id = "", status] = code.split(" ");
            answered.push(id);
            expect(status === "200" && !letIn.has(id)).toBe(false);
          }
        }
        answered.push(...codes(desk.onTick(now + 1000)).map((code) => code.split(" ")[0] ?? ""));
        expect(answered.sort()).toEqual(Array.from({ length: made }, (_, index) => String(index + 1)).sort());
      }),
      { ...(process.env.PIGATO_FUZZ_SEED && { seed: Number(process.env.PIGATO_FUZZ_SEED) }) },
    );
  });
});

const ENVELOPE = bytes("asker", "");

function newDesk(): ZapDesk {
  const desk = new ZapDesk();
  desk.open(SHOP);
  return desk;
}

function request(id: string, domain = "shop"): Uint8Array[] {
  return [...ENVELOPE, ...bytes("1.0", id, domain, "::1", "", "PLAIN", "ada", "x")];
}

function bytes(...texts: string[]): Uint8Array[] {
  return texts.map((text) => Buffer.from(text));
}

/** `"id code"` of each reply. */
function codes(effects: readonly DeskEffect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "reply") return [];
    const [, , , id, code] = effect.frames;
    return [`${String(id)} ${String(code)}`];
  });
}
