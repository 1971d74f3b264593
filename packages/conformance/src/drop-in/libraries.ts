// The two libraries that `require("pigato")` may load, with the loose types that classic code sees.

import type { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import * as ours from "pigato";

type Conf = Record<string, unknown>;

export interface ClassicReply {
  opts: Record<string, unknown>;
  readonly ended: boolean;
  write(chunk: unknown): unknown;
  end(data?: unknown): unknown;
  error(error?: unknown): unknown;
  reject(reason?: unknown): unknown;
  heartbeat(): void;
  active(): boolean;
}

export interface ClassicPeer {
  conf: Conf;
  on(event: string, listener: (...values: never[]) => unknown): unknown;
  once(event: string, listener: (...values: never[]) => unknown): unknown;
  removeAllListeners(event?: string): unknown;
  start(): void;
  stop(): void;
}

export interface ClassicWorker extends ClassicPeer {
  readonly socketId?: string | undefined;
  heartbeat(): void;
}

export interface ClassicStream extends EventEmitter {
  heartbeat(): void;
}

type Callback = (error: unknown, value: unknown) => void;

export interface ClassicClient extends ClassicPeer {
  readonly socketId?: string | undefined;
  request(service: string, data?: unknown, options?: Conf): ClassicStream;
  request(service: string, data: unknown, partial: Callback | undefined, final: Callback, options?: Conf): void;
  heartbeat(request?: string): void;
}

export interface ClassicLibrary {
  readonly Broker: new (address: string, conf?: Conf) => ClassicPeer;
  readonly Worker: new (address: string, service: string, conf?: Conf) => ClassicWorker;
  readonly Client: new (address: string, conf?: Conf) => ClassicClient;
}

const classic: ClassicLibrary = createRequire(import.meta.url)("pigato-classic");

export const LIBRARIES: { readonly classic: ClassicLibrary; readonly ours: typeof ours } = { classic, ours };

/** The next event of this name. */
export function happened(peer: Pick<ClassicPeer, "once">, event: string): Promise<unknown> {
  return new Promise((resolve) => peer.once(event, (...[value]: readonly unknown[]) => resolve(value)));
}
