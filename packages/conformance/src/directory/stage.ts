// A broker on a free port, a directory, and peers that are stopped when the test is over.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Directory } from "@pigato/directory";
import { type RequestHandler, Worker, type WorkerOptions } from "@pigato/worker";

export class Stage {
  readonly broker: Broker = new Broker("tcp://127.0.0.1:*", { heartbeat: 200 });
  readonly #started: { stop(): Promise<void> }[] = [];

  async open(): Promise<void> {
    await this.broker.start();
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((peer) => peer.stop()));
    await this.broker.stop();
  }

  get address(): string {
    return this.broker.addresses[0] ?? "";
  }

  get channel(): string {
    return String(this.broker.conf.intch);
  }

  async directory(): Promise<Directory> {
    const directory = new Directory(this.address, { intch: this.channel });
    this.#started.push(directory);
    await directory.start();
    return directory;
  }

  async worker(service: string, handle: RequestHandler, options: WorkerOptions = {}): Promise<Worker> {
    const worker = new Worker(this.address, service, { heartbeat: 200, ...options });
    this.#started.push(worker);
    worker.on("request", handle);
    await worker.start();
    return worker;
  }

  async client(): Promise<Client> {
    const client = new Client(this.address);
    this.#started.push(client);
    await client.start();
    return client;
  }
}

/** Asks until the answer is as wanted; the test's own timeout ends it if it never is. */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
  }
}
