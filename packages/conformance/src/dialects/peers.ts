// A client and a worker of each dialect, as far as a test of the broker needs them: bodies in, bodies out. Their frames are
// written here by hand, on plain sockets.

import { VERSIONS } from "./forms.ts";
import { bytePeer } from "./start.ts";

export const DIALECTS = ["pigato", "mdp01", "mdp02", "omdp", "butler"] as const;
export type DialectName = (typeof DIALECTS)[number];

/** What a client hears of a request. */
export interface Heard {
  readonly kind: "partial" | "final" | "error";
  readonly body: readonly string[];
}

export interface Asker {
  /** @param body one frame, where the dialect has no more */
  ask(service: string, ...body: readonly string[]): Promise<void>;
  hear(): Promise<Heard>;
  close(): void;
}

/** A request at its worker. */
export interface Job {
  readonly body: readonly string[];
  /** False where the dialect has no message for it. */
  answer(kind: "partial" | "final" | "error" | "reject", ...body: readonly string[]): Promise<boolean>;
}

export interface Server {
  next(): Promise<Job>;
  /** Goes without a word. */
  close(): void;
}

export function newAsker(dialect: DialectName, address: string): Asker {
  const socket = bytePeer(address);
  const wire = ASKERS[dialect];
  let count = 0;
  return {
    ask: (service, ...body) => socket.send(...wire.request(service, `r${++count}`, body)),
    hear: async () => wire.read(await socket.next()),
    close: () => socket.close(),
  };
}

export function newServer(dialect: DialectName, address: string, service: string): Server {
  const socket = bytePeer(address);
  const wire = SERVERS[dialect];
  for (const frames of wire.greet(service)) void socket.send(...frames);
  return {
    async next() {
      for (;;) {
        const request = wire.read(await socket.next());
        if (request === undefined) continue;
        return {
          body: request.body,
          async answer(kind, ...body) {
            const frames = wire.answer(kind, request, body);
            if (frames !== undefined) await socket.send(...frames);
            return frames !== undefined;
          },
        };
      }
    },
    close: () => socket.close(),
  };
}

export interface AskerWire {
  request(service: string, id: string, body: readonly string[]): readonly string[];
  read(frames: readonly string[]): Heard;
}

export interface Request {
  readonly address: string;
  readonly id: string;
  readonly body: readonly string[];
}

export interface ServerWire {
  greet(service: string): readonly (readonly string[])[];
  /** `undefined` for what is no request. */
  read(frames: readonly string[]): Request | undefined;
  answer(kind: Heard["kind"] | "reject", to: Request, body: readonly string[]): readonly string[] | undefined;
}

const RETRY = '{"timeout":30000,"retry":1}';
const EXCEPTION = "500:exception:";

export const ASKERS: Readonly<Record<DialectName, AskerWire>> = {
  pigato: {
    request: (service, id, body) => ["C", "2", service, id, ...body, RETRY],
    read: ([, type, , , status, ...rest]) => heard(type === "3", status === "0", rest.slice(0, 1)),
  },
  mdp01: mdpAsker(0),
  mdp02: mdpAsker(1),
  omdp: {
    request: (service, id, body) => ["C", "2", service, id, ...body, RETRY],
    // An error has no status.
    read: ([, type, , ...rest]) => heard(type === "3", rest.length > 1, rest.slice(-1)),
  },
  butler: {
    request: (service, id, body) => ["", `0.3.0:${id}`, service, String(Date.now() + 30_000), ...body],
    read: (frames) => {
      const response = frames.at(-1) ?? "";
      return heard(true, frames.length === 3 && !response.startsWith(EXCEPTION), [response]);
    },
  },
};

export const SERVERS: Readonly<Record<DialectName, ServerWire>> = {
  pigato: {
    greet: (service) => [
      ["W", "1", service],
      ["W", "4", "", '{"concurrency":1000}'],
    ],
    read: ([, type, address = "", , , id = "", data = ""]) =>
      type === "2" ? { address, id, body: [data] } : undefined,
    answer(kind, { address, id }, body) {
      const type = { final: "3", error: "3", partial: "6", reject: "7" }[kind];
      return ["W", type, address, "", id, kind === "error" ? "-1" : "0", ...body, "{}"];
    },
  },
  mdp01: mdpServer(0),
  mdp02: mdpServer(1),
  omdp: {
    greet: (service) => [["W", "1", service]],
    read: ([, type, address = "", id = "", data = ""]) => (type === "2" ? { address, id, body: [data] } : undefined),
    answer(kind, { address, id }, body) {
      if (kind === "reject") return undefined;
      if (kind === "error") return ["W", "3", address, id, ...body];
      return ["W", kind === "final" ? "3" : "6", address, id, "0", ...body];
    },
  },
  butler: {
    greet: (service) => [["\x01", service]],
    read: ([address = "", , id = "", , , data]) => (data === undefined ? undefined : { address, id, body: [data] }),
    answer(kind, { address, id }, [response = ""]) {
      if (kind === "partial" || kind === "reject") return undefined;
      const error = `${EXCEPTION}{"name":"Error","message":${response},"traceback":"","traceback_list":[]}`;
      return ["\x04", address, "", id, kind === "error" ? error : response];
    },
  },
};

function mdpAsker(version: 0 | 1): AskerWire {
  const form = VERSIONS[version];
  if (form === undefined) throw new Error("no such version");
  return {
    request: (service, _id, body) => [...form.request, service, ...body],
    read(frames) {
      const head = form.final("").length;
      const partial = form.partial?.("");
      const isPartial = partial !== undefined && frames[partial.length - 2] === partial.at(-2);
      return heard(!isPartial, true, frames.slice(head));
    },
  };
}

function mdpServer(version: 0 | 1): ServerWire {
  const { worker } = VERSIONS[version] ?? {};
  if (worker === undefined) throw new Error("no such version");
  const at = worker.request.length;
  return {
    greet: (service) => [[...worker.ready, service]],
    read(frames) {
      if (frames[at - 1] !== worker.request.at(-1)) return undefined;
      return { address: frames[at] ?? "", id: "", body: frames.slice(at + 2) };
    },
    answer(kind, { address }, body) {
      const head = kind === "final" ? worker.final : kind === "partial" ? worker.partial : undefined;
      return head && [...head, address, "", ...body];
    },
  };
}

function heard(isFinal: boolean, isOk: boolean, body: readonly string[]): Heard {
  return { kind: isOk ? (isFinal ? "final" : "partial") : "error", body };
}
