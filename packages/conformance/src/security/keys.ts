// The keys of the brokers and peers in these suites, in the form that each library takes.

import { type AuthRequest, type CurveKeyPair, newCurveKeyPair } from "@pigato/broker";
import type { CurveOptions } from "@pigato/client";
import type { WorkerOptions } from "@pigato/worker";
import { startWorker } from "../support/start.ts";

/** What a broker may report of a peer with another mechanism: that it is another, or that the peer left. */
export const MISMATCH: readonly string[] = ["INCOMPATIBLE", "HANDSHAKE_FAILED"];

/** A worker that echoes, until the current test has finished. @returns the data of every request that reached it */
export async function startEcho(address: string, options: WorkerOptions): Promise<unknown[]> {
  const received: unknown[] = [];
  await startWorker(
    address,
    "echo",
    (data, reply) => {
      received.push(data);
      reply.end(data);
    },
    options,
  );
  return received;
}

interface RawKeys {
  readonly curveServerKey: string;
  readonly curvePublicKey: string;
  readonly curveSecretKey: string;
}

/** Keys of the broker and of every peer. */
export class Keys {
  readonly server: CurveKeyPair = newCurveKeyPair();
  readonly client: CurveKeyPair = newCurveKeyPair();
  readonly worker: CurveKeyPair = newCurveKeyPair();
  readonly unknown: CurveKeyPair = newCurveKeyPair();

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

  /** Authorizes the client and the worker. */
  readonly isKnown = (peer: AuthRequest): boolean =>
    peer.mechanism === "CURVE" && [this.client.publicKey, this.worker.publicKey].includes(peer.publicKey);
}
