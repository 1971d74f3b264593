// Programs in Python: peers on pyzmq, a stack that is not ours.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import type { Asker, DialectName, Heard, Server } from "./peers.ts";

const PEER = fileURLToPath(new URL("./python/peer.py", import.meta.url));

/** Options of a socket that have to do with security, as pyzmq calls them. */
export type SocketOptions = Readonly<Record<string, string>>;

/** A process that is written lines of JSON and prints some. */
class Conversation {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(security: SocketOptions, ...args: readonly string[]) {
    const env = { ...process.env, PEER_SECURITY: JSON.stringify(security) };
    this.#child = spawn(foreignPeers.python.path, [PEER, ...args], { stdio: ["pipe", "pipe", "inherit"], env });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("no output");
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]();
  }

  write(value: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(value)}\n`);
  }

  async read(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the Python peer has ended");
    return JSON.parse(value);
  }

  async readTexts(): Promise<string[]> {
    const value = await this.read();
    if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
    return value.map(String);
  }

  close(): void {
    this.#child.kill("SIGKILL");
  }
}

export function pythonAsker(dialect: DialectName, address: string, security: SocketOptions = {}): Asker {
  const peer = new Conversation(security, "client", dialect, address);
  return {
    async ask(service, ...body) {
      peer.write([service, ...body]);
    },
    async hear(): Promise<Heard> {
      const [kind, ...body] = await peer.readTexts();
      if (kind === "partial" || kind === "final" || kind === "error") return { kind, body };
      throw new Error(`the Python peer heard ${kind}`);
    },
    close: () => peer.close(),
  };
}

export function pythonServer(
  dialect: DialectName,
  address: string,
  service: string,
  security: SocketOptions = {},
): Server {
  const peer = new Conversation(security, "worker", dialect, address, service);
  return {
    async next() {
      const body = await peer.readTexts();
      return {
        body,
        async answer(kind, ...answer) {
          peer.write([kind, ...answer]);
          return (await peer.read()) === true;
        },
      };
    },
    close: () => peer.close(),
  };
}
