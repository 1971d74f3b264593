import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "@pigato/protocol";
import { newCurveKeyPair } from "@pigato/transport";
import { afterAll, describe, expect, test } from "vitest";
import { authorizeFrom, isReadByOthers, readOwnKey, writeNewKey } from "./curve-files.ts";
import type { AuthRequest } from "./security.ts";

const folder = mkdtempSync(join(tmpdir(), "pigato-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
const newPath = (): string => join(folder, String(++count));
const holding = (text: string): string => {
  const path = newPath();
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const peer = (publicKey: string): AuthRequest => ({
  mechanism: "CURVE",
  domain: "shop",
  listener: "bind",
  address: "::1",
  publicKey,
});

describe("the file of a secret key", () => {
  test("is readable by its owner only, and is read back", () => {
    const path = newPath();
    const publicKey = writeNewKey(path);
    expect(readOwnKey(path).publicKey).toBe(publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(isReadByOthers(path)).toBe(false);
    chmodSync(path, 0o640);
    expect(isReadByOthers(path)).toBe(true);
  });

  test("is never overwritten", () => {
    const path = holding("something dear");
    expect(() => writeNewKey(path)).toThrow("EEXIST");
  });

  test.each(["", "secret", `${newCurveKeyPair().secretKey} ${newCurveKeyPair().secretKey}`])(
    "that contains %j is rejected without showing it",
    (text) => {
      const path = holding(text);
      expect(() => readOwnKey(path)).toThrow(UsageError);
      expect(() => readOwnKey(path)).not.toThrow("secret ");
    },
  );
});

describe("the file of authorized keys", () => {
  const [ada, bob] = [newCurveKeyPair().publicKey, newCurveKeyPair().publicKey];

  test("authorizes the keys in it, and may contain names and comments", async () => {
    const path = holding(`# authorized keys\n\n${ada} ada's laptop\r\n\t${bob}\n#\n`);
    const authenticate = authorizeFrom(path);
    expect(await authenticate(peer(ada))).toBe(true);
    expect(await authenticate(peer(bob))).toBe(true);
    expect(await authenticate(peer(newCurveKeyPair().publicKey))).toBe(false);
  });

  test("denies peers without a key", async () => {
    const authenticate = authorizeFrom(holding(ada));
    expect(await authenticate({ mechanism: "NULL", domain: "shop", listener: "bind", address: "::1" })).toBe(false);
  });

  test("is read for every peer; while it is missing or invalid, every peer is denied", async () => {
    const path = holding(ada);
    const authenticate = authorizeFrom(path);
    writeFileSync(path, bob);
    expect([await authenticate(peer(ada)), await authenticate(peer(bob))]).toEqual([false, true]);
    writeFileSync(path, `${bob}\n~${ada.slice(1)}\n`);
    await expect(authenticate(peer(bob))).rejects.toThrow(`${path} contains no public key in line 2`);
    rmSync(path);
    await expect(authenticate(peer(bob))).rejects.toThrow("ENOENT");
  });

  test("is checked when the broker is created", () => {
    expect(() => authorizeFrom(newPath())).toThrow("ENOENT");
    expect(() => authorizeFrom(holding("no key"))).toThrow(UsageError);
  });
});
