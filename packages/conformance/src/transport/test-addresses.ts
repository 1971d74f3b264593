// Addresses that no other test uses.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A source of addresses of one kind for the current test. */
export function testAddresses(kind: "tcp" | "ipc" | "inproc"): () => string {
  const folder = mkdtempSync(join(tmpdir(), "pigato-link-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  return () => {
    count += 1;
    switch (kind) {
      case "tcp":
        return "tcp://127.0.0.1:*";
      case "ipc":
        return `ipc://${folder}/${count}.sock`;
      case "inproc":
        return `inproc://${folder}/${count}`;
      default:
        return kind satisfies never;
    }
  };
}
