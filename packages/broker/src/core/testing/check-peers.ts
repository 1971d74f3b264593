// Peers: the broker reports each peer that comes and goes once, announces the right directory, and sends notices and
// heartbeats of requests only to clients that asked for them.

import { NO_CAPABILITIES, type PeerId, type RequestId, type ServiceName, type ToClient } from "@pigato/protocol";
import type { DirectorySnapshot } from "@pigato/protocol/internal";
import { toClientLine } from "./lines.ts";
import type { Model } from "./model.ts";
import { invariant, ModelClient, type ModelWorker } from "./model-records.ts";

export class PeerChecks {
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  seeDirectory(snapshot: DirectorySnapshot): void {
    const announced = snapshot.flatMap(([service, workers]) => workers.map((worker) => `${service} ${worker}`));
    const known = [...this.#model.workers.values()].flatMap(({ id, services }) => {
      return Array.from(services, (service) => `${service} ${id}`);
    });
    invariant(announced.sort().join() === known.sort().join(), `the broker announced ${announced}, not ${known}`);
  }

  seeWorkerUp(id: PeerId, service: ServiceName): void {
    invariant(this.#model.workers.get(id)?.services.has(service) === true, `${id} is up without a READY`);
  }

  /** @returns the worker that is gone, with the last of its services */
  seeWorkerDown(id: PeerId, service: ServiceName): ModelWorker | undefined {
    const worker = this.#model.workers.get(id);
    invariant(worker?.services.delete(service) === true, `${id} went down twice`);
    this.#model.names.withdraw(service);
    if (worker === undefined || worker.services.size > 0) return undefined;
    this.#model.workers.delete(id);
    return worker;
  }

  /** A client that left with persistent requests open is the same client again; any other is new. */
  seeClientUp(id: PeerId): void {
    const { clients, away } = this.#model;
    invariant(!clients.has(id), `${id} came up twice`);
    const known = away.get(id);
    if (known !== undefined) known.reconnectedAt = this.#model.now;
    clients.set(id, known ?? new ModelClient(id));
    away.delete(id);
  }

  /** @returns the client that is gone */
  seeClientDown(id: PeerId): ModelClient | undefined {
    const { clients, away } = this.#model;
    const client = clients.get(id);
    invariant(client !== undefined, `${id} went down twice`);
    if (client === undefined) return undefined;
    for (const request of client.open.values()) if (!request.options.persist) this.#model.close(request);
    clients.delete(id);
    client.capabilities = NO_CAPABILITIES;
    if (client.open.size > 0) away.set(id, client);
    return client;
  }

  seeHeartbeat(to: PeerId, { accepted }: ToClient & { readonly type: "heartbeat" }): void {
    const { input, clients } = this.#model;
    const received = input.type === "from-client" && input.from === to ? input.message.type : undefined;
    const isReceiving = input.type === "receiving" && input.from === to;
    invariant(
      received === "heartbeat" || received === "request-heartbeat" || isReceiving,
      `${to} got a heartbeat without sending one`,
    );
    const client = clients.get(to);
    if (accepted && client) client.capabilities = accepted;
  }

  seeRequestHeartbeat(to: PeerId, id: RequestId): void {
    const client = this.#model.clients.get(to);
    invariant(client?.capabilities.requestHeartbeat === true, `${to} got a heartbeat that it did not negotiate`);
    invariant(this.#isRequestHeartbeatDue(client, id), `${to} got a heartbeat for ${id}`);
  }

  seeNotice(to: PeerId, message: ToClient & { readonly type: "notice" }): void {
    const { arriving, clients } = this.#model;
    const request =
      this.#model.find(to, message.requestId) ?? (arriving?.id === message.requestId ? arriving : undefined);
    const isWanted = request?.options.notices === true && clients.get(to)?.capabilities.notice === true;
    invariant(isWanted, `${to} got ${toClientLine(message)}, which it did not ask for`);
    invariant(request?.holder?.id === message.worker, `${to} got ${toClientLine(message)}, which is wrong`);
    invariant(
      (message.state !== "dispatched") === (message.worker === undefined),
      `${toClientLine(message)} is not a valid notice`,
    );
  }

  /** A heartbeat for this open request came, so its client may get one. */
  #isRequestHeartbeatDue(client: ModelClient | undefined, id: RequestId): boolean {
    const { input } = this.#model;
    if (client === undefined || !client.open.has(id)) return false;
    if (input.type === "from-client") return input.from === client.id && input.message.type === "request-heartbeat";
    return input.type === "from-worker" && input.message.type === "request-heartbeat";
  }
}
