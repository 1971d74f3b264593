// What becomes of messages that break a rule, or come to an entrance that is not for them: they are reported, and their sender is
// answered if it can be.

import { display, type Instant, type PeerId, type RequestId, type Violation, violation } from "@pigato/protocol";
import type { ClientMessages } from "./client-messages.ts";
import type { Clients } from "./clients.ts";
import { type CoreOptions, traitsOf } from "./core-options.ts";
import type { DialectId, Input } from "./effects.ts";
import type { Outbox } from "./outbox.ts";
import type { Workers } from "./workers.ts";

export class Refusals {
  readonly #options: CoreOptions;
  readonly #clients: Clients;
  readonly #workers: Workers;
  readonly #clientMessages: ClientMessages;
  readonly #outbox: Outbox;

  constructor(
    options: CoreOptions,
    clients: Clients,
    workers: Workers,
    clientMessages: ClientMessages,
    outbox: Outbox,
  ) {
    this.#options = options;
    this.#clients = clients;
    this.#workers = workers;
    this.#clientMessages = clientMessages;
    this.#outbox = outbox;
  }

  onViolation({ from, role, dialect, violation }: Input & { readonly type: "violation" }): void {
    this.#outbox.report({ type: "violation", peer: from, role, violation });
    if (dialect === undefined) {
      // D-MDP-9: nothing that its dialect knows. A PIGATO worker stays.
      const worker = this.#workers.get(from);
      return worker?.traits.dropsInvalid ? this.#workers.onViolation(worker) : undefined;
    }
    if (role === "worker") {
      const worker = this.#workers.get(from);
      if (worker !== undefined) return this.#workers.onViolation(worker);
      return traitsOf(this.#options, dialect).dropsInvalid
        ? undefined
        : this.#outbox.toStranger(from, { type: "disconnect" }, dialect);
    }
    if (violation.requestId !== undefined) this.#refuse(from, violation.requestId, dialect, violation);
  }

  /** D-ROLE-1: a client at the backend has its request refused, a worker at the frontend is turned away. */
  onWrongSide(input: Input & { readonly type: "client-at-backend" | "worker-at-frontend" }, now: Instant): void {
    const { from, message, dialect } = input;
    // A worker's process may speak for it from a socket of its own (P-HB-5).
    if (message.type === "worker-heartbeat") return this.#clientMessages.handle(from, message, dialect, now);
    const isClient = input.type === "client-at-backend";
    const detail = isClient ? "a client spoke at the backend" : "a worker spoke at the frontend";
    const refusal = violation("D-ROLE-1", detail);
    this.#outbox.report({ type: "violation", peer: from, role: isClient ? "client" : "worker", violation: refusal });
    if (message.type === "request") this.#refuse(from, message.requestId, dialect, refusal);
    // A DISCONNECT is never answered by one (P-DISC-3).
    if (!isClient && message.type !== "disconnect") this.#outbox.toStranger(from, { type: "disconnect" }, dialect);
  }

  #refuse(from: PeerId, requestId: RequestId, dialect: DialectId, { detail, clause }: Violation): void {
    const client = this.#clients.record(from, dialect) ?? this.#clients.stranger(from, dialect);
    // An answer under the id of a request that is open would end that one.
    if (client.requests.has(requestId)) return;
    this.#outbox.toClient(client, {
      type: "failure",
      requestId,
      failure: {
        code: "INVALID",
        message: `request ${display(requestId)} was refused: ${detail}`,
        delivery: "not-sent",
        detail: clause,
      },
    });
  }
}
