// libzmq resolves a name to addresses of one family. The link looks the name up first, and selects the family.

import { type LookupAddress, lookup } from "node:dns";
import { expect, onTestFinished, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { LibzmqDealer } from "./dealer.ts";

vi.mock("node:dns", () => ({ lookup: vi.fn() }));

/** Connects to a name that has these addresses. @returns what libzmq is set to, and the failure */
async function connectTo(error: Error | null, addresses: readonly LookupAddress[]) {
  // The link acts on the answer before its callback returns.
  const answered = new Promise<void>((resolve) => {
    vi.mocked(lookup).mockImplementation((...args: readonly unknown[]) => {
      const callback = args.at(-1);
      setImmediate(() => {
        if (typeof callback === "function") callback(error, addresses);
        resolve();
      });
    });
  });
  const isIpv6 = vi.spyOn(Dealer.prototype, "ipv6", "set");
  const failures: string[] = [];
  const link = new LibzmqDealer(
    { onMessage() {}, onAttemptFailed: (failure) => failures.push(failure.message) },
    { routingId: "d" },
  );
  onTestFinished(() => link.close(0));
  link.connect("tcp://localhost:1");
  await answered;
  const values = isIpv6.mock.calls.map(([value]) => value);
  isIpv6.mockRestore();
  return { values, failures };
}

test("a name of IPv6 addresses alone is resolved to those", async () => {
  const { values } = await connectTo(null, [{ address: "::1", family: 6 }]);
  expect(values).toEqual([true]);
});

test("a name that has an IPv4 address is resolved to that", async () => {
  const both = [
    { address: "::1", family: 6 },
    { address: "127.0.0.1", family: 4 },
  ];
  expect((await connectTo(null, both)).values).toEqual([]);
});

test("a name that has no address is reported with the cause", async () => {
  const { failures } = await connectTo(new Error("getaddrinfo ENOTFOUND localhost"), []);
  expect(failures).toEqual(["cannot connect to tcp://localhost:1: getaddrinfo ENOTFOUND localhost"]);
});
