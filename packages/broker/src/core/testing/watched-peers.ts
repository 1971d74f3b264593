// The broker says of its peers what is so: who came and went, each once, what the directory holds, and, to the clients that
// asked for it, where their requests are and whether they are alive.

import { type DirectorySnapshot, NO_CAPABILITIES, type PeerId, type RequestId, type ToClient } from "@pigato/protocol";
import type { Books } from "./books.ts";
import { toClientLine } from "./transcript.ts";
import { promise, WatchedClient, type WatchedWorker } from "./watched.ts";

export class WatchedPeers {
  readonly #books: Books;

  constructor(books: Books) {
    this.#books = books;
  }

  seeDirectory(snapshot: DirectorySnapshot): void {
    const told = snapshot.flatMap(([service, workers]) => workers.map((worker) => `${service} ${worker}`));
    const known = Array.from(this.#books.workers.values(), ({ id, service }) => `${service} ${id}`);
    promise(told.sort().join() === known.sort().join(), `announced ${told}, not ${known}`);
  }

  seeWorkerUp(id: PeerId): void {
    promise(this.#books.workers.has(id), `${id} is up without a READY`);
  }

  /** @returns the worker that went */
  seeWorkerDown(id: PeerId): WatchedWorker | undefined {
    const worker = this.#books.workers.get(id);
    promise(worker !== undefined, `${id} went down twice`);
    if (worker === undefined) return undefined;
    this.#books.workers.delete(id);
    this.#books.names.withdraw(worker.service);
    return worker;
  }

  /** A client that was gone with something open is the same one again; any other is new. */
  seeClientUp(id: PeerId): void {
    const { clients, away } = this.#books;
    promise(!clients.has(id), `${id} came up twice`);
    const known = away.get(id);
    if (known !== undefined) known.backAt = this.#books.now;
    clients.set(id, known ?? new WatchedClient(id));
    away.delete(id);
  }

  /** @returns the client that went */
  seeClientDown(id: PeerId): WatchedClient | undefined {
    const { clients, away } = this.#books;
    const client = clients.get(id);
    promise(client !== undefined, `${id} went down twice`);
    if (client === undefined) return undefined;
    for (const request of client.open.values()) if (!request.options.persist) this.#books.close(request);
    clients.delete(id);
    client.capabilities = NO_CAPABILITIES;
    if (client.open.size > 0) away.set(id, client);
    return client;
  }

  seeHeartbeat(to: PeerId, { accepted }: ToClient & { readonly type: "heartbeat" }): void {
    const { input, clients } = this.#books;
    const asked = input.type === "from-client" && input.from === to ? input.message.type : undefined;
    promise(asked === "heartbeat" || asked === "request-heartbeat", `${to} got a heartbeat unasked`);
    const client = clients.get(to);
    if (accepted && client) client.capabilities = accepted;
  }

  seeRequestHeartbeat(to: PeerId, id: RequestId): void {
    const client = this.#books.clients.get(to);
    promise(client?.capabilities.requestHeartbeat === true, `${to} got a heartbeat that it did not negotiate`);
    promise(this.#isVouchedFor(client, id), `${to} got a heartbeat for ${id}`);
  }

  seeNotice(to: PeerId, message: ToClient & { readonly type: "notice" }): void {
    const { arriving, clients } = this.#books;
    const request =
      this.#books.find(to, message.requestId) ?? (arriving?.id === message.requestId ? arriving : undefined);
    const isAskedFor = request?.options.notices === true && clients.get(to)?.capabilities.notice === true;
    promise(isAskedFor, `${to} got ${toClientLine(message)}, which it did not ask for`);
    promise(request?.holder?.id === message.worker, `${to} got ${toClientLine(message)}, which is not so`);
    promise(
      (message.state !== "dispatched") === (message.worker === undefined),
      `${toClientLine(message)} is no notice`,
    );
  }

  /** Somebody spoke of this request, and it is alive: its client may be told. */
  #isVouchedFor(client: WatchedClient | undefined, id: RequestId): boolean {
    const { input } = this.#books;
    if (client === undefined || !client.open.has(id)) return false;
    if (input.type === "from-client") return input.from === client.id && input.message.type === "request-heartbeat";
    return input.type === "from-worker" && input.message.type === "request-heartbeat";
  }
}
