// Keeps a number of requests in flight for a while and counts the replies. Hot while it runs: it allocates nothing per
// request. It checks every reply, so that no peer can cheat.

import { type Case, requestOf } from "./cases.ts";
import { BODY, type ClientConnection, type Done } from "./peer.ts";

export interface Burst {
  /** Requests, or partials of streams. */
  readonly count: number;
  readonly seconds: number;
  /** Partials that did not arrive although their stream ended well. */
  readonly lost: number;
}

/** @returns rejects with the first failure of a request, or if a reply is not what was sent */
export function burst(connections: readonly ClientConnection[], measured: Case, durationMs: number): Promise<Burst> {
  switch (measured.kind) {
    case "calls":
      return calls(connections, measured, durationMs);
    case "uploads":
      return uploads(connections, measured, durationMs);
    case "bytes":
      return calls(connections, measured, durationMs);
    case "partials":
      return streams(connections, measured, durationMs, (partial) => typeof partial === "number");
    case "chunks":
      return streams(
        connections,
        measured,
        durationMs,
        (chunk) => chunk instanceof Uint8Array && chunk.length === 64 * 1024,
      );
    default:
      return measured.kind satisfies never;
  }
}

function calls(connections: readonly ClientConnection[], measured: Case, durationMs: number): Promise<Burst> {
  const request = requestOf(measured);
  const length = request.text?.length ?? 0;
  const isBytes = measured.kind === "bytes";
  const send = (connection: ClientConnection, done: Done): void =>
    isBytes ? connection.callBytes?.(BODY, done) : connection.call(request, done);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let pending = measured.inFlight;
    let count = 0;
    for (let slot = 0; slot < measured.inFlight; slot++) {
      const connection = connections[slot % connections.length];
      if (connection === undefined) throw new Error("there is no connection");
      const done: Done = (error, reply) => {
        if (error) return reject(error);
        const isExpected = isBytes
          ? reply instanceof Uint8Array && reply.length === BODY.length
          : isEcho(reply, length);
        if (!isExpected) return reject(new Error(`unexpected reply: ${JSON.stringify(reply).slice(0, 200)}`));
        count += 1;
        const elapsedMs = performance.now() - start;
        if (elapsedMs < durationMs) return send(connection, done);
        pending -= 1;
        if (pending === 0) resolve({ count, seconds: elapsedMs / 1000, lost: 0 });
      };
      send(connection, done);
    }
  });
}

function streams(
  [connection]: readonly ClientConnection[],
  measured: Case,
  durationMs: number,
  isExpected: (partial: unknown) => boolean,
): Promise<Burst> {
  const request = requestOf(measured);
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let requested = 0;
    let count = 0;
    const onPartial = (partial: unknown) => {
      if (isExpected(partial)) count += 1;
    };
    const next = () => connection?.stream?.(request, onPartial, done);
    const done: Done = (error) => {
      requested += request.partials ?? 0;
      if (error) return reject(error);
      const elapsedMs = performance.now() - start;
      if (elapsedMs < durationMs) next();
      else resolve({ count, seconds: elapsedMs / 1000, lost: requested - count });
    };
    next();
  });
}

function uploads([connection]: readonly ClientConnection[], measured: Case, durationMs: number): Promise<Burst> {
  const request = requestOf(measured);
  const chunks = request.uploads ?? 0;
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let count = 0;
    const next = () => connection?.upload?.(request, done);
    const done: Done = (error, received) => {
      if (error) return reject(error);
      if (received !== chunks) return reject(new Error(`${received} of ${chunks} chunks arrived`));
      count += chunks;
      const elapsedMs = performance.now() - start;
      if (elapsedMs < durationMs) next();
      else resolve({ count, seconds: elapsedMs / 1000, lost: 0 });
    };
    next();
  });
}

function isEcho(reply: unknown, length: number): boolean {
  return (
    typeof reply === "object" &&
    reply !== null &&
    "text" in reply &&
    typeof reply.text === "string" &&
    reply.text.length === length
  );
}
