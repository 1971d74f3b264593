// What the links did not take, or took and lost: who has to be told, so that no reply has a gap and no request is waited for in vain.

import { display, type Instant } from "@pigato/protocol";
import type { Clients } from "./clients.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Input } from "./effects.ts";
import type { Outbox } from "./outbox.ts";
import { AT_CLIENT } from "./records.ts";
import type { Requests } from "./requests.ts";
import type { Workers } from "./workers.ts";

type UndeliveredInput = Input & {
  readonly type: "undelivered-to-client" | "request-undelivered" | "credit-undelivered";
};

export class Undelivered {
  readonly #clients: Clients;
  readonly #workers: Workers;
  readonly #dispatcher: Dispatcher;
  readonly #requests: Requests;
  readonly #outbox: Outbox;

  constructor(clients: Clients, workers: Workers, dispatcher: Dispatcher, requests: Requests, outbox: Outbox) {
    this.#clients = clients;
    this.#workers = workers;
    this.#dispatcher = dispatcher;
    this.#requests = requests;
    this.#outbox = outbox;
  }

  handle(input: UndeliveredInput, now: Instant): void {
    switch (input.type) {
      case "undelivered-to-client":
        return this.#toClient(input, now);
      case "request-undelivered":
        return this.#request(input);
      case "credit-undelivered":
        return this.#credit(input);
      default:
        input satisfies never;
    }
  }

  #toClient({ to, message, reason }: Input & { readonly type: "undelivered-to-client" }, now: Instant): void {
    const client = this.#clients.get(to);
    if (client === undefined) return;
    if (reason === "unreachable") return this.#clients.lose(client, "gone", now);
    switch (message.type) {
      case "partial":
      case "partials": {
        const request = client.requests.get(message.requestId);
        // Its id may be that of a newer request by now.
        if (!request?.hasPartial) return;
        // Its end was refused as well, and is told next.
        if (request.place === AT_CLIENT) return;
        return this.#requests.fail(request, "BUSY", "lost a part of its reply: the client reads too slowly");
      }
      case "final":
        return this.#outbox.toClient(client, {
          type: "failure",
          requestId: message.requestId,
          failure: {
            code: "BUSY",
            message: `request ${display(message.requestId)} lost its reply: the client reads too slowly`,
            delivery: "maybe-executed",
          },
        });
      case "failure":
        // Not even that its requests ended can be told: nothing that it still waits for will come.
        return this.#clients.lose(client, "congested", now);
      default:
        return this.#outbox.reportDrop(to, "undelivered");
    }
  }

  #request({ to, address, reason }: Input & { readonly type: "request-undelivered" }): void {
    const worker = this.#workers.get(to);
    const request = worker && this.#dispatcher.heldUnder(address, worker);
    if (worker === undefined || request === undefined) return;
    if (reason === "unreachable") this.#workers.onUnreachable(request, worker);
    else this.#workers.onCongested(request, worker);
  }

  /** Without it the rest of the reply might never come, and nobody would know why. */
  #credit({ to, address }: Input & { readonly type: "credit-undelivered" }): void {
    const worker = this.#workers.get(to);
    const request = worker && this.#dispatcher.heldUnder(address, worker);
    // One that it never got either goes to another.
    if (request === undefined || request.isReceived === false) return;
    this.#requests.fail(request, "BUSY", "cannot go on: its worker reads too slowly to be told so");
  }
}
