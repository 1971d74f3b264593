import { optionsIn } from "@pigato/peer";
import { UsageError } from "@pigato/protocol";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { type BrokerOptions, resolveOptions, SCHEMA } from "./options.ts";

const INTEGERS = optionsIn(SCHEMA).flatMap(([name, { type, min = 0, max = 0 }]) =>
  type === "integer" ? [{ name, min, max }] : [],
);

describe("broker options", () => {
  test("have the documented defaults", () => {
    const options = resolveOptions({});
    expect(options).toMatchObject({ heartbeat: 2500, heartbeatLiveness: 3, dmode: "load", stopTimeoutMs: 5000 });
  });

  test("keep given values, and treat undefined as absent", () => {
    const options = resolveOptions(given({ heartbeat: 100, dmode: undefined, maxWorkers: undefined }));
    expect(options).toMatchObject({ heartbeat: 100, dmode: "load", maxWorkers: 100_000 });
  });

  test("accept console and a pino logger, also as types", () => {
    const loggers = [console, pino({ level: "silent" })] satisfies BrokerOptions["logger"][];
    for (const logger of loggers) expect(resolveOptions({ logger }).logger).toBe(logger);
  });

  test("reject an unknown option and suggest the nearest name", () => {
    expect(() => resolveOptions(given({ heartbeatt: 1 }))).toThrow(
      new UsageError('the broker has no option "heartbeatt": did you mean "heartbeat"?'),
    );
  });

  test("give every broker a separate internal channel by default", () => {
    const { intch } = resolveOptions({});
    expect(intch).toMatch(/^ipc:\/\//);
    expect(resolveOptions({}).intch).not.toBe(intch);
    expect(resolveOptions({ intch: false }).intch).toBe(false);
    expect(resolveOptions({ intch: "tcp://127.0.0.1:55550" }).intch).toBe("tcp://127.0.0.1:55550");
  });

  test.each(["", "localhost:55550", true, 5])("reject %j as an internal channel", (intch) => {
    expect(() => resolveOptions(given({ intch }))).toThrow(/^intch must be an address or false/);
  });

  test("reject an unknown dispatch mode", () => {
    expect(() => resolveOptions(given({ whenDeclined: "retry" }))).toThrow(
      /whenDeclined must be one of fail, wait, not 'retry'/,
    );
    expect(() => resolveOptions(given({ dmode: "fastest" }))).toThrow(
      /dmode must be one of load, lru, rand, not 'fastest'/,
    );
  });

  test.each(INTEGERS)("reject $name outside of its bounds, and any value but an integer", ({ name, min, max }) => {
    expect(resolveOptions({ [name]: min })).toMatchObject({ [name]: min });
    expect(resolveOptions({ [name]: max })).toMatchObject({ [name]: max });
    for (const bad of [min - 1, max + 2, min + 0.5, Number.NaN, String(min), null]) {
      const input = given({ [name]: bad });
      if (bad === null) expect(resolveOptions(input)).toHaveProperty(name);
      else expect(() => resolveOptions(input)).toThrow(new RegExp(`^${name} must be an integer from`));
    }
  });
});

/** Options as JavaScript may pass them. */
function given(options: Record<string, unknown>): BrokerOptions {
  return options;
}
