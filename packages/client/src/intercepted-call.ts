// One request that passes interceptors. They are user code that may do anything: never send the request, send it several times, or
// fail after its reply. So the request has an end of its own: it ends when it is canceled, or when no interceptor has sent it within
// its timeout; and a failure cancels whatever its interceptors left open.

import type { AnyReply, AnyRequest, Method, MethodKind, Next } from "@pigato/contract";
import { HeaderMap } from "@pigato/contract";
import { DEADLINE_GRACE_MS, requestOf, takesChunks } from "@pigato/contract/internal";
import { RequestError } from "@pigato/protocol";
import { type Clock, setImmediate, wallClock } from "@pigato/transport";
import type { Abortable, AbortSignals, SharedSignal } from "./abort-signals.ts";
import type { CallOptions } from "./call-options.ts";
import { discardSource, isReplayable, watchSource } from "./input-source.ts";
import { whyCanceled } from "./session/failures.ts";

/** A request before its interceptors. */
export interface OutgoingRequest {
  readonly kind: MethodKind;
  readonly service: string;
  readonly method: string;
  readonly definition: Method | undefined;
  readonly input: unknown;
  readonly options: CallOptions;
  /** Milliseconds in which an interceptor must send it. */
  readonly timeoutMs: number;
}

/** Sends a request as the last interceptor left it. @param options those of the request, with its headers and its signal */
export type Send = (request: AnyRequest, options: CallOptions) => Promise<AnyReply>;

export interface InterceptedPort {
  readonly clock: Clock;
  readonly signals: AbortSignals;
}

export class InterceptedCall implements Abortable {
  readonly reply: Promise<AnyReply>;
  readonly #outgoing: OutgoingRequest;
  readonly #controller = new AbortController();
  readonly #signal: SharedSignal | undefined;
  #reject: (error: unknown) => void = () => {};
  #wasSent = false;

  /** @param next the interceptors */
  constructor(next: Next, outgoing: OutgoingRequest, port: InterceptedPort & { readonly send: Send }) {
    this.#outgoing = outgoing;
    const { signal, headers, deadline, input } = outgoing.options;
    // Its error is that of the request, if an interceptor sends it.
    watchSource(input, () => {});
    this.#signal = signal === undefined ? undefined : port.signals.of(signal);
    const expiresAt = typeof deadline === "number" ? new Date(wallClock() + deadline) : deadline;
    const leftMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : Math.max(0, expiresAt.getTime() - wallClock());
    const endsAt = port.clock.now() + leftMs;
    const alarm = port.clock.alarm(() => this.#onAlarm());
    const setAlarm = (at: number): void => alarm.set(at === Number.POSITIVE_INFINITY ? undefined : at);
    const request = requestOf(
      outgoing.kind,
      { side: "client", service: outgoing.service, method: outgoing.method, definition: outgoing.definition },
      {
        headers: HeaderMap.from(headers),
        deadline: expiresAt,
        attempt: 1,
        signal: this.#controller.signal,
        readInput: () => outgoing.input,
        isRepeatable: (changed) => isRepeatable(outgoing, changed),
        send: (changed) => {
          this.#wasSent = true;
          setAlarm(endsAt + DEADLINE_GRACE_MS);
          return port.send(changed, optionsOf(outgoing.options, changed));
        },
      },
    );
    this.reply = new Promise<AnyReply>((resolve, reject) => {
      this.#reject = reject;
      next(request).then(resolve, reject);
    });
    this.reply.then(
      () => alarm.set(undefined),
      (error: unknown) => {
        alarm.set(undefined);
        this.end(error);
      },
    );
    if (!this.#wasSent) setAlarm(Math.min(endsAt, port.clock.now() + outgoing.timeoutMs));
    this.#signal?.add(this);
  }

  onAbort(reason: unknown): void {
    this.cancel(reason);
  }

  /** The attempts fail first, because they know how far they came. */
  cancel(reason: unknown): void {
    this.#controller.abort(reason);
    setImmediate(() => this.#fail("CANCELED", whyCanceled(reason), reason));
  }

  /** The reply has been read, or failed. Cancels what is still open. */
  end(reason?: unknown): void {
    this.#signal?.delete(this);
    discardSource(this.#outgoing.options.input);
    if (reason !== undefined) this.#controller.abort(reason);
  }

  #onAlarm(): void {
    const when = this.#wasSent ? "in its interceptors" : "before an interceptor sent it";
    this.#fail("DEADLINE_EXCEEDED", `exceeded its time ${when}`, undefined);
    this.#controller.abort();
  }

  #fail(code: "CANCELED" | "DEADLINE_EXCEEDED", what: string, detail: unknown): void {
    const { service } = this.#outgoing;
    const delivery = this.#wasSent ? "maybe-executed" : "not-sent";
    const failure = { code, message: `request to "${service}" ${what}`, delivery, detail } as const;
    this.#reject(new RequestError(failure, { service, requestId: undefined }));
  }
}

/** Without a contract, streamed input is an option, which interceptors do not change. */
function isRepeatable(outgoing: OutgoingRequest, input: unknown): boolean {
  if (takesChunks(outgoing.kind)) return isReplayable(input);
  return outgoing.options.input === undefined || isReplayable(outgoing.options.input);
}

function optionsOf(outgoing: CallOptions, { headers, deadline, signal }: AnyRequest): CallOptions {
  const {
    headers: _headers,
    deadline: _deadline,
    onHeaders: _onHeaders,
    onTrailers: _onTrailers,
    ...options
  } = outgoing;
  return {
    ...options,
    signal,
    ...(deadline !== undefined && { deadline }),
    ...(headers.size > 0 && { headers: headers.toJSON() }),
  };
}
