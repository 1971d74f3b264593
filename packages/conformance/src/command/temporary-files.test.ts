// What the `pigato-broker` command does with temporary files: it leaves none behind, and needs none.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newCurveKeyPair } from "@pigato/broker";
import { Directory } from "@pigato/directory";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { afterAll, afterEach, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "pigato-temporary-"));
const brokers: PeerProcess[] = [];

afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.kill()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  readonly broker: PeerProcess;
  readonly address: string;
  readonly channel: string;
}

/** @param temporary the folder for temporary files */
async function start(temporary: string, ...args: readonly string[]): Promise<Started> {
  const all = ["--bind", "tcp://127.0.0.1:*", "--log-format", "json", ...args];
  const broker = PeerProcess.node(BIN, all, { env: { TMPDIR: temporary } });
  brokers.push(broker);
  const line = await broker.ready(broker.nextLine((text) => text.includes("ready at ")));
  const address = /ready at (\S+)/.exec(line)?.[1] ?? "";
  const channel = /"intch":"([^"]+)"/.exec(broker.stderr)?.[1] ?? "";
  return { broker, address, channel };
}

function channels(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("pigato-"));
}

test.each([
  ["without security", () => []],
  ["with CURVE", () => ["--curve-secret-key-file", newKeyFile()]],
])(
  "%s, a stopped broker leaves no file, and a new one removes those of a killed one",
  async (_how, args) => {
    const killed = await start(folder, ...args());
    expect(channels()).toHaveLength(1);
    await killed.broker.kill("SIGKILL");
    expect(channels()).toHaveLength(1);
    const [first, second] = await Promise.all([start(folder, ...args()), start(folder, ...args())]);
    expect(channels()).toHaveLength(2);
    expect(await first.broker.kill("SIGTERM")).toBe(0);
    expect(channels()).toHaveLength(1);
    expect(await second.broker.kill("SIGTERM")).toBe(0);
    expect(channels()).toEqual([]);
  },
  60_000,
);

test("a broker and a directory work where the folder for temporary files cannot hold a socket", async () => {
  const { address, channel } = await start(mkdtempSync(join(folder, "x".repeat(80))));
  expect(channel).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  await using directory = new Directory(address, { intch: channel });
  await directory.start();
}, 60_000);

function newKeyFile(): string {
  const file = join(mkdtempSync(join(folder, "key-")), "secret");
  writeFileSync(file, newCurveKeyPair().secretKey, { mode: 0o600 });
  return file;
}
