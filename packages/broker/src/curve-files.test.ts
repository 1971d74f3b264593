import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "@pigato/protocol";
import { newCurveKeyPair } from "@pigato/transport";
import { afterAll, describe, expect, test } from "vitest";
import { isReadByOthers, letInAuthorized, readOwnKey, writeNewKey } from "./curve-files.ts";
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
  test("is made for its owner alone, and read again", () => {
    const path = newPath();
    const publicKey = writeNewKey(path);
    expect(readOwnKey(path).publicKey).toBe(publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(isReadByOthers(path)).toBe(false);
    chmodSync(path, 0o640);
    expect(isReadByOthers(path)).toBe(true);
  });

  test("is never written over", () => {
    const path = holding("something dear");
    expect(() => writeNewKey(path)).toThrow("EEXIST");
  });

  test.each(["", "secret", `${newCurveKeyPair().secretKey} ${newCurveKeyPair().secretKey}`])(
    "that holds %j is refused without showing it",
    (text) => {
      const path = holding(text);
      expect(() => readOwnKey(path)).toThrow(UsageError);
      expect(() => readOwnKey(path)).not.toThrow("secret ");
    },
  );
});

describe("the file of authorized keys", () => {
  const [ada, bob] = [newCurveKeyPair().publicKey, newCurveKeyPair().publicKey];

  test("lets in who is in it, and holds names and remarks besides", async () => {
    const path = holding(`# who may come in\n\n${ada} ada's laptop\r\n\t${bob}\n#\n`);
    const authenticate = letInAuthorized(path);
    expect(await authenticate(peer(ada))).toBe(true);
    expect(await authenticate(peer(bob))).toBe(true);
    expect(await authenticate(peer(newCurveKeyPair().publicKey))).toBe(false);
  });

  test("lets nobody in who has no key", async () => {
    const authenticate = letInAuthorized(holding(ada));
    expect(await authenticate({ mechanism: "NULL", domain: "shop", listener: "bind", address: "::1" })).toBe(false);
  });

  test("is read anew for every peer; one that is gone, or holds something else, lets nobody in", async () => {
    const path = holding(ada);
    const authenticate = letInAuthorized(path);
    writeFileSync(path, bob);
    expect([await authenticate(peer(ada)), await authenticate(peer(bob))]).toEqual([false, true]);
    writeFileSync(path, `${bob}\n~${ada.slice(1)}\n`);
    await expect(authenticate(peer(bob))).rejects.toThrow(`${path} holds no public key in line 2`);
    rmSync(path);
    await expect(authenticate(peer(bob))).rejects.toThrow("ENOENT");
  });

  test("is looked at when the broker is made", () => {
    expect(() => letInAuthorized(newPath())).toThrow("ENOENT");
    expect(() => letInAuthorized(holding("no key"))).toThrow(UsageError);
  });
});
