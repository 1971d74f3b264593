import { boolean, choice, custom, integer, type Option } from "@pigato/peer";
import { describe, expect, test } from "vitest";
import { flagsOf } from "./flags.ts";

class Schema {
  readonly heartbeatLiveness: Option<number> = integer({ min: 2, max: 100, default: 3, help: "silent intervals" });
  readonly verbose: Option<boolean> = boolean({ default: false, help: "log more" });
  readonly mode: Option<"load" | "lru"> = choice({ choices: ["load", "lru"], default: "load", help: "which" });
  readonly channel: Option<string | false> = custom({
    expected: "an address or false",
    read: (value) => (value === false || typeof value === "string" ? value : undefined),
    makeDefault: () => "ipc://x",
    help: "an address, or none",
    fromText: (given) => (given === "none" ? false : given),
  });
  readonly internal: Option<number> = integer({ min: 0, max: 1, default: 0 });
}

describe("flags", () => {
  const flags = new Map(flagsOf(new Schema()).map((flag) => [flag.name, flag]));

  test("exist for the options that have a help line", () => {
    expect([...flags.keys()]).toEqual(["heartbeatLiveness", "verbose", "mode", "channel"]);
    expect(flags.get("heartbeatLiveness")).toMatchObject({
      flag: "--heartbeat-liveness",
      variable: "PIGATO_HEARTBEAT_LIVENESS",
      placeholder: "<number>",
      default: 3,
    });
    expect(flags.get("mode")).toMatchObject({ placeholder: "<load|lru>", default: "load" });
    expect(flags.get("channel")?.default).toBeUndefined();
  });

  test("read their text as the option's value", () => {
    expect(flags.get("heartbeatLiveness")?.parse("7")).toBe(7);
    expect(flags.get("verbose")?.parse("true")).toBe(true);
    expect(flags.get("mode")?.parse("lru")).toBe("lru");
    expect(flags.get("channel")?.parse("none")).toBe(false);
    expect(flags.get("channel")?.parse("tcp://*:1")).toBe("tcp://*:1");
  });

  test.each([
    ["heartbeatLiveness", "", "--heartbeat-liveness must be an integer from 2 to 100, not ''"],
    ["heartbeatLiveness", "soon", "--heartbeat-liveness must be an integer from 2 to 100, not 'soon'"],
    ["verbose", "yes", "--verbose must be true or false, not 'yes'"],
  ])("reject for %s the text %j", (name, value, message) => {
    expect(() => flags.get(name)?.parse(value)).toThrow(message);
  });
});
