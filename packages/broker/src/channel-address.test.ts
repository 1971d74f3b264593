import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newChannelAddress } from "./channel-address.ts";

const PORT = /^tcp:\/\/127\.0\.0\.1:(\d+)$/;

let folder = "";
let longFolder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pigato-channel-"));
  longFolder = mkdtempSync(join(folder, "x".repeat(80)));
  writeFileSync(join(folder, "file"), "");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["linux", "darwin"] as const)("on %s, it is a path of its own among the temporary files", (platform) => {
  const addresses = Array.from({ length: 100 }, () => newChannelAddress(platform, folder));
  expect(new Set(addresses).size).toBe(100);
  for (const address of addresses) {
    expect(address.startsWith(`ipc://${folder}/`)).toBe(true);
    expect(address).toMatch(/\/pigato-[0-9a-f-]{36}\.sock$/);
  }
});

test.each(["win32", "deno"] as const)("on %s, it is a random port of the loopback interface", (platform) => {
  const ports = Array.from({ length: 100 }, () => Number(PORT.exec(newChannelAddress(platform))?.[1]));
  expect(new Set(ports).size).toBeGreaterThan(90);
  for (const port of ports) expect(port >= 20_000 && port <= 32_767).toBe(true);
});

test.each([
  ["a missing folder", () => join(folder, "missing")],
  ["a file", () => join(folder, "file")],
  ["a folder with a long name", () => longFolder],
])("it is a port where the folder for temporary files is %s", (_what, unusable) => {
  expect(newChannelAddress("linux", unusable())).toMatch(PORT);
});

// The superuser may write to every folder.
test.skipIf(process.getuid?.() === 0)("it is a port where the folder for temporary files is read-only", () => {
  const readOnly = mkdtempSync(join(folder, "read-only-"));
  chmodSync(readOnly, 0o500);
  expect(newChannelAddress("linux", readOnly)).toMatch(PORT);
});
