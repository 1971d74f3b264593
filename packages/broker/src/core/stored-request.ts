// What a store holds of a request: a plain structure of texts, numbers and bytes, which any serializer can write.

/** The form of a stored request. Raised with every change that an older broker could not read. */
export const STORED_VERSION = 1;

/**
 * A request as a store keeps it. Names are byte strings, one character (U+0000 to U+00FF) for each byte; the frames are
 * bytes and come back as they were.
 */
export interface StoredRequest {
  readonly version: typeof STORED_VERSION;
  /** The routing id of its client. */
  readonly client: string;
  readonly requestId: string;
  /** The service as the client named it. */
  readonly service: string;
  /** The payload. */
  readonly body: readonly Uint8Array[];
  /** The frames behind the payload: the options as they came, and whatever followed them. */
  readonly trailer: readonly Uint8Array[];
  /** Milliseconds without any reply after which it expires; `null` is never. */
  readonly timeoutMs: number | null;
  readonly retry: boolean;
  /** The only worker that may have it. */
  readonly worker: string | null;
  /** Whether the broker acts on the method and the codec in the options. Missing if not, as in entries of brokers that did not write it. */
  readonly methods?: boolean;
  /** Whether the frame behind the options holds headers. As `methods`. */
  readonly headers?: boolean;
  /** The identity of its client, if the connection was authenticated. As `methods`. */
  readonly caller?: string;
  /** Milliseconds from `storedAt` to its deadline. Missing if it has none, and as `methods`. */
  readonly deadlineMs?: number;
  /** Workers that were lost and may have run it. Missing if there is none, and in entries of brokers that did not write it. */
  readonly lostWorkers?: number;
  /** When the broker stored it, in milliseconds since 1970. Missing in entries of brokers that did not write it. */
  readonly storedAt?: number;
}
