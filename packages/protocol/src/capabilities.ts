// What a peer can do beyond the classic wire. A peer offers, the broker answers with what both sides can; nothing of
// it is ever sent to a peer that did not offer. One text frame: `pigato/1 cancel error heartbeat=2500 …`.

/** The features and settings that two peers of one session share. */
export interface Capabilities {
  /** `cancel` messages: a caller that gives up reaches the worker. */
  readonly cancel: boolean;
  /** Failures of the broker arrive as a typed object instead of the bare code. */
  readonly error: boolean;
  /** `queued`, `stored` and `dispatched` notices. */
  readonly notice: boolean;
  /** Heartbeats for one request, from its worker to its client. */
  readonly requestHeartbeat: boolean;
  /** Several partial replies in one message. */
  readonly partials: boolean;
  /** Flow control of streams by credit. */
  readonly credit: boolean;
  /** Requests whose input is a stream. */
  readonly duplex: boolean;
  /** Payload codecs that the peer reads, best first. */
  readonly codecs: readonly string[];
  /** Milliseconds between the sender's heartbeats, if it says so. */
  readonly heartbeatMs: number | undefined;
  /** A worker's limit of requests in flight (`Infinity`: none), if it says so. */
  readonly concurrency: number | undefined;
}

const MAGIC = "pigato/1";
/** What may be switched on, and the word for it. */
const FLAGS = [
  ["cancel", "cancel"],
  ["error", "error"],
  ["notice", "notice"],
  ["requestHeartbeat", "request-heartbeat"],
  ["partials", "partials"],
  ["credit", "credit"],
  ["duplex", "duplex"],
] as const;
const CODEC = /^[a-z0-9.+-]{1,32}$/;
/** The most bytes of an offer; a longer text is no offer. */
export const MAX_OFFER_BYTES = 1024;

export const NO_CAPABILITIES: Capabilities = Object.freeze({
  cancel: false,
  error: false,
  notice: false,
  requestHeartbeat: false,
  partials: false,
  credit: false,
  duplex: false,
  codecs: [],
  heartbeatMs: undefined,
  concurrency: undefined,
});

/** Reads an offer or an answer; `undefined` if the text is neither. Unknown words are passed over. */
export function parseCapabilities(text: string): Capabilities | undefined {
  if (text.length > MAX_OFFER_BYTES) return undefined;
  if (text !== MAGIC && !text.startsWith(`${MAGIC} `)) return undefined;
  const words = text.split(" ").slice(1);
  const has = (flag: string): boolean => words.includes(flag);
  return {
    cancel: has("cancel"),
    error: has("error"),
    notice: has("notice"),
    requestHeartbeat: has("request-heartbeat"),
    partials: has("partials"),
    credit: has("credit"),
    duplex: has("duplex"),
    codecs: (settingOf(words, "codec") ?? "").split(",").filter((codec) => CODEC.test(codec)),
    heartbeatMs: positiveInteger(settingOf(words, "heartbeat")),
    concurrency: concurrencyFromWire(integer(settingOf(words, "concurrency"))),
  };
}

export function formatCapabilities(capabilities: Capabilities): string {
  const words: string[] = [MAGIC, ...FLAGS.filter(([flag]) => capabilities[flag]).map(([, word]) => word)];
  if (capabilities.codecs.length > 0) words.push(`codec=${capabilities.codecs.join(",")}`);
  if (capabilities.heartbeatMs !== undefined) words.push(`heartbeat=${capabilities.heartbeatMs}`);
  if (capabilities.concurrency !== undefined) {
    words.push(`concurrency=${concurrencyToWire(capabilities.concurrency)}`);
  }
  return words.join(" ");
}

/** What both sides can do; the settings are those of `own`, because each side announces its own. */
export function sharedCapabilities(own: Capabilities, offer: Capabilities): Capabilities {
  return {
    cancel: own.cancel && offer.cancel,
    error: own.error && offer.error,
    notice: own.notice && offer.notice,
    requestHeartbeat: own.requestHeartbeat && offer.requestHeartbeat,
    partials: own.partials && offer.partials,
    credit: own.credit && offer.credit,
    duplex: own.duplex && offer.duplex,
    codecs: offer.codecs.filter((codec) => own.codecs.includes(codec)),
    heartbeatMs: own.heartbeatMs,
    concurrency: own.concurrency,
  };
}

/** `-1`, as every negative number, is "no limit" on the wire. Anything that is no integer is no statement. */
export function concurrencyFromWire(value: unknown): number | undefined {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return undefined;
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

export function concurrencyToWire(concurrency: number): number {
  return concurrency === Number.POSITIVE_INFINITY ? -1 : concurrency;
}

function settingOf(words: readonly string[], key: string): string | undefined {
  return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function positiveInteger(text: string | undefined): number | undefined {
  const value = integer(text);
  return value !== undefined && value > 0 ? value : undefined;
}
