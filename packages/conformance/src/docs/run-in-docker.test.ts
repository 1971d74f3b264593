// The page about Docker: its Dockerfile is the one in deploy/, and what the Dockerfile runs works, started without Docker.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

const run = promisify(execFile);

const DOCKERFILE = readFileSync(join(ROOT, "deploy/pigato-broker/Dockerfile"), "utf8");
const BROKER = join(ROOT, "packages/broker");

test("the page shows the Dockerfile of the repository", () => {
  const [, shown] = /^```dockerfile\n(.*?)^```$/ms.exec(textOf("docs/how-to/run-in-docker.md")) ?? [];
  expect(shown).toBe(DOCKERFILE);
});

test("the entry point is the broker's binary, so that it is process 1 and receives signals", () => {
  const { bin }: { readonly bin: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(BROKER, "package.json"), "utf8"),
  );
  const [command] = Object.keys(bin);
  expect(instruction("ENTRYPOINT")).toEqual([`node_modules/.bin/${command}`]);
});

test("with the image's environment the broker is healthy, and exits with 0 on SIGTERM", async () => {
  const env = Object.fromEntries(
    [...DOCKERFILE.matchAll(/(PIGATO_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  expect(env).toMatchObject({ PIGATO_BIND: "tcp://*:5555" });
  const broker = PeerProcess.node(join(BROKER, "src/bin.ts"), [], {
    env: { ...env, PIGATO_BIND: "tcp://127.0.0.1:*" },
  });
  try {
    const line = await broker.ready(broker.nextLine((text) => text.includes("ready at ")));
    const [, port = ""] = /:(\d+)$/.exec(line) ?? [];
    const [program = "", ...args] = instruction("CMD");
    const check = (at: string) =>
      run(
        program,
        args.map((arg) => arg.replace("5555", at)),
        { timeout: 20_000 },
      );
    await check(port);
    expect(await broker.kill("SIGTERM")).toBe(0);
    await expect(check(port)).rejects.toMatchObject({ code: 1 });
  } finally {
    await broker.kill("SIGKILL");
  }
});

/** The words of an instruction in exec form. */
function instruction(name: string): string[] {
  const [, words = "[]"] = new RegExp(`^\\s*${name} (\\[.*\\])$`, "m").exec(DOCKERFILE) ?? [];
  return JSON.parse(words);
}
