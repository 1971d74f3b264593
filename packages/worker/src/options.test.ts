import { readService } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import { FakeClock, MemoryNetwork } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { limitOf, liveOptions, resolveOptions, type WorkerOptions } from "./options.ts";

/** Values that the types forbid. */
function untyped(name: string, value: unknown): WorkerOptions {
  return Object.fromEntries([[name, value]]);
}

describe("options", () => {
  test("missing options have the documented defaults", () => {
    expect(resolveOptions({ heartbeat: 1000 })).toMatchObject({
      heartbeat: 1000,
      heartbeatLiveness: 3,
      maxHeldBytes: 67_108_864,
      reconnect: 1000,
      reconnectMaxMs: 5000,
      connectTimeoutMs: 3000,
      concurrency: 100,
      maxInFlight: 100_000,
      stopTimeoutMs: 5000,
    });
  });

  test("an option that is undefined counts as missing", () => {
    expect(resolveOptions(untyped("heartbeat", undefined)).heartbeat).toBe(2500);
  });

  test("every worker gets a prefix of its own", () => {
    const { prefix } = resolveOptions({});
    expect(prefix).toMatch(/^W/);
    expect(resolveOptions({}).prefix).not.toBe(prefix);
  });

  test("an unknown option is rejected, and the error names the nearest one", () => {
    expect(() => resolveOptions(untyped("heartbeats", 10))).toThrow(
      new UsageError('a worker has no option "heartbeats": did you mean "heartbeat"?'),
    );
    expect(() => resolveOptions(untyped("autostart", true))).toThrow(
      'a worker has no option "autostart": it has allowLoss, clock, ',
    );
  });

  test.each([
    ["heartbeat", 9],
    ["heartbeat", 60_001],
    ["heartbeat", 12.5],
    ["heartbeat", "2500"],
    ["heartbeatLiveness", 1],
    ["reconnect", 0],
    ["reconnectMaxMs", Number.NaN],
    ["connectTimeoutMs", Number.POSITIVE_INFINITY],
    ["concurrency", -2],
    ["maxInFlight", 0],
    ["stopTimeoutMs", -1],
    ["prefix", ""],
    ["prefix", "\0W"],
    ["prefix", "é".repeat(65)],
    ["onConnect", "hello"],
    ["logger", console.log],
    ["transport", {}],
    ["clock", null],
    ["random", 4],
  ])("%s: %o is rejected with a message that names it", (name, value) => {
    expect(() => resolveOptions(untyped(name, value))).toThrow(`${name} must be `);
  });

  test("the minimum and maximum of every option are accepted", () => {
    resolveOptions({ heartbeat: 10, heartbeatLiveness: 2, concurrency: -1, stopTimeoutMs: 0, prefix: "é".repeat(64) });
    resolveOptions({ heartbeat: 60_000, concurrency: 0, clock: new FakeClock(), transport: new MemoryNetwork() });
  });

  test("a limit of -1 means no limit", () => {
    expect(limitOf(-1)).toBe(Number.POSITIVE_INFINITY);
    expect(limitOf(0)).toBe(0);
  });
});

describe("live options", () => {
  test("setting the concurrency gives the new limit to the worker, with Infinity for none", () => {
    const limits: number[] = [];
    const conf = liveOptions(resolveOptions({}), (limit) => limits.push(limit));
    conf.concurrency = 2;
    conf.concurrency = -1;
    expect(limits).toEqual([2, Number.POSITIVE_INFINITY]);
    expect(conf.concurrency).toBe(-1);
  });

  test("a concurrency out of bounds is rejected and changes nothing", () => {
    const conf = liveOptions(resolveOptions({}), () => expect.unreachable());
    for (const value of [-2, 1.5, undefined]) {
      expect(() => Reflect.set(conf, "concurrency", value)).toThrow(UsageError);
    }
    expect(conf.concurrency).toBe(100);
  });

  test("no other option can be set", () => {
    const conf = liveOptions(resolveOptions({}), () => {});
    expect(Reflect.set(conf, "heartbeat", 1000)).toBe(false);
  });
});

describe("the service", () => {
  test("a service name is sent as its UTF-8 bytes", () => {
    expect(readService("écho")).toBe("\u00c3\u00a9cho");
  });

  test.each(["", "é".repeat(128)])("%o is no service name", (input) => {
    expect(() => readService(input)).toThrow(UsageError);
  });
});

describe.each(["mdp02", "mdp01"] as const)("with the dialect %s", (dialect) => {
  test("D-PEER-3, D-PEER-6: a worker has one request at a time", () => {
    expect(resolveOptions({ dialect })).toMatchObject({ dialect, concurrency: 1, maxInFlight: 1 });
    expect(resolveOptions({ dialect, concurrency: 1, negotiate: false })).toMatchObject({ concurrency: 1 });
    for (const concurrency of [-1, 0, 2]) {
      const message = `a concurrency of ${concurrency} cannot be used with the dialect "${dialect}": a worker there has one`;
      expect(() => resolveOptions({ dialect, concurrency })).toThrow(message);
    }
    expect(() => resolveOptions({ dialect, maxInFlight: 1 })).toThrow("maxInFlight cannot be used");
    expect(() => resolveOptions({ dialect, methods: true })).toThrow("methods cannot be used");
    expect(() => resolveOptions({ dialect, negotiate: true })).toThrow("negotiate cannot be used");
  });

  test("D-PEER-3: its concurrency cannot be changed later", () => {
    const limits: number[] = [];
    const conf = liveOptions(resolveOptions({ dialect }), (limit) => limits.push(limit));
    conf.concurrency = 1;
    expect(() => {
      conf.concurrency = 2;
    }).toThrow(UsageError);
    expect([conf.concurrency, limits]).toEqual([1, [1]]);
  });
});

test("an unknown dialect is rejected", () => {
  for (const dialect of ["amqp", "__proto__", "", 1, null]) {
    expect(() => resolveOptions(untyped("dialect", dialect))).toThrow("must be one of pigato, mdp02, mdp01, omdp");
  }
});
