import { expect, test } from "vitest";
import { readZapRequest, writeZapReply } from "./messages.ts";

const bytes = (...texts: string[]): Uint8Array[] => texts.map((text) => Buffer.from(text, "latin1"));
const texts = (frames: readonly Uint8Array[]): string[] => frames.map((frame) => Buffer.from(frame).toString("latin1"));
const from = bytes("client", "");

test("F2, F4: a request is decoded with the credentials of its mechanism", () => {
  const of = (...frames: string[]) => readZapRequest([...from, ...bytes("1.0", "7", "shop", "::1", "id", ...frames)]);
  const place = { domain: "shop", address: "::1" };
  expect(of("NULL")).toMatchObject({ type: "request", request: { mechanism: "NULL", ...place } });
  expect(of("PLAIN", "ada", "l\xc3\xb6ve")).toMatchObject({
    request: { mechanism: "PLAIN", ...place, username: "ada", password: "löve" },
  });
  expect(of("CURVE", "\0".repeat(32))).toMatchObject({
    request: { mechanism: "CURVE", ...place, publicKey: "0".repeat(40) },
  });
});

test.each([
  ["bytes that are not text", ["PLAIN", "ada", "\xff"]],
  ["a key of 31 bytes", ["CURVE", "\0".repeat(31)]],
  ["two keys", ["CURVE", "\0".repeat(32), "\0".repeat(32)]],
  ["a username without a password", ["PLAIN", "ada"]],
  ["no mechanism", []],
])("a request with %s is malformed and can be answered", (_what, shown) => {
  const request = readZapRequest([...from, ...bytes("1.0", "7", "shop", "::1", "id", ...shown)]);
  expect(request).toMatchObject({ type: "malformed", ticket: { requestId: Buffer.from("7") } });
});

test("a request without an envelope, without an id, or with an endless envelope cannot be answered", () => {
  for (const frames of [
    [],
    ["1.0", "7"],
    ["client", ""],
    ["client", "", "1.0"],
    [...Array(17).fill("x"), "", "1.0", "7"],
  ]) {
    expect(readZapRequest(bytes(...frames))).toEqual({ type: "unreadable" });
  }
});

test("F3, F5, F7: a reply has the envelope and the id of its request; only an authorized peer has a printable user id", () => {
  const ticket = { envelope: bytes("client", "proxy", ""), requestId: Uint8Array.of(0, 255) };
  const ada = { mechanism: "PLAIN", domain: "", address: "", username: "ada", password: "x" } as const;
  expect(texts(writeZapReply(ticket, "200", ada))).toEqual([
    "client",
    "proxy",
    "",
    "1.0",
    "\0\xff",
    "200",
    "OK",
    "ada",
    "",
  ]);
  expect(texts(writeZapReply(ticket, "200", { ...ada, username: "Ådä" })).slice(5)).toEqual(["200", "OK", "", ""]);
  for (const status of ["300", "400", "500"] as const) {
    expect(texts(writeZapReply(ticket, status, ada)).slice(5)).toEqual([status, expect.any(String), "", ""]);
  }
});
