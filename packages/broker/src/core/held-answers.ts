// Answers to stored requests, until their clients have them. The request stays open for so long: its id is taken, its
// timeout runs, and the store keeps it. Decided here: what is held, when it goes out, and what goes when there is no room.
//
// An answer goes out whole and in order, or as one failure that says why not. It has gone out when its client's connection
// took it, which the shell tells behind whatever was refused. A client that is back is given time to ask again first: what
// it asks again is not run again while the answer is here.

import type { Deadlines, FailureCode, Instant } from "@pigato/protocol";
import { Answer, type AnswerMessage, Answers, HeldForClient, type Loss } from "./answers.ts";
import type { CoreOptions } from "./core-options.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { describe } from "./failures.ts";
import type { OpenRequests } from "./open-requests.ts";
import type { Outbox } from "./outbox.ts";
import { refusalOfPartial } from "./partials.ts";
import { AT_CLIENT, type Client, type Due, type Request } from "./records.ts";

/** What happens to a request when its answer is given, or given up. */
export interface Endings {
  finish(request: Request): void;
  /** It has failed, which was reported then. */
  closeFailed(request: Request): void;
  /** They are left to the next start of the broker. */
  closeAll(requests: Iterable<Request>): void;
  restartTimeout(request: Request, now: Instant): void;
}

export class HeldAnswers {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  readonly #open: OpenRequests;
  readonly #dispatcher: Dispatcher;
  readonly #outbox: Outbox;
  readonly #endings: Endings;
  readonly #held: Answers;
  /** Sent, and not yet known to be taken by the client's connection. */
  readonly #given = new Map<Request, Answer>();
  #isClosing = false;

  constructor(
    options: CoreOptions,
    deadlines: Deadlines<Due>,
    open: OpenRequests,
    dispatcher: Dispatcher,
    outbox: Outbox,
    endings: Endings,
  ) {
    this.#options = options;
    this.#deadlines = deadlines;
    this.#open = open;
    this.#dispatcher = dispatcher;
    this.#outbox = outbox;
    this.#endings = endings;
    this.#held = new Answers(options, deadlines);
  }

  /** How many answers are held, complete or not. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether the parts of this request's reply are not for its client now. */
  holds(request: Request): boolean {
    return !isReachable(request.client) || this.#held.has(request);
  }

  isGiven(request: Request): boolean {
    return this.#given.has(request);
  }

  /** A part of a reply that is to be held. */
  onPartial(request: Request, message: AnswerMessage): void {
    this.#add(this.#held.get(request) ?? this.#begin(request), message);
  }

  /** The end of an answer. @param code of a failure, which is reported by now */
  onEnd(request: Request, message: AnswerMessage, code?: FailureCode): void {
    const { place } = request;
    this.#dispatcher.remove(request);
    request.place = AT_CLIENT;
    if (this.holds(request)) this.#hold(request, [message], code);
    else this.#give(answerOf(request, message, code));
    if (place.at === "worker") this.#dispatcher.serve(place.worker);
  }

  /** A client went away that has stored requests open. It gets when it is back what its connection did not take. */
  suspend(client: Client, now: Instant): void {
    if (client.held !== undefined) this.#deadlines.clear(client.held.settling);
    for (const request of [...client.requests]) {
      const given = this.#given.get(request);
      if (given !== undefined) {
        this.#given.delete(request);
        this.#endings.restartTimeout(request, now);
        this.#hold(request, given.messages, given.code);
      } else if (request.hasPartial && !this.#held.has(request)) {
        this.#held.begin(request).loss = "BROKER_LOST";
      }
    }
  }

  /** A client is back that has stored requests open. */
  resume(client: Client, now: Instant): void {
    client.held ??= new HeldForClient(client, this.#deadlines);
    this.#deadlines.set(client.held.settling, this.#options.settleMs, now);
  }

  /** It had time to ask again: it gets all that is held for it, in the order in which it asked. */
  release(client: Client): void {
    if (client.held !== undefined) this.#deadlines.clear(client.held.settling);
    for (const request of client.requests) {
      const answer = this.#held.get(request);
      // One that is run still and cannot be whole any more is told of when it ends.
      if (answer === undefined || (!answer.isComplete && answer.loss !== undefined)) continue;
      const { isComplete } = answer;
      this.#held.take(request);
      if (isComplete) this.#give(answer);
      else this.#send(answer);
      this.#outbox.report({
        type: "answer-delivered",
        client: client.id,
        service: request.name,
        requestId: request.id,
      });
    }
  }

  /** The connection of its client took the answer, unless it is known that it did not. */
  onHandedOver(request: Request): void {
    const answer = this.#given.get(request);
    if (answer !== undefined) this.#close(answer);
  }

  /** The time of a request that has ended is over: if its client is there, the answer goes out in time. */
  onExpired(request: Request): void {
    const answer = this.#held.get(request);
    // It is on its way.
    if (answer === undefined) return;
    if (request.client.isAway) return this.#giveUp(answer);
    this.#held.take(request);
    this.#give(answer);
  }

  /** A request is not open any more. */
  forget(request: Request): void {
    this.#given.delete(request);
    this.#held.take(request);
  }

  /** The broker is about to stop: clients that are there get theirs now, all else is left to its next start. */
  startClosing(): void {
    this.#isClosing = true;
    for (const { request } of this.#held) if (!request.client.isAway) this.release(request.client);
    this.#endings.closeAll([...this.#held.ended]);
  }

  /** Throws if what is counted is not what is there. For tests. */
  assertConsistent(): void {
    this.#held.assertConsistent();
  }

  #begin(request: Request): Answer {
    const { client, name, id } = request;
    this.#outbox.report({ type: "answer-held", client: client.id, service: name, requestId: id });
    return this.#held.begin(request);
  }

  /** Holds the last messages of an answer, or gives it, if they are all that its client waits for. */
  #hold(request: Request, messages: readonly AnswerMessage[], code: FailureCode | undefined): void {
    if (this.#isClosing && request.client.isAway) return this.#endings.closeAll([request]);
    const answer = this.#held.get(request) ?? this.#begin(request);
    answer.code = code;
    for (const message of messages) this.#add(answer, message);
    if (answer.loss !== undefined && !this.#addFailure(answer, answer.loss, messages.at(-1))) return;
    this.#held.complete(answer);
    if (!isReachable(request.client)) return;
    this.#held.take(request);
    this.#give(answer);
  }

  #add(answer: Answer, message: AnswerMessage): void {
    if (answer.loss !== undefined || this.#fits(answer, message)) return;
    const { client, id } = answer.request;
    this.#outbox.reportDrop(client.id, "undelivered", id);
    this.#held.empty(answer);
    answer.loss = "BUSY";
  }

  /** It ends as a failure, its own or that it is not whole. @returns false if not even that finds room */
  #addFailure(answer: Answer, loss: Loss, last: AnswerMessage | undefined): boolean {
    const { request } = answer;
    if (answer.code === undefined) {
      answer.code = loss;
      this.#outbox.reportFailure(request, loss);
    }
    const failure = last?.type === "failure" ? last : failureOf(request, loss);
    if (this.#fits(answer, failure)) return true;
    this.#giveUp(answer);
    return false;
  }

  /** Holds a message if there is room. Whose client has been away for longest may never be asked for. */
  #fits(answer: Answer, message: AnswerMessage): boolean {
    if (!this.#held.mayHave(answer, message)) return false;
    while (!this.#held.hasRoom(answer, message)) {
      const { oldest } = this.#held;
      const other = oldest && this.#held.get(oldest);
      if (other === undefined) return false;
      this.#giveUp(other);
    }
    this.#held.add(answer, message);
    return true;
  }

  /** Nobody gets it. */
  #giveUp(answer: Answer): void {
    const { client, id } = answer.request;
    this.#outbox.reportDrop(client.id, "undelivered", id);
    this.#close(answer);
  }

  #close({ request, code }: Answer): void {
    if (code === undefined) this.#endings.finish(request);
    else this.#endings.closeFailed(request);
  }

  #give(answer: Answer): void {
    const { request } = answer;
    this.#given.set(request, answer);
    this.#send(answer);
    // One that failed before any worker got it has none.
    if (request.address === "") request.address = this.#open.addressOf(request);
    this.#outbox.confirm(request.address);
  }

  #send({ request, messages }: Answer): void {
    const { client } = request;
    let isContinuation = false;
    for (const message of messages) {
      const refusal =
        message.type === "partial" ? refusalOfPartial(client, message.body, message.isRaw ?? false) : undefined;
      if (refusal === undefined) {
        this.#outbox.toClient(client, message, isContinuation && message.type !== "failure");
        isContinuation = true;
      } else this.#outbox.reportDrop(client.id, refusal, message.requestId);
    }
  }
}

/** Whether an answer may go to it at once. */
function isReachable({ isAway, held }: Client): boolean {
  return !isAway && held?.settling.list === undefined;
}

function answerOf(request: Request, message: AnswerMessage, code: FailureCode | undefined): Answer {
  const answer = new Answer(request);
  answer.messages.push(message);
  answer.code = code;
  return answer;
}

function failureOf({ id, name }: Request, code: Loss): AnswerMessage {
  const why = code === "BUSY" ? "the broker could not hold all of it" : "a part of it went to an earlier connection";
  const message = describe(id, name, `lost its reply: ${why} while its client was away`);
  return {
    type: "failure",
    requestId: id,
    service: name,
    failure: { code, message, delivery: "maybe-executed" },
  };
}
