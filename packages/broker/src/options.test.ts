import { UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { type BrokerOptions, NUMERIC_OPTIONS, resolveOptions } from "./options.ts";

describe("broker options", () => {
  test("are the documented defaults where nothing is given", () => {
    const options = resolveOptions({});
    expect(options).toMatchObject({ heartbeat: 2500, heartbeatLiveness: 3, dmode: "load", stopTimeoutMs: 5000 });
  });

  test("keep what is given, and take undefined as not given", () => {
    const options = resolveOptions(given({ heartbeat: 100, dmode: undefined, maxWorkers: undefined }));
    expect(options).toMatchObject({ heartbeat: 100, dmode: "load", maxWorkers: 100_000 });
  });

  test("name an option that does not exist", () => {
    expect(() => resolveOptions(given({ heartbeatt: 1 }))).toThrow(
      new UsageError('the broker has no option "heartbeatt"'),
    );
  });

  test("give every broker a channel of its own, unless told otherwise", () => {
    const { intch } = resolveOptions({});
    expect(intch).toMatch(/^ipc:\/\//);
    expect(resolveOptions({}).intch).not.toBe(intch);
    expect(resolveOptions({ intch: false }).intch).toBe(false);
    expect(resolveOptions({ intch: "tcp://127.0.0.1:55550" }).intch).toBe("tcp://127.0.0.1:55550");
  });

  test.each(["", true, 5])("refuse %j as a channel", (intch) => {
    expect(() => resolveOptions(given({ intch }))).toThrow(/^intch is an address or false/);
  });

  test("name a bad dispatch mode", () => {
    expect(() => resolveOptions(given({ whenDeclined: "retry" }))).toThrow(
      /whenDeclined is one of fail, wait, not retry/,
    );
    expect(() => resolveOptions(given({ dmode: "fastest" }))).toThrow(/dmode is one of load, lru, rand, not fastest/);
  });

  test.each(NUMERIC_OPTIONS)(
    "refuse $name outside of its bounds, and what is no whole number",
    ({ name, min, max }) => {
      expect(resolveOptions({ [name]: min })).toMatchObject({ [name]: min });
      expect(resolveOptions({ [name]: max })).toMatchObject({ [name]: max });
      for (const bad of [min - 1, max + 2, min + 0.5, Number.NaN, String(min), null]) {
        const input = given({ [name]: bad });
        if (bad === null) expect(resolveOptions(input)).toHaveProperty(name);
        else expect(() => resolveOptions(input)).toThrow(new RegExp(`^${name} is a whole number from`));
      }
    },
  );
});

/** Options as JavaScript may pass them. */
function given(options: Record<string, unknown>): BrokerOptions {
  return options;
}
