// Streamed input (P-STREAM-7 to P-STREAM-10): a worker gets exactly what the client of its request sent with credit, in order; a
// client gets exactly what that worker granted; and a client that breaks the rules loses its request.

import type { FromClient, FromWorker, PeerId, ToClient, ToWorker } from "@pigato/protocol";
import { addCredit, MAX_CREDIT } from "@pigato/protocol/internal";
import { toClientLine, toWorkerLine } from "./lines.ts";
import type { Model } from "./model.ts";
import { invariant, type ModelRequest, type ModelWorker } from "./model-records.ts";

export class InputChecks {
  readonly #model: Model;
  /** The messages that a worker or a client must get before the current input ends, in order. */
  #owed: string[] = [];
  /** The request whose client broke the rules with the current input. */
  #faulty: ModelRequest | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  before(): void {
    this.#owed = [];
    this.#faulty = undefined;
  }

  beforeInput(from: PeerId, message: FromClient & { readonly type: "input" | "input-end" }): void {
    const request = this.#model.find(from, message.requestId);
    const input = request?.input;
    if (request === undefined || input === undefined || !this.#model.clients.get(from)?.capabilities.duplex) return;
    const chunks = message.type === "input" ? message.chunks.length : 0;
    if (input.hasEnded || !input.isGranted || chunks > input.credit) {
      this.#faulty = request;
      return;
    }
    if (input.credit !== MAX_CREDIT) input.credit -= chunks;
    input.hasEnded = message.type === "input-end";
    request.deadlineAt = this.#model.now + request.options.timeoutMs;
    const { address, holder } = request;
    this.#owed.push(`${holder?.id}: ${toWorkerLine({ ...message, address })}`);
  }

  beforeGrant(worker: ModelWorker | undefined, message: FromWorker & { readonly type: "credit" }): void {
    const request = this.#model.heldUnder(worker, message);
    if (request?.input === undefined || !worker?.takesInput || message.chunks === 0) return;
    request.input.isGranted = true;
    request.input.credit = addCredit(request.input.credit, message.chunks);
    request.deadlineAt = this.#model.now + request.options.timeoutMs;
    const grant = { type: "credit", requestId: request.id, chunks: message.chunks } as const;
    this.#owed.push(`${request.client}: ${toClientLine(grant)}`);
  }

  seeInput(to: PeerId, message: ToWorker & { readonly type: "input" | "input-end" }): void {
    this.#settle(`${to}: ${toWorkerLine(message)}`);
  }

  seeGrant(to: PeerId, message: ToClient & { readonly type: "credit" }): void {
    this.#settle(`${to}: ${toClientLine(message)}`);
  }

  after(): void {
    invariant(this.#owed.length === 0, `${this.#owed[0]} is missing`);
    const faulty = this.#faulty;
    const isOpen = faulty !== undefined && this.#model.find(faulty.client, faulty.id) === faulty;
    invariant(!isOpen, `${faulty?.id} is open although its client broke the rules of input`);
  }

  #settle(line: string): void {
    invariant(this.#owed.shift() === line, `${line} was sent and not due`);
  }
}
