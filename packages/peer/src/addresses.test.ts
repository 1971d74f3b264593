import { UsageError } from "@pigato/protocol";
import { PeerSecurity } from "@pigato/transport";
import { describe, expect, test } from "vitest";
import { readService, resolveAddresses } from "./addresses.ts";

describe("the addresses of the broker", () => {
  test("are one, or several in the order given", () => {
    expect(resolveAddresses("tcp://localhost:55555")).toEqual(["tcp://localhost:55555"]);
    expect(resolveAddresses(["tcp://a:1", "ipc:///tmp/b c", "inproc://d"])).toEqual([
      "tcp://a:1",
      "ipc:///tmp/b c",
      "inproc://d",
    ]);
  });

  test.each(["", "localhost:55555", "tcp://", "TCP://a:1"])("are not %o", (address) => {
    expect(() => resolveAddresses(address)).toThrow("must be text such as tcp://localhost:55555");
    expect(() => resolveAddresses(["tcp://a:1", address])).toThrow(UsageError);
  });

  test.each([
    ["localhost:55555", "with a scheme"],
    ["TCP://a:1", "with its scheme in lower case"],
    [" tcp://a:1", "without white space"],
    ["tcp://", undefined],
    [5, "or an array of such"],
  ])("are not %o, and the error says what it lacks", (address, lack) => {
    const expected = `must be text such as tcp://localhost:55555${lack === undefined ? "" : `, ${lack}`}, not `;
    // JavaScript may pass anything.
    expect(() => Reflect.apply(resolveAddresses, undefined, [address])).toThrow(expected);
  });

  test("are at least one", () => {
    expect(() => resolveAddresses([])).toThrow("the address of the broker must be at least one address, not []");
  });

  test("cannot be inproc with security, which inproc does not have", () => {
    const security = PeerSecurity.of({ plain: { username: "ada", password: "lovelace" } });
    expect(() => resolveAddresses("inproc://a", security)).toThrow("must be one of tcp or ipc");
    expect(resolveAddresses("tcp://a:1", security)).toEqual(["tcp://a:1"]);
  });
});

describe("the name of a service", () => {
  test.each(["echo", "größe", "🐎", "x".repeat(255)])("is text such as %s", (name) => {
    expect(Buffer.from(readService(name), "latin1").toString()).toBe(name);
  });

  // Half a surrogate pair has no UTF-8, so different names would be the same.
  test.each([undefined, 5, "", "x".repeat(256), "ö".repeat(128), "half \ud83d", "half \udc0e"])("is not %o", (name) => {
    expect(() => readService(name)).toThrow("the service must be text of 1 to 255 bytes of UTF-8, not ");
  });
});
