import { expect, test } from "vitest";
import {
  acceptFailure,
  bindError,
  connectError,
  hostOf,
  isIpv6,
  kindToBind,
  kindToConnect,
  unreachableError,
} from "./addresses.ts";

test.each([
  ["tcp://127.0.0.1:5555", "tcp"],
  ["tcp://*:*", "tcp"],
  ["tcp://eth0:0", "tcp"],
  ["tcp://[::1]:65535", "tcp"],
  ["ipc:///tmp/broker.sock", "ipc"],
  ["ipc://@abstract", "ipc"],
  ["inproc://broker", "inproc"],
])("%s can be bound as %s", (address, kind) => {
  expect(kindToBind(address)).toBe(kind);
});

test.each([
  ["tcp://localhost:5555", "tcp"],
  ["tcp://[::1]:1", "tcp"],
  ["ipc:///tmp/broker.sock", "ipc"],
  ["inproc://broker", "inproc"],
])("%s can be connected to as %s", (address, kind) => {
  expect(kindToConnect(address)).toBe(kind);
});

test.each([
  "",
  "broker",
  "tcp://",
  "tcp://127.0.0.1",
  "tcp://127.0.0.1:",
  "tcp://127.0.0.1:http",
  "tcp://127.0.0.1:65536",
  "tcp://127.0.0.1:-1",
  "ipc://",
  "inproc://",
  "http://127.0.0.1:80",
  "udp://127.0.0.1:5555",
])("%j can be neither bound nor connected to", (address) => {
  const invalid = expect.objectContaining({ name: "LinkError", code: "ADDRESS_INVALID", address });
  expect(() => kindToBind(address)).toThrow(invalid);
  expect(() => kindToConnect(address)).toThrow(invalid);
});

test.each(["tcp://127.0.0.1:*", "tcp://127.0.0.1:0"])("%s can be bound but not connected to", (address) => {
  expect(kindToBind(address)).toBe("tcp");
  expect(() => kindToConnect(address)).toThrow(expect.objectContaining({ code: "ADDRESS_INVALID" }));
});

test.each(["tcp://*:5555", "tcp://*:*", "tcp://*:0"])("%s can be bound but not connected to: no host", (address) => {
  expect(kindToBind(address)).toBe("tcp");
  expect(() => kindToConnect(address)).toThrow('the host "*" is only for listening');
});

test.each([
  ["http://127.0.0.1:80", "expected tcp://host:port, ipc://path or inproc://name"],
  ["tcp://127.0.0.1", "the port is missing, as in tcp://127.0.0.1:55555"],
  ["tcp://127.0.0.1:", "the port is missing, as in tcp://127.0.0.1:55555"],
  ["tcp://[::1]", "the port is missing, as in tcp://[::1]:55555"],
  ["tcp://", "the host is missing, as in tcp://127.0.0.1:55555"],
  ["tcp://:5555", "the host is missing, as in tcp://127.0.0.1:55555"],
  ["tcp://127.0.0.1:99999", "the port 99999 is out of range: 1 to 65535"],
  ["tcp://127.0.0.1:http", 'the port "http" is not a number'],
  ["tcp://127.0.0.1:*", 'the port "*" is only for listening; name the port of the other end'],
  ["ipc://", "the path is missing"],
  ["inproc://", "the name is missing"],
])("the error for %j names what is wrong", (address, reason) => {
  const message = `invalid address ${JSON.stringify(address)}: ${reason}`;
  expect(() => kindToConnect(address)).toThrow(expect.objectContaining({ message }));
});

test("a port of 0 and above 65535 is out of range for a connection, only the latter for a listener", () => {
  expect(() => kindToConnect("tcp://a:0")).toThrow("the port 0 is out of range: 1 to 65535");
  expect(() => kindToBind("tcp://a:65536")).toThrow("the port 65536 is out of range: 0 to 65535");
  expect(kindToBind("tcp://::1:5555")).toBe("tcp");
});

test.each([
  ["EADDRINUSE", "ADDRESS_IN_USE"],
  ["EADDRNOTAVAIL", "ADDRESS_INVALID"],
  ["ENODEV", "ADDRESS_INVALID"],
  ["EACCES", "FAILED"],
])("libzmq's %s becomes a LinkError %s with the address and the cause", (errno, code) => {
  const cause = Object.assign(new Error("refused"), { code: errno });
  expect(bindError("tcp://10.0.0.1:1", cause)).toMatchObject({ code, address: "tcp://10.0.0.1:1", cause });
});

test("an error names the operation, the address and the reason", () => {
  const cause = Object.assign(new Error("getaddrinfo ENOTFOUND db"), { code: "ENOTFOUND" });
  expect(connectError("tcp://db:5555", cause).message).toBe(
    "cannot connect to tcp://db:5555: getaddrinfo ENOTFOUND db",
  );
  const inUse = bindError("tcp://*:5555", { code: "EADDRINUSE" });
  expect(inUse.message).toBe("cannot bind tcp://*:5555: the address is in use");
});

test.each([
  ["EMFILE", "this process may open no more files: close some, or raise the limit (ulimit -n)"],
  ["ENFILE", "this system may open no more files: close some, or raise its limit"],
])("the error of a socket without a file descriptor says what to do (%s)", (code, hint) => {
  const cause = Object.assign(new Error(`connect ${code} 10.0.0.1:1 - Local (undefined:undefined)`), { code });
  expect(unreachableError("tcp://10.0.0.1:1", cause)).toMatchObject({
    code: "UNREACHABLE",
    message: `cannot connect to tcp://10.0.0.1:1: connect ${code} 10.0.0.1:1: ${hint}`,
    cause,
  });
  expect(acceptFailure(Object.assign(new Error(`accept ${code}`), { code }))).toEqual({
    code: "OUT_OF_DESCRIPTORS",
    detail: `accept ${code}: ${hint}`,
  });
});

test("a reset connection names what may be the cause", () => {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  expect(unreachableError("ipc:///a", cause).message).toBe(
    "cannot connect to ipc:///a: read ECONNRESET: the other end closed the connection, as a broker with too many connections does",
  );
});

test("another failure to accept is reported with its reason", () => {
  const cause = Object.assign(new Error("accept ENOBUFS"), { code: "ENOBUFS" });
  expect(acceptFailure(cause)).toEqual({ code: "ACCEPT_FAILED", detail: "accept ENOBUFS" });
});

test.each([
  "tcp://127.0.0.1:5555\n",
  "tcp://127.0.0.1: 5555",
  "tcp:// db:5555",
  "tcp://d b:5555",
  "ipc:///tmp/broker.sock\n",
  "ipc:///tmp/broker.sock ",
  "ipc:// /tmp/broker.sock",
  "ipc:///tmp/bro\0ker.sock",
  "inproc://broker\n",
])("%j can be neither bound nor connected to: white space", (address) => {
  expect(() => kindToBind(address)).toThrow(/it contains white space or a control character/);
  expect(() => kindToConnect(address)).toThrow(/it contains white space or a control character/);
});

test.each([
  ["tcp://[::1:5555", '"[::1" is not an IPv6 address'],
  ["tcp://[db]:5555", '"[db]" is not an IPv6 address'],
  ["tcp://1:2:5555", '"1:2" is not an IPv6 address'],
  ["tcp://[fe80::1]:5555", "the link-local address [fe80::1] needs the interface, as in [fe80::1%eth0]"],
  ["tcp://FE80::1:5555", "the link-local address FE80::1 needs the interface, as in [FE80::1%eth0]"],
  ["TCP://127.0.0.1:5555", "expected tcp://host:port"],
])("%s can be neither bound nor connected to: %s", (address, reason) => {
  expect(() => kindToBind(address)).toThrow(reason);
  expect(() => kindToConnect(address)).toThrow(reason);
});

test.each([
  ["tcp://[::1]:5555", "::1", true],
  ["tcp://::1:5555", "::1", true],
  ["tcp://[fe80::1%eth0]:5555", "fe80::1%eth0", true],
  ["tcp://127.0.0.1:5555", "127.0.0.1", false],
  ["tcp://LOCALHOST:5555", "LOCALHOST", false],
  ["ipc:///tmp/a:b", undefined, false],
])("the host of %s", (address, host, is) => {
  if (host !== undefined) expect(hostOf(address)).toBe(host);
  expect([isIpv6(address), kindToConnect(address)]).toEqual([is, address.slice(0, 3)]);
});
