// A client and a worker of each dialect, reduced to sending and receiving bodies. Their frames are written by hand on plain
// sockets.

import { VERSIONS } from "./forms.ts";
import { bytePeer } from "./start.ts";

export const DIALECTS = ["pigato", "mdp01", "mdp02", "omdp", "butler"] as const;
export type DialectName = (typeof DIALECTS)[number];

/** What a client receives for a request. */
export interface ReceivedReply {
  readonly kind: "partial" | "final" | "error";
  readonly body: readonly string[];
}

export interface DialectClient {
  /** @param body one frame, if the dialect has only one */
  request(service: string, ...body: readonly string[]): Promise<void>;
  receive(): Promise<ReceivedReply>;
  close(): void;
}

/** A request that a worker received. */
export interface DispatchedRequest {
  readonly body: readonly string[];
  /** False if the dialect has no such message. */
  reply(kind: "partial" | "final" | "error" | "reject", ...body: readonly string[]): Promise<boolean>;
}

export interface DialectWorker {
  next(): Promise<DispatchedRequest>;
  /** Closes without DISCONNECT. */
  close(): void;
}

export function newClient(dialect: DialectName, address: string): DialectClient {
  const socket = bytePeer(address);
  const wire = CLIENT_WIRES[dialect];
  let count = 0;
  return {
    request: (service, ...body) => socket.send(...wire.request(service, `r${++count}`, body)),
    receive: async () => wire.read(await socket.next()),
    close: () => socket.close(),
  };
}

export function newWorker(dialect: DialectName, address: string, service: string): DialectWorker {
  const socket = bytePeer(address);
  const wire = WORKER_WIRES[dialect];
  for (const frames of wire.greet(service)) void socket.send(...frames);
  return {
    async next() {
      for (;;) {
        const request = wire.read(await socket.next());
        if (request === undefined) continue;
        return {
          body: request.body,
          async reply(kind, ...body) {
            const frames = wire.reply(kind, request, body);
            if (frames !== undefined) await socket.send(...frames);
            return frames !== undefined;
          },
        };
      }
    },
    close: () => socket.close(),
  };
}

export interface ClientWire {
  request(service: string, id: string, body: readonly string[]): readonly string[];
  read(frames: readonly string[]): ReceivedReply;
}

export interface Request {
  readonly address: string;
  readonly id: string;
  readonly body: readonly string[];
}

export interface WorkerWire {
  greet(service: string): readonly (readonly string[])[];
  /** `undefined` for any other message. */
  read(frames: readonly string[]): Request | undefined;
  reply(kind: ReceivedReply["kind"] | "reject", to: Request, body: readonly string[]): readonly string[] | undefined;
}

const RETRY = '{"timeout":30000,"retry":1}';
const EXCEPTION = "500:exception:";

export const CLIENT_WIRES: Readonly<Record<DialectName, ClientWire>> = {
  pigato: {
    request: (service, id, body) => ["C", "2", service, id, ...body, RETRY],
    read: ([, type, , , status, ...rest]) => readReply(type === "3", status === "0", rest.slice(0, 1)),
  },
  mdp01: mdpClient(0),
  mdp02: mdpClient(1),
  omdp: {
    request: (service, id, body) => ["C", "2", service, id, ...body, RETRY],
    // An error has no status.
    read: ([, type, , ...rest]) => readReply(type === "3", rest.length > 1, rest.slice(-1)),
  },
  butler: {
    request: (service, id, body) => ["", `0.3.0:${id}`, service, String(Date.now() + 30_000), ...body],
    read: (frames) => {
      const response = frames.at(-1) ?? "";
      return readReply(true, frames.length === 3 && !response.startsWith(EXCEPTION), [response]);
    },
  },
};

export const WORKER_WIRES: Readonly<Record<DialectName, WorkerWire>> = {
  pigato: {
    greet: (service) => [
      ["W", "1", service],
      ["W", "4", "", '{"concurrency":1000}'],
    ],
    read: ([, type, address = "", , , id = "", data = ""]) =>
      type === "2" ? { address, id, body: [data] } : undefined,
    reply(kind, { address, id }, body) {
      const type = { final: "3", error: "3", partial: "6", reject: "7" }[kind];
      return ["W", type, address, "", id, kind === "error" ? "-1" : "0", ...body, "{}"];
    },
  },
  mdp01: mdpWorker(0),
  mdp02: mdpWorker(1),
  omdp: {
    greet: (service) => [["W", "1", service]],
    read: ([, type, address = "", id = "", data = ""]) => (type === "2" ? { address, id, body: [data] } : undefined),
    reply(kind, { address, id }, body) {
      if (kind === "reject") return undefined;
      if (kind === "error") return ["W", "3", address, id, ...body];
      return ["W", kind === "final" ? "3" : "6", address, id, "0", ...body];
    },
  },
  butler: {
    greet: (service) => [["\x01", service]],
    read: ([address = "", , id = "", , , data]) => (data === undefined ? undefined : { address, id, body: [data] }),
    reply(kind, { address, id }, [response = ""]) {
      if (kind === "partial" || kind === "reject") return undefined;
      const error = `${EXCEPTION}{"name":"Error","message":${response},"traceback":"","traceback_list":[]}`;
      return ["\x04", address, "", id, kind === "error" ? error : response];
    },
  },
};

function mdpClient(version: 0 | 1): ClientWire {
  const form = VERSIONS[version];
  if (form === undefined) throw new Error("no such version");
  return {
    request: (service, _id, body) => [...form.request, service, ...body],
    read(frames) {
      const head = form.final("").length;
      const partial = form.partial?.("");
      const isPartial = partial !== undefined && frames[partial.length - 2] === partial.at(-2);
      return readReply(!isPartial, true, frames.slice(head));
    },
  };
}

function mdpWorker(version: 0 | 1): WorkerWire {
  const { worker } = VERSIONS[version] ?? {};
  if (worker === undefined) throw new Error("no such version");
  const at = worker.request.length;
  return {
    greet: (service) => [[...worker.ready, service]],
    read(frames) {
      if (frames[at - 1] !== worker.request.at(-1)) return undefined;
      return { address: frames[at] ?? "", id: "", body: frames.slice(at + 2) };
    },
    reply(kind, { address }, body) {
      const head = kind === "final" ? worker.final : kind === "partial" ? worker.partial : undefined;
      return head && [...head, address, "", ...body];
    },
  };
}

function readReply(isFinal: boolean, isOk: boolean, body: readonly string[]): ReceivedReply {
  return { kind: isOk ? (isFinal ? "final" : "partial") : "error", body };
}
