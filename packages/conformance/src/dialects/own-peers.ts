// Our client and worker behind the interface of peers.ts, which sends and receives bodies. They read values, so a received body
// is shown as its JSON unless it is bytes. In Majordomo they send bytes, in PIGATO and zmq-omdp the value of some JSON.

import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { Client } from "@pigato/client";
import { Inbox } from "@pigato/testkit";
import { type Reply, UsageError, Worker } from "@pigato/worker";
import type { DialectClient, DialectName, DialectWorker, DispatchedRequest, ReceivedReply } from "./peers.ts";

export const OWN_DIALECTS = ["pigato", "mdp01", "mdp02", "omdp"] as const;
type OwnDialect = (typeof OWN_DIALECTS)[number];

export async function ownClient(dialect: OwnDialect, address: string): Promise<DialectClient> {
  const client = new Client(address, { dialect, stopTimeoutMs: 0 });
  const replies = new Inbox<ReceivedReply>();
  const options = sendsValues(dialect) ? { timeout: 30_000, retry: 1 as const } : { timeout: 30_000 };
  await client.start();
  return {
    async request(service, ...body) {
      client.request(
        service,
        valueFrom(dialect, body),
        (_error: unknown, part: unknown) => replies.add({ kind: "partial", body: bodyOf(part) }),
        (error: unknown, last: unknown) =>
          replies.add(error ? { kind: "error", body: [String(error)] } : { kind: "final", body: bodyOf(last) }),
        options,
      );
    },
    receive: () => replies.take(),
    close: () => void client.stop(),
  };
}

export async function ownWorker(dialect: OwnDialect, address: string, service: string): Promise<DialectWorker> {
  const cable = await Cable.to(address);
  const worker = new Worker(cable.address, service, { dialect, stopTimeoutMs: 0 });
  const jobs = new Inbox<DispatchedRequest>();
  worker.on("request", (data, reply) => {
    jobs.add({
      body: bodyOf(data),
      reply: async (kind, ...body) => isSaid(() => say(reply, kind, kind === "error" ? "pigato" : dialect, body)),
    });
  });
  await worker.start();
  return {
    next: () => jobs.take(),
    close() {
      cable.cut();
      void worker.stop();
    },
  };
}

function say(
  reply: Reply,
  kind: ReceivedReply["kind"] | "reject",
  dialect: OwnDialect,
  body: readonly string[],
): unknown {
  switch (kind) {
    case "partial":
      return reply.write(valueFrom(dialect, body));
    case "final":
      return reply.end(valueFrom(dialect, body));
    case "error":
      return reply.error(valueFrom(dialect, body));
    case "reject":
      return reply.reject();
    default:
      return kind satisfies never;
  }
}

/** False if the dialect has no such message. */
function isSaid(say: () => unknown): boolean {
  try {
    say();
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** Whether our peers send JSON in a dialect. In the others they send bytes as they are. */
export function sendsValues(dialect: DialectName): boolean {
  return dialect === "pigato" || dialect === "omdp";
}

function valueFrom(dialect: OwnDialect, body: readonly string[]): unknown {
  const frames = body.map((frame) => Buffer.from(frame, "latin1"));
  if (sendsValues(dialect)) return JSON.parse(String(frames[0]));
  return frames.length === 1 ? frames[0] : frames;
}

function bodyOf(value: unknown): string[] {
  const isBytes = (item: unknown) => item instanceof Uint8Array;
  const frames: unknown[] = Array.isArray(value) && value.length > 0 && value.every(isBytes) ? value : [value];
  return frames.map((frame) =>
    Buffer.from(frame instanceof Uint8Array ? frame : JSON.stringify(frame)).toString("latin1"),
  );
}

/** A proxy to an address whose connections can be cut, because our worker always sends DISCONNECT. */
class Cable {
  readonly #listener: Listener;
  readonly #ends = new Set<Socket>();

  static async to(address: string): Promise<Cable> {
    const { hostname, port } = new URL(address);
    const cable = new Cable(hostname, Number(port));
    await new Promise<void>((resolve) => {
      cable.#listener.listen(0, "127.0.0.1", resolve);
    });
    return cable;
  }

  private constructor(host: string, port: number) {
    this.#listener = createServer({ noDelay: true }, (near) => {
      const far = connect({ host, port, noDelay: true });
      near.pipe(far).pipe(near);
      for (const end of [near, far]) {
        this.#ends.add(end);
        end.on("error", () => {}).on("close", () => this.#ends.delete(end));
      }
    });
  }

  get address(): string {
    const place = this.#listener.address();
    if (place === null || typeof place === "string") throw new Error("not listening");
    return `tcp://127.0.0.1:${place.port}`;
  }

  cut(): void {
    this.#listener.close();
    for (const end of this.#ends) end.destroy();
  }
}
