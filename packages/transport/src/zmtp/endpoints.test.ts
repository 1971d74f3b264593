import { expect, test, vi } from "vitest";
import { endpointToBind } from "./endpoints.ts";

test.each([
  { what: "an IPv4 address", addresses: ["fe80::1", "2001:db8::1", "10.0.0.1"], host: "10.0.0.1" },
  { what: "a global IPv6 address", addresses: ["fe80::1", "2001:db8::1"], host: "2001:db8::1" },
  { what: "a link-local address alone", addresses: ["fe80::1"], host: "fe80::1%net6" },
  { what: "no address", addresses: [], host: "net6" },
])("an interface that has $what is bound at $host", ({ addresses, host }) => {
  const net6 = addresses.map((address) => ({
    address,
    family: address.includes(":") ? ("IPv6" as const) : ("IPv4" as const),
  }));
  expect(endpointToBind("tcp://net6:5555", () => ({ net6 }))).toEqual({ host, port: 5555 });
});

test("a host that is no interface is left to the system", () => {
  expect(endpointToBind("tcp://db:*", () => ({}))).toEqual({ host: "db", port: 0 });
});

test.each([
  ["tcp://127.0.0.1:5555", "127.0.0.1"],
  ["tcp://[::1]:5555", "::1"],
  ["tcp://localhost:5555", "localhost"],
  ["tcp://*:5555", "0.0.0.0"],
])("the network interfaces are not listed to bind %s", (address, host) => {
  const listInterfaces = vi.fn(() => ({}));
  expect(endpointToBind(address, listInterfaces)).toEqual({ host, port: 5555 });
  expect(listInterfaces).not.toHaveBeenCalled();
});

test("a name is a host where the network interfaces may not be listed", () => {
  const listInterfaces = () => {
    throw new Error("no permission to list the network interfaces");
  };
  expect(endpointToBind("tcp://db:5555", listInterfaces)).toEqual({ host: "db", port: 5555 });
});
