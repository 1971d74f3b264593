// Keys of CURVE in files, for the command: a broker's own, which nobody else may read, and those that may come in. Never on the
// command line or in a variable, which others on the machine can see. No error shows what a file holds.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { UsageError } from "@pigato/protocol";
import { type CurveKeyPair, curvePublicKey, newCurveKeyPair, readCurveKey } from "@pigato/transport";
import type { Authenticate } from "./security.ts";

const OTHERS_MAY_READ = 0o077;

/**
 * Makes a key pair, and a file of its secret half that only its owner may read.
 * @returns the public half
 * @throws what the system throws, also for a file that is there already
 */
export function writeNewKey(path: string): string {
  const { publicKey, secretKey } = newCurveKeyPair();
  writeFileSync(path, `${secretKey}\n`, { flag: "wx", mode: 0o600 });
  return publicKey;
}

/**
 * The key pair of which a file holds the secret half.
 * @throws what the system throws; UsageError for a file that holds anything else
 */
export function readOwnKey(path: string): CurveKeyPair {
  const secretKey = readCurveKey(readFileSync(path, "latin1").trim());
  if (secretKey === undefined) throw new UsageError(`${path} holds no key: one is 40 characters of Z85 text on a line`);
  return { publicKey: curvePublicKey(secretKey), secretKey };
}

/** Whether the system lets others read a file, as it does not where there are no such rights. */
export function isReadByOthers(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & OTHERS_MAY_READ) !== 0;
}

/**
 * Lets in whose public key is in a file: one on a line, and behind it anything. Lines that are empty or start with `#`, as
 * no key does, are none. The file is read for every peer, so that it may change at any time; what cannot be read lets nobody in.
 * @throws what the system throws, and UsageError for a line that is no key, now and whenever it is asked
 */
export function letInAuthorized(path: string): Authenticate {
  keysIn(readFileSync(path, "utf8"), path);
  return async (peer) => {
    const keys = keysIn(await readFile(path, "utf8"), path);
    return peer.mechanism === "CURVE" && keys.has(peer.publicKey);
  };
}

function keysIn(text: string, path: string): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const [word = ""] = line.trim().split(/\s/, 1);
    if (word === "" || word.startsWith("#")) continue;
    const key = readCurveKey(word);
    if (key === undefined) throw new UsageError(`${path} holds no public key in line ${index + 1}`);
    keys.add(key);
  }
  return keys;
}
