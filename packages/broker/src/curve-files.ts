// CURVE keys in files, for the command: the broker's secret key, readable by its owner only, and the authorized public keys. Keys
// never come from flags or environment variables, which other users of the machine can see. No error shows the content of a file.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { UsageError } from "@pigato/protocol";
import { type CurveKeyPair, curvePublicKey, newCurveKeyPair, readCurveKey } from "@pigato/transport";
import type { Authenticate } from "./security.ts";

const OTHERS_MAY_READ = 0o077;

/**
 * Creates a key pair and writes the secret key to a new file that only its owner may read.
 * @returns the public key
 * @throws the system's error, also if the file exists
 */
export function writeNewKey(path: string): string {
  const { publicKey, secretKey } = newCurveKeyPair();
  writeFileSync(path, `${secretKey}\n`, { flag: "wx", mode: 0o600 });
  return publicKey;
}

/**
 * Reads the secret key of a file and derives its public key.
 * @throws the system's error; UsageError if the file contains anything else
 */
export function readOwnKey(path: string): CurveKeyPair {
  const secretKey = readCurveKey(readFileSync(path, "latin1").trim());
  if (secretKey === undefined)
    throw new UsageError(`${path} contains no key: expected one line of 40 characters of Z85 text`);
  return { publicKey: curvePublicKey(secretKey), secretKey };
}

/** Whether other users of the system may read a file; false on Windows, which has no such mode. */
export function isReadByOthers(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & OTHERS_MAY_READ) !== 0;
}

/**
 * Authorizes the peers whose public key is in a file: one key per line, followed by any text. Empty lines and lines that start with
 * `#` are ignored. The file is read for every peer, so changes apply at once; while it cannot be read, every peer is denied.
 * @throws the system's error, and UsageError for a line without a key, now and for every peer
 */
export function authorizeFrom(path: string): Authenticate {
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
    if (key === undefined) throw new UsageError(`${path} contains no public key in line ${index + 1}`);
    keys.add(key);
  }
  return keys;
}
