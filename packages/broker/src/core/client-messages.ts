// What a client may say, and what follows from it.

import {
  type Capabilities,
  display,
  type Failure,
  type FromClient,
  type Instant,
  type PeerId,
  type RequestId,
  requestId,
  sharedCapabilities,
} from "@pigato/protocol";
import type { Clients } from "./clients.ts";
import type { DialectId } from "./effects.ts";
import { askedAbout, isMmi, mmiAnswer } from "./mmi.ts";
import type { Outbox } from "./outbox.ts";
import type { Client } from "./records.ts";
import type { ReplyCache } from "./reply-cache.ts";
import type { Requests } from "./requests.ts";
import type { Services } from "./services.ts";
import type { Workers } from "./workers.ts";

type RequestMessage = FromClient & { readonly type: "request" };
type CreditMessage = FromClient & { readonly type: "credit" };

export class ClientMessages {
  readonly #own: Capabilities;
  readonly #clients: Clients;
  readonly #workers: Workers;
  readonly #services: Services;
  readonly #requests: Requests;
  readonly #cache: ReplyCache;
  readonly #outbox: Outbox;
  #isClosing = false;
  /** How many requests came without an id. */
  #unnamed = 0;

  /** @param own what this broker can do beyond the classic wire */
  constructor(
    own: Capabilities,
    clients: Clients,
    workers: Workers,
    services: Services,
    requests: Requests,
    cache: ReplyCache,
    outbox: Outbox,
  ) {
    this.#own = own;
    this.#services = services;
    this.#clients = clients;
    this.#workers = workers;
    this.#requests = requests;
    this.#cache = cache;
    this.#outbox = outbox;
  }

  /** From now on every new request is refused: the broker is about to stop. */
  refuseRequests(): void {
    this.#isClosing = true;
  }

  handle(from: PeerId, message: FromClient, dialect: DialectId, now: Instant): void {
    if (message.type === "worker-heartbeat") return this.#onWorkerVouchedFor(message.worker, now);
    // D-DET-1: a peer is held to the dialect of its first message, whatever its role was.
    const client = this.#clients.get(from) ?? this.#admit(from, dialect, now);
    if (client === undefined) return this.#refuseStranger(from, message, dialect);
    if (client.dialect !== dialect) return this.#outbox.reportDrop(from, "other-dialect");
    this.#clients.onHeard(client, now);
    switch (message.type) {
      case "request":
        return this.#onRequest(client, message, now);
      case "heartbeat":
        return this.#onClientHeartbeat(client, message.offer, now);
      case "request-heartbeat":
        return this.#onRequestHeartbeat(client, message.requestId);
      case "cancel": {
        const request = client.requests.get(message.requestId);
        if (request === undefined) return this.#outbox.reportDrop(from, "not-open", message.requestId);
        return this.#requests.cancel(request);
      }
      case "disconnect":
        return this.#clients.lose(client, "left", now);
      case "credit":
        return this.#onCredit(client, message, now);
      case "input":
      case "input-end":
        return this.#outbox.reportDrop(from, "unsupported", message.requestId);
      default:
        message satisfies never;
    }
  }

  #admit(from: PeerId, dialect: DialectId, now: Instant): Client | undefined {
    return this.#clients.require(from, this.#workers.get(from)?.dialect ?? dialect, now);
  }

  #onRequest(client: Client, asked: RequestMessage, now: Instant): void {
    const message = client.traits.hasRequestIds ? asked : this.#named(asked);
    if (client.requests.has(message.requestId)) {
      return this.#outbox.reportDrop(client.id, "duplicate-id", message.requestId);
    }
    if (this.#isClosing) {
      return this.#requests.refuse(client, message, "CLOSED", "came when the broker was about to stop");
    }
    if (isMmi(message.service)) return this.#answerMmi(client, message);
    const cached = this.#cache.find(message);
    if (cached !== undefined) return this.#requests.answer(client, message, cached);
    const { worker } = message.options;
    this.#requests.open(client, message, worker === undefined ? undefined : this.#workers.named(worker), now);
  }

  #answerMmi(client: Client, { service, requestId, body, isRaw = false }: RequestMessage): void {
    const about = askedAbout(service, body, isRaw);
    const code = about === undefined ? "501" : this.#services.hasWorker(about) ? "200" : "404";
    const answer = { type: "final", requestId, service, status: 0, body: mmiAnswer(code, isRaw), isRaw } as const;
    this.#outbox.toClient(client, { ...answer, trailer: [] });
  }

  /** Its dialect has no request ids: it gets one of ours. */
  #named(message: RequestMessage): RequestMessage {
    this.#unnamed += 1;
    return { ...message, requestId: requestId(`~${this.#unnamed}`) };
  }

  #onClientHeartbeat(client: Client, offer: Capabilities | undefined, now: Instant): void {
    const accepted = offer && sharedCapabilities(this.#own, offer);
    if (accepted) this.#clients.negotiate(client, accepted, offer.heartbeatMs, now);
    else this.#clients.onHeartbeat(client, now);
    this.#outbox.toClient(client, { type: "heartbeat", accepted });
  }

  /** P-HB-4: it keeps the request alive at its worker, and is answered like any heartbeat, or as P-HB-7 says. */
  #onRequestHeartbeat(client: Client, requestId: RequestId): void {
    const request = client.requests.get(requestId);
    const { requestHeartbeat } = client.capabilities;
    if (request === undefined) {
      this.#outbox.reportDrop(client.id, "not-open", requestId);
      if (requestHeartbeat)
        return this.#outbox.toClient(client, { type: "failure", requestId, failure: lost(requestId) });
    } else if (request.place.at === "worker") {
      const { worker } = request.place;
      this.#outbox.toWorker(worker, { type: "request-heartbeat", address: request.address, requestId });
      if (requestHeartbeat && worker.capabilities.requestHeartbeat) return;
    }
    if (requestHeartbeat) this.#outbox.toClient(client, { type: "request-heartbeat", requestId });
    else this.#outbox.toClient(client, { type: "heartbeat", accepted: undefined });
  }

  /** P-STREAM-5. */
  #onCredit(client: Client, { requestId, chunks }: CreditMessage, now: Instant): void {
    if (!client.capabilities.credit) return this.#outbox.reportDrop(client.id, "unsupported", requestId);
    const request = client.requests.get(requestId);
    if (request === undefined) return this.#outbox.reportDrop(client.id, "not-open", requestId);
    if (chunks === 0 || !request.isPaced) return this.#outbox.reportDrop(client.id, "void-credit", requestId);
    this.#requests.grant(request, chunks, now);
  }

  /** P-HB-5: a process speaks for one of its workers. Not answered: the socket it comes from is never read. */
  #onWorkerVouchedFor(id: PeerId, now: Instant): void {
    const worker = this.#workers.named(id);
    if (worker !== undefined) this.#workers.onHeard(worker, now);
  }

  #refuseStranger(from: PeerId, message: FromClient, dialect: DialectId): void {
    if (message.type !== "request") return;
    this.#requests.refuse(
      this.#clients.stranger(from, dialect),
      message,
      "BUSY",
      "came when the broker knew its most clients",
    );
  }
}

/** Of a request that its client holds for open and that was given up here, as those of a client that fell silent are. */
function lost(requestId: RequestId): Failure {
  const message = `request ${display(requestId)} is not known to the broker any more`;
  return { code: "BROKER_LOST", message, delivery: "maybe-executed" };
}
