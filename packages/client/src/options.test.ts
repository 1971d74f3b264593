import { MemoryNetwork } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { type ClientOptions, resolveAddresses, resolveOptions } from "./options.ts";

const transport = new MemoryNetwork();

describe("the options of a client", () => {
  test("have the documented defaults", () => {
    const options = resolveOptions({ transport });
    expect(options).toMatchObject({
      autostart: false,
      heartbeatMs: 2_500,
      liveness: 3,
      backoff: { firstMs: 1_000, maxMs: 5_000 },
      connectTimeoutMs: 3_000,
      timeoutMs: 60_000,
      retry: false,
      timeoutGraceMs: 200,
      stopTimeoutMs: 5_000,
      maxQueuedRequests: 10_000,
      maxOpenRequests: 100_000,
    });
    expect(options.prefix).toMatch(/^C.{21}$/);
    expect(options.prefix).not.toBe(resolveOptions({ transport }).prefix);
    expect(options.logger.isLevelEnabled("fatal")).toBe(false);
  });

  test("take an undefined value as an absent one", () => {
    expect(resolveOptions({ transport, timeout: undefined, prefix: undefined }).timeoutMs).toBe(60_000);
  });

  test("take -1 and Infinity as no timeout", () => {
    expect(resolveOptions({ transport, timeout: -1 }).timeoutMs).toBe(Number.POSITIVE_INFINITY);
    expect(resolveOptions({ transport, timeout: Number.POSITIVE_INFINITY }).timeoutMs).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[ClientOptions, string]>([
    [{ heartbeat: 0 }, "heartbeat must be a number of milliseconds from 1 to 60000, not 0"],
    [{ heartbeat: 60_001 }, "heartbeat must be a number of milliseconds from 1 to 60000, not 60001"],
    [{ heartbeatLiveness: 1 }, "heartbeatLiveness must be an integer from 2 to 1000, not 1"],
    [{ timeout: -2 }, "timeout must be a number of milliseconds from 0 to 2147483647, or -1 for none, not -2"],
    [{ timeout: Number.NaN }, "timeout must be a number of milliseconds from 0 to 2147483647, or -1 for none, not NaN"],
    [{ maxOpenRequests: 0 }, "maxOpenRequests must be an integer from 1 to 10000000, not 0"],
    [{ prefix: "" }, "prefix must be text of 1 to 128 bytes that does not start with U+0000, not ''"],
    [{ prefix: "\u00e4".repeat(65) }, "prefix must be text of 1 to 128 bytes"],
    [{ prefix: "\0C" }, "prefix must be text of 1 to 128 bytes that does not start with U+0000"],
  ])("refuse %o by name and value", (options, message) => {
    expect(() => resolveOptions({ transport, ...options })).toThrow(message);
  });

  test.each([
    ["reconnect", "soon"],
    ["retry", 2],
    ["autostart", "yes"],
    ["onConnect", "connected"],
    ["transport", {}],
    ["clock", { now: 1 }],
    ["random", 0.5],
    ["logger", {}],
  ])("refuse %s of the wrong type", (key, value) => {
    expect(() => resolveOptions({ transport, [key]: value })).toThrow(new RegExp(`^${key} must be `));
  });

  test("refuse a key that they do not know", () => {
    const misspelt: object = { transport, heartbeatMs: 1_000 };
    expect(() => resolveOptions(misspelt)).toThrow(
      "the options of a client have no 'heartbeatMs'; they are autostart,",
    );
  });
});

describe("the addresses of a client", () => {
  test("are one, or several in the order given", () => {
    expect(resolveAddresses("tcp://localhost:55555")).toEqual(["tcp://localhost:55555"]);
    expect(resolveAddresses(["tcp://a:1", "ipc:///tmp/b"])).toEqual(["tcp://a:1", "ipc:///tmp/b"]);
  });

  test.each(["", "localhost:55555", "tcp://"])("are not %o", (address) => {
    expect(() => resolveAddresses(address)).toThrow("the address must be text such as tcp://localhost:55555");
  });

  test("are at least one", () => {
    expect(() => resolveAddresses([])).toThrow("the address must be at least one address, not []");
  });
});
