// A broker that does not let everybody in, who may come in, and what is told of the others.

import {
  type AskingPeer,
  Broker,
  type BrokerOptions,
  type ConnectionRefused,
  type CurveKeyPair,
  newCurveKeyPair,
  type Side,
  type Sides,
} from "@pigato/broker";
import type { CurveOptions } from "@pigato/client";
import { Inbox } from "@pigato/testkit";
import { Worker } from "@pigato/worker";

export const LOOPBACK = "tcp://127.0.0.1:*";

/** What may be told of another mechanism than ours: that it is another, or if its end sees so first, that it left. */
export const MISMATCH: readonly string[] = ["INCOMPATIBLE", "HANDSHAKE_FAILED"];

/** A broker under test with what it told. */
export interface Guarded {
  readonly broker: Broker;
  readonly address: string;
  readonly refused: Inbox<ConnectionRefused>;
}

/** Starts brokers and workers, and stops all that was given to it, the latest first. */
export class Stage {
  readonly #closers: (() => unknown)[] = [];

  async broker(options: BrokerOptions, where: Side | Sides = LOOPBACK): Promise<Guarded> {
    const broker = new Broker(where, { stopTimeoutMs: 0, ...options });
    this.onClose(() => broker.stop());
    const refused = new Inbox<ConnectionRefused>();
    broker.on("connection:refused", (event) => refused.add(event));
    await broker.start();
    return { broker, address: broker.addresses[0] ?? "", refused };
  }

  /** A worker of `echo` that is there. @returns the data of every request that reached it */
  async echo(address: string, options: ConstructorParameters<typeof Worker>[2]): Promise<unknown[]> {
    const worker = new Worker(address, "echo", options);
    this.onClose(() => worker.stop());
    const asked: unknown[] = [];
    worker.on("request", (data, reply) => {
      asked.push(data);
      reply.end(data);
    });
    await worker.start();
    return asked;
  }

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

interface RawKeys {
  readonly curveServerKey: string;
  readonly curvePublicKey: string;
  readonly curveSecretKey: string;
}

/** Keys for everybody. */
export class Keys {
  readonly server: CurveKeyPair = newCurveKeyPair();
  readonly client: CurveKeyPair = newCurveKeyPair();
  readonly worker: CurveKeyPair = newCurveKeyPair();
  readonly stranger: CurveKeyPair = newCurveKeyPair();

  /** What a client or a worker with this pair is made with. */
  curve(own: CurveKeyPair, serverKey: string = this.server.publicKey): CurveOptions {
    return { serverKey, publicKey: own.publicKey, secretKey: own.secretKey };
  }

  /** The same for pyzmq. */
  python(own: CurveKeyPair, serverKey: string = this.server.publicKey): Readonly<Record<string, string>> {
    return { curve_serverkey: serverKey, curve_publickey: own.publicKey, curve_secretkey: own.secretKey };
  }

  /** The same for the package `zeromq`. */
  raw(own: CurveKeyPair, serverKey: string = this.server.publicKey): RawKeys {
    return { curveServerKey: serverKey, curvePublicKey: own.publicKey, curveSecretKey: own.secretKey };
  }

  /** Lets in the client and the worker. */
  readonly isKnown = (peer: AskingPeer): boolean =>
    peer.mechanism === "CURVE" && [this.client.publicKey, this.worker.publicKey].includes(peer.publicKey);
}
