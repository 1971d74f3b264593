// What a worker may say, and what follows from it: READY first, then heartbeats and replies for requests it holds.

import {
  type Capabilities,
  type Frame,
  type FromWorker,
  type Instant,
  NO_CAPABILITIES,
  type PeerId,
  type RequestId,
  type ServiceName,
  sharedCapabilities,
  type ToClient,
} from "@pigato/protocol";
import type { Announcements } from "./announcements.ts";
import type { Clients } from "./clients.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { DialectId, DropReason } from "./effects.ts";
import { isMmi } from "./mmi.ts";
import { ADDRESS_MARK } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { refusalOfPartial } from "./partials.ts";
import type { Request, Worker } from "./records.ts";
import type { ReplyCache } from "./reply-cache.ts";
import type { Requests } from "./requests.ts";
import type { Workers } from "./workers.ts";

/** The most requests that a worker may hold if one is to be found without our address token: all are looked at. */
const MAX_LOOKUP = 1_000;

type PartialsMessage = FromWorker & { readonly type: "partials" };
type PartMessage = FromWorker & { readonly type: "partial" | "final" };

/** What a registered worker says of one request. */
type AboutRequest = Exclude<FromWorker, { readonly type: "ready" | "heartbeat" | "disconnect" }>;

export class WorkerMessages {
  readonly #own: Capabilities;
  readonly #clients: Clients;
  readonly #workers: Workers;
  readonly #requests: Requests;
  readonly #dispatcher: Dispatcher;
  readonly #cache: ReplyCache;
  readonly #announcements: Announcements;
  readonly #outbox: Outbox;
  #isClosing = false;

  /** @param own what this broker can do beyond the classic wire */
  constructor(
    own: Capabilities,
    clients: Clients,
    workers: Workers,
    requests: Requests,
    dispatcher: Dispatcher,
    cache: ReplyCache,
    announcements: Announcements,
    outbox: Outbox,
  ) {
    this.#own = own;
    this.#clients = clients;
    this.#workers = workers;
    this.#requests = requests;
    this.#dispatcher = dispatcher;
    this.#cache = cache;
    this.#announcements = announcements;
    this.#outbox = outbox;
  }

  /** From now on no worker is registered: the broker is about to stop. */
  refuseWorkers(): void {
    this.#isClosing = true;
  }

  handle(from: PeerId, message: FromWorker, dialect: DialectId, now: Instant): void {
    const worker = this.#workers.get(from);
    if (worker === undefined) return this.#onUnregistered(from, message, dialect, now);
    if (worker.dialect !== dialect) return this.#outbox.reportDrop(from, "other-dialect");
    switch (message.type) {
      case "ready":
        // P-READY-3, D-MDP-8.
        if (worker.traits.dropsInvalid) return this.#workers.disconnect(worker, "violation");
        return this.#outbox.reportDrop(from, "already-registered");
      case "heartbeat":
        this.#workers.onHeartbeat(worker, message.concurrency, now);
        if (message.update && isCoreService(worker)) this.#announcements.noteChange();
        return this.#outbox.toWorker(worker, { type: "heartbeat" });
      case "disconnect":
        return this.#workers.lose(worker, "left");
      default:
        // Heard only then: it cannot speak of a request that is given to it because it is heard.
        this.#onReply(worker, message, now);
        return this.#workers.onHeard(worker, now);
    }
  }

  #onReply(worker: Worker, message: AboutRequest, now: Instant): void {
    const { address, requestId } = message;
    const request = address.startsWith(ADDRESS_MARK)
      ? this.#dispatcher.heldUnder(address, worker)
      : heldByIdAlone(worker, requestId);
    if (request === undefined) {
      this.#outbox.reportDrop(worker.id, "not-held", message.requestId);
      return this.#workers.onLate(worker, message);
    }
    // Whatever the link says.
    request.isReceived = true;
    switch (message.type) {
      case "partial":
        this.#onPartial(request, message, now, false);
        return;
      case "partials":
        return this.#onPartials(request, message, now);
      case "final":
        this.#cache.onFinal(request, message, now);
        if (request.options.persist) return this.#requests.answers.onEnd(request, replyTo(request, message));
        this.#outbox.toClient(request.client, replyTo(request, message));
        return this.#requests.finish(request);
      case "reject":
        return this.#requests.decline(request, worker);
      case "request-heartbeat":
        return this.#onRequestHeartbeat(request);
      case "credit":
      case "input":
      case "input-end":
        return this.#outbox.reportDrop(worker.id, "unsupported", message.requestId);
      default:
        message satisfies never;
    }
  }

  /** @returns whether it went out */
  #onPartial(
    request: Request,
    message: FromWorker & { readonly type: "partial" },
    now: Instant,
    isContinuation: boolean,
  ): boolean {
    this.#requests.restartTimeout(request, now);
    if (request.options.persist && this.#requests.answers.holds(request)) {
      this.#holdPartial(request, message);
      return false;
    }
    const refusal = refusalOfPartial(request.client, message.body, message.isRaw ?? false);
    if (refusal !== undefined) {
      this.#cache.onSkipped(request);
      // The client does not know that it was sent, and will never grant another for it.
      this.#requests.regrant(request);
      this.#outbox.reportDrop(request.client.id, refusal, request.id);
      return false;
    }
    this.#cache.onPartial(request, message);
    request.hasPartial = true;
    this.#outbox.toClient(request.client, replyTo(request, message), isContinuation);
    return true;
  }

  /** P-REP-9: for a client that does not know them, as many messages as there are parts. */
  #onPartials(request: Request, message: PartialsMessage, now: Instant): void {
    const { client, id } = request;
    const { chunks, options } = message;
    const isHeld = request.options.persist && this.#requests.answers.holds(request);
    if (isHeld || !client.capabilities.partials) {
      let isContinuation = false;
      for (const chunk of chunks) {
        if (this.#onPartial(request, partialOf(message, chunk), now, isContinuation)) isContinuation = true;
      }
      return;
    }
    this.#requests.restartTimeout(request, now);
    if (this.#cache.mayCollect(message)) {
      for (const chunk of chunks) {
        this.#cache.onPartial(request, partialOf(message, chunk));
        request.hasPartial = true;
      }
    }
    request.hasPartial = true;
    this.#outbox.toClient(client, { type: "partials", requestId: id, chunks, options });
  }

  /** P-KEEP-3: whether its client takes such a part is known when it is back. */
  #holdPartial(request: Request, message: FromWorker & { readonly type: "partial" }): void {
    this.#cache.onPartial(request, message);
    request.hasPartial = true;
    this.#requests.answers.onPartial(request, replyTo(request, message));
  }

  /** P-HB-7: it says nothing about the timeout, which counts the time without any part of a reply. */
  #onRequestHeartbeat({ client, id }: Request): void {
    if (client.capabilities.requestHeartbeat) {
      this.#outbox.toClient(client, { type: "request-heartbeat", requestId: id });
    }
  }

  /** P-DISC-4: whatever comes before READY is answered by a DISCONNECT, except a DISCONNECT. */
  #onUnregistered(from: PeerId, message: FromWorker, dialect: DialectId, now: Instant): void {
    if (message.type === "disconnect") return;
    if (message.type !== "ready" || this.#isClosing) {
      return this.#outbox.toStranger(from, { type: "disconnect" }, dialect);
    }
    const refused = this.#refusal(from, message.service, dialect);
    if (refused !== undefined) {
      this.#outbox.reportDrop(from, refused);
      return this.#outbox.toStranger(from, { type: "disconnect" }, dialect);
    }
    const accepted = message.offer && sharedCapabilities(this.#own, message.offer);
    this.#outbox.toStranger(from, { type: "ready", accepted }, dialect);
    this.#workers.register(from, dialect, message.service, message.offer, accepted ?? NO_CAPABILITIES, now);
  }

  #refusal(from: PeerId, service: ServiceName, dialect: DialectId): DropReason | undefined {
    if (this.#workers.isFull) return "too-many-workers";
    if (isMmi(service)) return "reserved-name";
    // D-DET-1: as with a client.
    const client = this.#clients.get(from);
    return client === undefined || client.dialect === dialect ? undefined : "other-dialect";
  }
}

/** P-DIR-2: core services, whose names start so, may ask to be told again. */
function isCoreService(worker: Worker): boolean {
  return worker.service.name.startsWith("$");
}

/**
 * P-ADDR-2: a worker echoes our address token. One that makes up something else, without our mark, is looked up by the
 * request id among the requests it holds. If those of two clients have that id, it is nobody's: a reply must not reach
 * the wrong one.
 */
function heldByIdAlone(worker: Worker, requestId: RequestId): Request | undefined {
  if (worker.inFlight.size > MAX_LOOKUP) return undefined;
  let found: Request | undefined;
  for (const request of worker.inFlight) {
    if (request.id !== requestId) continue;
    if (found !== undefined) return undefined;
    found = request;
  }
  return found;
}

function partialOf(message: PartialsMessage, chunk: Frame): FromWorker & { readonly type: "partial" } {
  const { address, requestId, options, cacheMs } = message;
  const partial = { type: "partial" as const, address, requestId, status: 0, body: [chunk], trailer: [options] };
  return cacheMs === undefined ? partial : { ...partial, cacheMs };
}

function replyTo(request: Request, message: PartMessage): ToClient & { readonly type: "partial" | "final" } {
  const { type, status, body, isRaw, trailer } = message;
  return { type, requestId: request.id, service: request.name, status, body, isRaw: isRaw ?? false, trailer };
}
