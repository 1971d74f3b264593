// The instances that the subject program can hold, and the tasks of each. Every transport has a task that makes a link fail.

import { Broker, MemoryStore, type StoredRequest } from "@pigato/broker";
import { Client } from "@pigato/client";
import { CoreService } from "@pigato/core-service";
import { Directory } from "@pigato/directory";
import type { Tasks } from "@pigato/testkit/serve";
import { automatic, LinkError, type Transport } from "@pigato/transport";
import { type Reply, Worker } from "@pigato/worker";
import PIGATO from "pigato";

export interface SubjectSettings {
  readonly kind: keyof typeof SUBJECTS;
  readonly address: string;
  /** The internal channel of the broker. */
  readonly intch: string;
  /** The service of a worker, whose requests it echoes. */
  readonly service: string;
  /** The events whose listeners throw. */
  readonly events: readonly string[];
}

interface Subject {
  readonly emitter: { on(event: string, listener: () => void): unknown };
  readonly tasks: Tasks;
}

/** The service whose requests the store rejects. */
export const UNSTORABLE = "unstorable";

const RECONNECT_MS = 20;

export function holdSubject(settings: SubjectSettings): Subject {
  return SUBJECTS[settings.kind](settings);
}

const SUBJECTS = {
  broker: ({ address }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const store = new FailingStore();
    void store.set("1", STORED);
    const broker = new Broker(address, { transport, store, stopTimeoutMs: 0 });
    return { emitter: broker, tasks: { start: () => broker.start(), stop: () => broker.stop(), fail } };
  },
  worker: ({ address, service }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const worker = new Worker(address, service, { transport, reconnect: RECONNECT_MS, stopTimeoutMs: 0 });
    worker.on("request", echo);
    return { emitter: worker, tasks: { start: () => worker.start(), stop: () => worker.stop(), fail } };
  },
  client: ({ address }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const client = new Client(address, { transport, reconnect: RECONNECT_MS, stopTimeoutMs: 0 });
    const call = (service: unknown): Promise<unknown> => client.call(String(service), "hi", { timeout: 10_000 });
    return { emitter: client, tasks: { start: () => client.start(), stop: () => client.stop(), fail, call } };
  },
  /** The events of the service. */
  coreService: (settings: SubjectSettings): Subject => {
    const { service, fail } = newCoreService(settings);
    return { emitter: service, tasks: { start: () => service.start(), stop: () => service.stop(), fail } };
  },
  /** The events of its worker. */
  coreServiceWorker: (settings: SubjectSettings): Subject => {
    const { service, fail } = newCoreService(settings);
    return { emitter: service.worker, tasks: { start: () => service.start(), stop: () => service.stop(), fail } };
  },
  directoryWorker: ({ address, intch }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const directory = new Directory(address, { intch, transport, reconnect: RECONNECT_MS, stopTimeoutMs: 0 });
    return { emitter: directory.worker, tasks: { start: () => directory.start(), stop: () => directory.stop(), fail } };
  },
  classicBroker: ({ address }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const broker = new PIGATO.Broker(address, { transport });
    return {
      emitter: broker,
      tasks: {
        start: () => new Promise<void>((resolve) => broker.start(() => resolve())),
        stop: () => new Promise<void>((resolve) => broker.stop(resolve)),
        fail,
      },
    };
  },
  classicWorker: ({ address, service }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const worker = new PIGATO.Worker(address, service, { transport, reconnect: RECONNECT_MS });
    worker.on("request", echo);
    return { emitter: worker, tasks: { start: () => worker.start(), stop: () => worker.stop(), fail } };
  },
  classicClient: ({ address }: SubjectSettings): Subject => {
    const { transport, fail } = failing();
    const client = new PIGATO.Client(address, { transport, reconnect: RECONNECT_MS });
    const call = (service: unknown): Promise<unknown> =>
      new Promise((resolve) =>
        client.request(String(service), "hi", undefined, (_error, value) => resolve(value), { timeout: 10_000 }),
      );
    return { emitter: client, tasks: { start: () => client.start(), stop: () => client.stop(), fail, call } };
  },
};

function newCoreService({ address, intch, service }: SubjectSettings) {
  const { transport, fail } = failing();
  const options = { intch, transport, reconnect: RECONNECT_MS, stopTimeoutMs: 0, onRequest: echo };
  return { service: new CoreService(address, service, options), fail };
}

/** Echoes; throws for the data "throw". */
const echo = (data: unknown, reply: Reply): void => {
  if (data === "throw") throw new Error("the handler throws");
  reply.end(data);
};

/** A transport whose newest router or dealer can be made to fail. */
function failing(): { transport: Transport; fail: () => void } {
  let onError: (error: LinkError) => void = () => {};
  const transport: Transport = {
    ...automatic,
    router: (handlers, options) => {
      onError = (error) => handlers.onError?.(error);
      return automatic.router(handlers, options);
    },
    dealer: (handlers, options) => {
      onError = (error) => handlers.onError?.(error);
      return automatic.dealer(handlers, options);
    },
  };
  return { transport, fail: () => onError(new LinkError("REFUSED", "failed on purpose")) };
}

class FailingStore extends MemoryStore {
  override async set(key: string, request: StoredRequest): Promise<void> {
    if (request.service === UNSTORABLE) throw new Error("rejected on purpose");
    await super.set(key, request);
  }
}

const STORED: StoredRequest = {
  version: 1,
  client: "away",
  requestId: "stored",
  service: "later",
  body: [new TextEncoder().encode('"data"')],
  trailer: [new TextEncoder().encode("{}")],
  timeoutMs: null,
  retry: false,
  worker: null,
};
