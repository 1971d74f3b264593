// What is held of answers to stored requests, counted against the bounds: of one client, and of all. Decides whether there
// is room; what becomes of an answer for which there is none is decided elsewhere.

import type { Deadline, Deadlines, FailureCode, Frame, ToClient } from "@pigato/protocol";
import type { CoreOptions } from "./core-options.ts";
import type { Client, Due, Request } from "./records.ts";
import { RequestList } from "./request-list.ts";

/** What an answer and each of its messages are counted for beside their bytes: about what their objects take. */
const ANSWER_BYTES = 512;
const MESSAGE_BYTES = 256;

export type AnswerMessage = ToClient & { readonly type: "partial" | "final" | "failure" };

/** Why an answer cannot be given whole: it was too much to hold, or a part of it went with an earlier connection. */
export type Loss = "BUSY" | "BROKER_LOST";

/** What there is of an answer. */
export class Answer {
  readonly request: Request;
  messages: AnswerMessage[] = [];
  /** What it is counted for; 0 of one that is not held. */
  bytes = 0;
  loss: Loss | undefined;
  /** With which failure it ends, if it does. */
  code: FailureCode | undefined;
  isComplete = false;

  constructor(request: Request) {
    this.request = request;
  }
}

/** What is held for one client. */
export class HeldForClient {
  answers = 0;
  bytes = 0;
  /** When the client, if it is back, gets it. */
  readonly settling: Deadline<Due>;

  constructor(client: Client, deadlines: Deadlines<Due>) {
    this.settling = deadlines.entry({ kind: "answers-due", client });
  }
}

export class Answers {
  readonly #options: CoreOptions;
  readonly #deadlines: Deadlines<Due>;
  /** Also of requests that are still run, and of which nothing can be held any more. */
  readonly #byRequest = new Map<Request, Answer>();
  /** The requests whose answers are complete, the first to be so first. */
  readonly #complete = new RequestList();
  /** How many hold a message, and what they are counted for. */
  #size = 0;
  #bytes = 0;

  constructor(options: CoreOptions, deadlines: Deadlines<Due>) {
    this.#options = options;
    this.#deadlines = deadlines;
  }

  /** How many answers are held, complete or not. */
  get size(): number {
    return this.#size;
  }

  get(request: Request): Answer | undefined {
    return this.#byRequest.get(request);
  }

  has(request: Request): boolean {
    return this.#byRequest.has(request);
  }

  *[Symbol.iterator](): IterableIterator<Answer> {
    yield* this.#byRequest.values();
  }

  /** The requests whose answers are complete, the first to be so first. */
  get ended(): Iterable<Request> {
    return this.#complete;
  }

  /** Of those that are complete, the one that has been so for longest. */
  get oldest(): Request | undefined {
    return this.#complete.first;
  }

  begin(request: Request): Answer {
    const answer = new Answer(request);
    this.#byRequest.set(request, answer);
    return answer;
  }

  /** Nothing follows. */
  complete(answer: Answer): void {
    answer.isComplete = true;
    this.#complete.append(answer.request);
  }

  /** Whether a message fits within what one client, and one answer, may have. */
  mayHave(answer: Answer, message: AnswerMessage): boolean {
    const { maxHeldAnswers, maxHeldBytes, maxHeldAnswersPerClient, maxHeldBytesPerClient } = this.#options;
    const bytes = costOf(answer, message);
    const { held } = answer.request.client;
    if (answer.bytes + bytes > maxHeldBytes || (held?.bytes ?? 0) + bytes > maxHeldBytesPerClient) return false;
    return answer.messages.length > 0 || ((held?.answers ?? 0) < maxHeldAnswersPerClient && maxHeldAnswers > 0);
  }

  /** Whether a message fits within what all may have. */
  hasRoom(answer: Answer, message: AnswerMessage): boolean {
    const { maxHeldAnswers, maxHeldBytes } = this.#options;
    const isOneMore = answer.messages.length === 0;
    return this.#bytes + costOf(answer, message) <= maxHeldBytes && !(isOneMore && this.#size >= maxHeldAnswers);
  }

  add(answer: Answer, message: AnswerMessage): void {
    const bytes = costOf(answer, message);
    this.#count(answer, answer.messages.length === 0 ? 1 : 0, bytes);
    answer.messages.push(copyOf(message));
    answer.bytes += bytes;
  }

  /** Lets its messages go. */
  empty(answer: Answer): void {
    if (answer.messages.length > 0) this.#count(answer, -1, -answer.bytes);
    answer.messages = [];
    answer.bytes = 0;
  }

  /** Takes an answer out, with its messages. */
  take(request: Request): Answer | undefined {
    const answer = this.#byRequest.get(request);
    if (answer === undefined) return undefined;
    this.#byRequest.delete(request);
    if (answer.isComplete) this.#complete.remove(request);
    if (answer.messages.length > 0) this.#count(answer, -1, -answer.bytes);
    answer.isComplete = false;
    answer.bytes = 0;
    return answer;
  }

  /** Throws if what is counted is not what is there. For tests. */
  assertConsistent(): void {
    let size = 0;
    let bytes = 0;
    let complete = 0;
    for (const answer of this) {
      if (answer.messages.length > 0) size += 1;
      bytes += answer.bytes;
      if (answer.isComplete) complete += 1;
    }
    const isRight = size === this.#size && bytes === this.#bytes && complete === this.#complete.size;
    if (!isRight) throw new Error(`inconsistent: ${size} of ${this.#size} answers, ${bytes} of ${this.#bytes} bytes`);
  }

  #count(answer: Answer, answers: number, bytes: number): void {
    const { client } = answer.request;
    client.held ??= new HeldForClient(client, this.#deadlines);
    client.held.answers += answers;
    client.held.bytes += bytes;
    this.#size += answers;
    this.#bytes += bytes;
  }
}

/** What one message more adds. */
function costOf(answer: Answer, message: AnswerMessage): number {
  const bytes = message.type === "failure" ? 0 : bytesOf(message.body) + bytesOf(message.trailer);
  return bytes + MESSAGE_BYTES + (answer.messages.length === 0 ? ANSWER_BYTES : 0);
}

/** What is held must not hold on to the block of memory in which it was received, with all that came beside it. */
function copyOf(message: AnswerMessage): AnswerMessage {
  if (message.type === "failure") return message;
  return { ...message, body: message.body.map(copy), trailer: message.trailer.map(copy) };
}

function copy(frame: Frame): Frame {
  return new Uint8Array(frame);
}

function bytesOf(frames: readonly Frame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
