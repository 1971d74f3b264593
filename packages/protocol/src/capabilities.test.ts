import { describe, expect, test } from "vitest";
import {
  type Capabilities,
  concurrencyFromWire,
  concurrencyToWire,
  formatCapabilities,
  MAX_OFFER_BYTES,
  NO_CAPABILITIES,
  offerOf,
  parseCapabilities,
  sharedCapabilities,
} from "./capabilities.ts";

const MANY: Capabilities = {
  ...NO_CAPABILITIES,
  cancel: true,
  error: true,
  notice: true,
  requestHeartbeat: true,
  partials: true,
  credit: true,
  duplex: true,
  codecs: ["msgpack", "json"],
  heartbeatMs: 2500,
  concurrency: 8,
};

describe("an offer", () => {
  test("lists the capabilities, flags first", () => {
    expect(formatCapabilities(MANY)).toBe(
      "pigato/1 cancel error notice request-heartbeat partials credit duplex codec=msgpack,json heartbeat=2500 concurrency=8",
    );
  });

  test("without capabilities is the bare mark", () => {
    expect(formatCapabilities(NO_CAPABILITIES)).toBe("pigato/1");
    expect(parseCapabilities("pigato/1")).toStrictEqual(NO_CAPABILITIES);
  });

  test("decodes to what was encoded", () => {
    expect(parseCapabilities(formatCapabilities(MANY))).toStrictEqual(MANY);
  });

  test("of a worker without a limit contains −1", () => {
    const unlimited = { ...NO_CAPABILITIES, concurrency: Number.POSITIVE_INFINITY };
    expect(formatCapabilities(unlimited)).toBe("pigato/1 concurrency=-1");
    expect(parseCapabilities("pigato/1 concurrency=-1")).toStrictEqual(unlimited);
  });

  test("of a worker that accepts no requests contains 0", () => {
    expect(parseCapabilities("pigato/1 concurrency=0")?.concurrency).toBe(0);
  });

  test("may contain unknown words", () => {
    expect(parseCapabilities("pigato/1 telepathy cancel=no cancels error")).toStrictEqual({
      ...NO_CAPABILITIES,
      error: true,
    });
  });

  test.each(["", "pigato", "pigato/2 cancel", "pigato/10", "pigato/1\tcancel", " pigato/1", "cancel", "Pigato/1"])(
    "does not start with %j",
    (text) => {
      expect(parseCapabilities(text)).toBeUndefined();
    },
  );

  test.each(["0", "-5", "2.5", "1e3", "fast", "", "9".repeat(16)])(
    "with heartbeat=%s announces no interval",
    (value) => {
      expect(parseCapabilities(`pigato/1 heartbeat=${value}`)?.heartbeatMs).toBeUndefined();
    },
  );

  test.each(["2.5", "many", "", "--1", "9".repeat(16)])("with concurrency=%s says nothing of concurrency", (value) => {
    expect(parseCapabilities(`pigato/1 concurrency=${value}`)?.concurrency).toBeUndefined();
  });

  test("keeps the order of its codecs and ignores invalid ones", () => {
    expect(parseCapabilities("pigato/1 codec=msgpack,,JSON,json,a/b")?.codecs).toEqual(["msgpack", "json"]);
  });

  test("that is too long is not an offer", () => {
    const offer = "pigato/1 ".padEnd(MAX_OFFER_BYTES, "x");
    expect(parseCapabilities(offer)).toStrictEqual(NO_CAPABILITIES);
    expect(parseCapabilities(`${offer}x`)).toBeUndefined();
  });
});

describe("shared capabilities", () => {
  test("are those of both sides", () => {
    const offer = { ...MANY, cancel: false, duplex: false };
    const own = { ...MANY, error: false };
    expect(sharedCapabilities(own, offer)).toMatchObject({
      cancel: false,
      error: false,
      notice: true,
      credit: true,
      duplex: false,
    });
  });

  test("are none if one side has none", () => {
    expect(sharedCapabilities(NO_CAPABILITIES, MANY)).toStrictEqual(NO_CAPABILITIES);
  });

  test("contain our own settings, not those of the offer", () => {
    const own = { ...MANY, heartbeatMs: 1000, concurrency: undefined };
    expect(sharedCapabilities(own, MANY)).toMatchObject({ heartbeatMs: 1000, concurrency: undefined });
  });

  test("contain the codecs of both, in the order of the offer", () => {
    const own = { ...MANY, codecs: ["json", "msgpack"] };
    const offer = { ...MANY, codecs: ["msgpack", "cbor", "json"] };
    expect(sharedCapabilities(own, offer).codecs).toEqual(["msgpack", "json"]);
  });
});

describe("a concurrency on the wire", () => {
  test("is −1 or another negative number for no limit", () => {
    expect(concurrencyToWire(Number.POSITIVE_INFINITY)).toBe(-1);
    expect([-1, -7].map(concurrencyFromWire)).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test("is the number itself otherwise", () => {
    expect([0, 1, 100].map(concurrencyToWire)).toEqual([0, 1, 100]);
    expect([0, 1, 100].map(concurrencyFromWire)).toEqual([0, 1, 100]);
  });

  test.each([undefined, null, "5", 1.5, Number.NaN, 1e300, [], {}, true])("is undefined for %j", (value) => {
    expect(concurrencyFromWire(value)).toBeUndefined();
  });
});

describe("the offer of a role", () => {
  const offered = (role: "client" | "worker" | "broker") => formatCapabilities(offerOf(role, { heartbeatMs: 2500 }));

  test("holds every flag that the role supports", () => {
    expect(offered("client")).toBe(
      "pigato/1 cancel error notice request-heartbeat partials credit methods deadline headers duplex heartbeat=2500",
    );
    expect(offered("worker")).toBe(
      "pigato/1 cancel error request-heartbeat partials credit frames drain services deadline headers duplex heartbeat=2500",
    );
    expect(offered("broker")).toBe(
      "pigato/1 cancel error notice request-heartbeat partials credit frames drain services methods deadline headers duplex heartbeat=2500",
    );
  });

  test("holds the settings of the peer", () => {
    expect(offerOf("worker", { heartbeatMs: 100, concurrency: 8 })).toMatchObject({ heartbeatMs: 100, concurrency: 8 });
  });

  test("holds methods only for a worker that reads them, and not for a client that must behave as the original", () => {
    expect(offerOf("worker", {}).methods).toBe(false);
    expect(offerOf("worker", { methods: true }).methods).toBe(true);
    expect(offerOf("client", { methods: false }).methods).toBe(false);
    expect(offerOf("client", {}).methods).toBe(true);
  });
});
