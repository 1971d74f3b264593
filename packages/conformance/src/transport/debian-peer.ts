// A peer on the libzmq that Debian ships, of another version than the one in the package `zeromq`, driven from Python
// (`apt-get install python3-zmq`; .ci/run does). It says what it has to say line by line.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Inbox } from "@pigato/testkit";
import { foreignPeers } from "@pigato/testkit/foreign-peers";

const PEER = fileURLToPath(new URL("./debian-peer.py", import.meta.url));

export class DebianPeer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #said = new Inbox<string>();

  /** @param kind one of those at the end of debian-peer.py */
  constructor(kind: string, address: string) {
    this.#child = spawn(foreignPeers.python.path, [PEER, kind, address], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout);
    this.#lines.on("line", (line) => this.#said.add(line));
  }

  /** The next line that it says. */
  said(): Promise<string> {
    return this.#said.take();
  }

  /** Gives it a line to read. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Ends it, unless it has ended by itself. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
