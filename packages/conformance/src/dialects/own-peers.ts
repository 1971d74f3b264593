// Our own client and worker as peers among others: bodies in, bodies out, as in peers.ts. They read values, so that what they
// were sent is shown as the JSON of it. In Majordomo they are given bytes to send, in PIGATO the value of some JSON.

import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { Client } from "@pigato/client";
import { type Reply, UsageError, Worker } from "@pigato/worker";
import type { Asker, Heard, Job, Server } from "./peers.ts";

export const OWN_DIALECTS = ["pigato", "mdp01", "mdp02"] as const;
type OwnDialect = (typeof OWN_DIALECTS)[number];

export async function ownAsker(dialect: OwnDialect, address: string): Promise<Asker> {
  const client = new Client(address, { dialect, stopTimeoutMs: 0 });
  const heard = new Queue<Heard>();
  const options = dialect === "pigato" ? { timeout: 30_000, retry: 1 as const } : { timeout: 30_000 };
  await client.start();
  return {
    async ask(service, ...body) {
      client.request(
        service,
        valueFrom(dialect, body),
        (_error: unknown, part: unknown) => heard.put({ kind: "partial", body: [textOf(part)] }),
        (error: unknown, last: unknown) =>
          heard.put(error ? { kind: "error", body: [String(error)] } : { kind: "final", body: [textOf(last)] }),
        options,
      );
    },
    hear: () => heard.take(),
    close: () => void client.stop(),
  };
}

export async function ownServer(dialect: OwnDialect, address: string, service: string): Promise<Server> {
  const cable = await Cable.to(address);
  const worker = new Worker(cable.address, service, { dialect, stopTimeoutMs: 0 });
  const jobs = new Queue<Job>();
  worker.on("request", (data, reply) => {
    jobs.put({
      body: [textOf(data)],
      answer: async (kind, ...body) => isSaid(() => say(reply, kind, kind === "error" ? "pigato" : dialect, body)),
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

function say(reply: Reply, kind: Heard["kind"] | "reject", dialect: OwnDialect, body: readonly string[]): unknown {
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

/** False for what the dialect has no message for. */
function isSaid(say: () => unknown): boolean {
  try {
    say();
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

function valueFrom(dialect: OwnDialect, body: readonly string[]): unknown {
  const frames = body.map((frame) => Buffer.from(frame, "latin1"));
  if (dialect === "pigato") return JSON.parse(String(frames[0]));
  return frames.length === 1 ? frames[0] : frames;
}

function textOf(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("latin1");
}

/** Whatever is put is taken once, in order. */
class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #takers: ((item: Item) => void)[] = [];

  put(item: Item): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<Item> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
    });
  }
}

/** A way to an address that can be cut: a worker of ours never goes without a word. */
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
