import { expect, test } from "vitest";
import { readZapRequest, writeZapReply } from "./messages.ts";

const bytes = (...texts: string[]): Uint8Array[] => texts.map((text) => Buffer.from(text, "latin1"));
const texts = (frames: readonly Uint8Array[]): string[] => frames.map((frame) => Buffer.from(frame).toString("latin1"));
const from = bytes("asker", "");

test("F2, F4: a request is read with what its mechanism shows", () => {
  const of = (...frames: string[]) => readZapRequest([...from, ...bytes("1.0", "7", "shop", "::1", "id", ...frames)]);
  const place = { domain: "shop", address: "::1" };
  expect(of("NULL")).toMatchObject({ type: "request", applicant: { mechanism: "NULL", ...place } });
  expect(of("PLAIN", "ada", "l\xc3\xb6ve")).toMatchObject({
    applicant: { mechanism: "PLAIN", ...place, username: "ada", password: "löve" },
  });
  expect(of("CURVE", "\0".repeat(32))).toMatchObject({
    applicant: { mechanism: "CURVE", ...place, publicKey: "0".repeat(40) },
  });
});

test.each([
  ["bytes that are no text", ["PLAIN", "ada", "\xff"]],
  ["a key of 31 bytes", ["CURVE", "\0".repeat(31)]],
  ["two keys", ["CURVE", "\0".repeat(32), "\0".repeat(32)]],
  ["a name without a password", ["PLAIN", "ada"]],
  ["no mechanism", []],
])("a request with %s is malformed, and can be answered", (_what, shown) => {
  const request = readZapRequest([...from, ...bytes("1.0", "7", "shop", "::1", "id", ...shown)]);
  expect(request).toMatchObject({ type: "malformed", ticket: { requestId: Buffer.from("7") } });
});

test("what has no envelope, no id, or an envelope without end cannot be answered", () => {
  for (const frames of [
    [],
    ["1.0", "7"],
    ["asker", ""],
    ["asker", "", "1.0"],
    [...Array(17).fill("x"), "", "1.0", "7"],
  ]) {
    expect(readZapRequest(bytes(...frames))).toEqual({ type: "unreadable" });
  }
});

test("F3, F5, F7: a reply goes back by its envelope under its id; only who is let in has a user id, of plain characters", () => {
  const ticket = { envelope: bytes("asker", "proxy", ""), requestId: Uint8Array.of(0, 255) };
  const ada = { mechanism: "PLAIN", domain: "", address: "", username: "ada", password: "x" } as const;
  expect(texts(writeZapReply(ticket, "200", ada))).toEqual([
    "asker",
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
