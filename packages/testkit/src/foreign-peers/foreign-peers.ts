// Tools that are not npm packages: some suites talk to peers that are written with them. On a machine that lacks a tool its
// suites are skipped. With PIGATO_REQUIRE_PEERS=1, as in CI, its suites fail instead.
//
// The tools are searched once per test run, by find-tools.ts, which also prints a line for each one that is missing.

import { inject } from "vitest";

/** `python`: an interpreter with pyzmq. `c`: a compiler that finds libzmq. `chromium`: the browser. */
export type ToolName = "python" | "c" | "chromium";

/** The path of each tool, or `null` if it is missing. */
export type ToolPaths = Readonly<Record<ToolName, string | null>>;

/** The instruction for a person, for each missing tool. */
export const MISSING: Readonly<Record<ToolName, string>> = {
  python: "no python3 with pyzmq on PATH: apt-get install python3-zmq, or set PIGATO_PYTHON",
  c: "no gcc that can link libzmq on PATH: apt-get install gcc libc6-dev libzmq3-dev",
  chromium: "no chromium on PATH: apt-get install chromium, or set CHROMIUM_PATH",
};

declare module "vitest" {
  interface ProvidedContext {
    toolPaths: ToolPaths;
  }
}

class ForeignPeer {
  readonly #name: ToolName;

  constructor(name: ToolName) {
    this.#name = name;
  }

  /**
   * For `skipIf`.
   * @throws Error if the tool is missing and PIGATO_REQUIRE_PEERS is 1
   */
  get isMissing(): boolean {
    const isMissing = inject("toolPaths")[this.#name] === null;
    if (isMissing && process.env.PIGATO_REQUIRE_PEERS === "1") throw new Error(MISSING[this.#name]);
    return isMissing;
  }

  /** @throws Error if the tool is missing */
  get path(): string {
    const path = inject("toolPaths")[this.#name];
    if (path === null) throw new Error(MISSING[this.#name]);
    return path;
  }
}

export const foreignPeers: Readonly<Record<ToolName, ForeignPeer>> = {
  python: new ForeignPeer("python"),
  c: new ForeignPeer("c"),
  chromium: new ForeignPeer("chromium"),
};
