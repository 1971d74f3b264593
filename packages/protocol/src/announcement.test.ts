import { expect, test } from "vitest";
import { decodeDirectory, encodeDirectory } from "./announcement.ts";
import { peerId, peerIdFromText, readText, serviceName, serviceNameFromText, writeText } from "./ids.ts";

test("a directory is one text frame, as the original publishes it", () => {
  const frame = encodeDirectory([
    [serviceName("echo"), [peerId("W1"), peerId("W2")]],
    [serviceName("$dir"), [peerId("W3")]],
  ]);
  expect(readText(frame)).toBe('$dir {"echo":["W1","W2"],"$dir":["W3"]}');
});

test("a directory decodes to what was encoded, with any names", () => {
  const names = ["__proto__", "constructor", "toString", "", "0", "größe 🚀", '"]}'];
  const frame = encodeDirectory(names.map((name) => [serviceNameFromText(name), [peerIdFromText(`W ${name}`)]]));
  const directory = decodeDirectory(frame);
  expect(directory?.size).toBe(names.length);
  for (const name of names) expect(directory?.get(name)).toEqual([`W ${name}`]);
});

test("a directory leaves out names and ids that are not UTF-8", () => {
  const frame = encodeDirectory([
    [serviceName("\u00ff"), [peerId("W1")]],
    [serviceName("echo"), [peerId("W2"), peerId("\u00fe")]],
  ]);
  expect(decodeDirectory(frame)).toEqual(new Map([["echo", ["W2"]]]));
});

test.each([
  "",
  "$dir",
  "$dir ",
  "$dirt {}",
  "$dir []",
  "$dir null",
  "$dir 1",
  "$dir {",
  '$dir {"echo":"W1"}',
  '$dir {"echo":[1]}',
])("%j is not a directory", (text) => {
  expect(decodeDirectory(writeText(text))).toBeUndefined();
});
