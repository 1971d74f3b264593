import { MemoryNetwork } from "@pigato/testkit";
import { describe, expect, test } from "vitest";
import { type ClientOptions, resolveOptions } from "./options.ts";

const transport = new MemoryNetwork();

describe("the options of a client", () => {
  test("have the documented defaults", () => {
    const options = resolveOptions({ transport });
    expect(options).toMatchObject({
      autostart: false,
      heartbeat: 2_500,
      heartbeatLiveness: 3,
      reconnect: 1_000,
      reconnectMaxMs: 5_000,
      connectTimeoutMs: 3_000,
      clientId: undefined,
      timeout: 60_000,
      retry: false,
      timeoutGraceMs: 200,
      stopTimeoutMs: 5_000,
      maxQueuedRequests: 10_000,
      maxOpenRequests: 100_000,
    });
    expect(options.prefix).toMatch(/^C.{21}$/);
    expect(options.prefix).not.toBe(resolveOptions({ transport }).prefix);
  });

  test("take an undefined value as an absent one", () => {
    expect(resolveOptions({ transport, timeout: undefined, prefix: undefined }).timeout).toBe(60_000);
  });

  test("take -1 and Infinity as no timeout", () => {
    expect(resolveOptions({ transport, timeout: -1 }).timeout).toBe(Number.POSITIVE_INFINITY);
    expect(resolveOptions({ transport, timeout: Number.POSITIVE_INFINITY }).timeout).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[ClientOptions, string]>([
    [{ heartbeat: 0 }, "heartbeat must be an integer from 10 to 60000, not 0"],
    [{ heartbeat: 60_001 }, "heartbeat must be an integer from 10 to 60000, not 60001"],
    [{ heartbeatLiveness: 1 }, "heartbeatLiveness must be an integer from 2 to 100, not 1"],
    [{ timeout: -2 }, "timeout must be a number of milliseconds from 0 to 2147483647, or -1 for none, not -2"],
    [{ timeout: Number.NaN }, "timeout must be a number of milliseconds from 0 to 2147483647, or -1 for none, not NaN"],
    [{ maxOpenRequests: 0 }, "maxOpenRequests must be an integer from 1 to 10000000, not 0"],
    [{ prefix: "" }, "prefix must be text of 1 to 128 bytes of UTF-8 that does not start with U+0000, not ''"],
    [{ prefix: "\u00e4".repeat(65) }, "prefix must be text of 1 to 128 bytes"],
    [{ clientId: "c\udc00" }, "clientId must be text of 1 to 255 bytes of UTF-8"],
    [{ clientId: "" }, "clientId must be text of 1 to 255 bytes of UTF-8 that does not start with U+0000, not ''"],
    [{ clientId: "\u00e4".repeat(128) }, "clientId must be text of 1 to 255 bytes"],
    [{ prefix: "\0C" }, "prefix must be text of 1 to 128 bytes of UTF-8 that does not start with U+0000"],
  ])("reject %o by name and value", (options, message) => {
    expect(() => resolveOptions({ transport, ...options })).toThrow(message);
  });

  test.each([
    ["reconnect", "soon"],
    ["retry", -2],
    ["autostart", "yes"],
    ["onConnect", "connected"],
    ["transport", {}],
    ["clock", { now: 1 }],
    ["random", 0.5],
    ["logger", {}],
  ])("reject %s of the wrong type", (key, value) => {
    expect(() => resolveOptions({ transport, [key]: value })).toThrow(new RegExp(`^${key} must be `));
  });

  test("reject an unknown key", () => {
    const misspelt: object = { transport, heartbeatMs: 1_000 };
    expect(() => resolveOptions(misspelt)).toThrow('a client has no option "heartbeatMs": did you mean "heartbeat"?');
  });
});

describe.each(["mdp02", "mdp01"] as const)("with the dialect %s", (dialect) => {
  test("D-PEER-3: options that its wire cannot carry are rejected", () => {
    for (const option of [
      { heartbeat: 100 },
      { heartbeatLiveness: 3 },
      { timeoutGraceMs: 10 },
      { clientId: "c1" },
      { retry: true },
      { negotiate: true },
    ]) {
      const [name] = Object.keys(option);
      const message = `${name} cannot be used with the dialect "${dialect}": its wire has no frame for it`;
      expect(() => resolveOptions({ transport, dialect, ...option })).toThrow(message);
    }
  });

  test("D-PEER-3: flags that are off are accepted, and the other options are kept", () => {
    const options = resolveOptions({ transport, dialect, retry: 0, negotiate: false, timeout: 10, reconnect: 5 });
    expect(options).toMatchObject({ retry: false, timeout: 10, reconnect: 5, dialect });
  });

  test("D-PEER-3: a request may have a timeout and a signal, and no other option", () => {
    const { speaker } = resolveOptions({ transport, dialect });
    const defaults = { timeout: 1, retry: false };
    const { signal } = new AbortController();
    const resolved = speaker.resolveCallOptions({ timeout: 5, signal, workerId: undefined, retry: false }, defaults);
    expect([resolved.options.timeoutMs, resolved.signal]).toEqual([5, signal]);
    for (const option of [
      { workerId: "w1" },
      { retry: 1 as const },
      { persist: true },
      { nocache: 1 as const },
      { failFast: true },
      { notices: true },
      { headers: { color: "red" } },
    ]) {
      const [name] = Object.keys(option);
      const message = `the option "${name}" of a request cannot be used with the dialect "${dialect}"`;
      expect(() => speaker.resolveCallOptions(option, defaults)).toThrow(message);
    }
  });

  test("D-PEER-4: data is checked as on the PIGATO wire", () => {
    const { speaker } = resolveOptions({ transport, dialect });
    expect(() => speaker.encodeData(1n, { service: "echo", codec: undefined, allowLoss: false })).toThrow("BigInt");
    expect(() =>
      speaker.encodeData([new Uint8Array(), new Uint8Array(64 * 1024 * 1024 + 1)], {
        service: "echo",
        codec: undefined,
        allowLoss: false,
      }),
    ).toThrow("the data of a request cannot be sent: a frame");
  });
});

test("an unknown dialect is rejected", () => {
  for (const dialect of ["amqp", "__proto__", "", 1, null]) {
    const options: ClientOptions = Object.fromEntries([["dialect", dialect]]);
    expect(() => resolveOptions({ transport, ...options })).toThrow(
      "dialect must be one of pigato, mdp02, mdp01, omdp, not",
    );
  }
});
