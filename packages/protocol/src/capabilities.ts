// What a peer can do beyond the classic wire. A peer sends an offer, the broker answers with what both sides can do, and
// nothing of it is sent to a peer that made no offer. An offer is one text frame: `pigato/1 cancel error heartbeat=2500 …`.
//
// To add a capability, add one entry to TABLE. Its type, its default, how it is written, read and merged, and who offers it
// all follow from the entry. The order of the table is the order on the wire.

/** `key` is the word on the wire. `kind` sets the type, the default and the merge rule: see `KindValues`. */
const TABLE = [
  // `cancel` messages: a canceled call reaches the worker.
  { name: "cancel", key: "cancel", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Failures of the broker arrive as a typed object instead of the bare code.
  { name: "error", key: "error", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // `queued`, `stored` and `dispatched` notices.
  { name: "notice", key: "notice", kind: "flag", offeredBy: ["client", "broker"] },
  // Heartbeats for one request, from its worker to its client.
  { name: "requestHeartbeat", key: "request-heartbeat", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Several partial replies in one message.
  { name: "partials", key: "partials", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Flow control of streams by credit.
  { name: "credit", key: "credit", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Bodies of any bytes in any number of frames, between the broker and a worker.
  { name: "frames", key: "frames", kind: "flag", offeredBy: ["worker", "broker"] },
  // The broker says which of its heartbeats confirms that a worker gets no more requests.
  { name: "drain", key: "drain", kind: "flag", offeredBy: ["worker", "broker"] },
  // Several services of one worker on one connection.
  { name: "services", key: "services", kind: "flag", offeredBy: ["worker", "broker"] },
  // The options of a request name a method and a codec (P-CALL-1). A worker offers it if it reads them.
  { name: "methods", key: "methods", kind: "flag", offeredBy: ["client", "broker"] },
  // A request carries the time that is left until its deadline (P-TAG-2).
  { name: "deadline", key: "deadline", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // A request carries its headers in a frame of their own, and the broker's facts about it (P-TAG-3).
  { name: "headers", key: "headers", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Requests whose input is a stream.
  { name: "duplex", key: "duplex", kind: "flag", offeredBy: ["client", "worker", "broker"] },
  // Codecs of bodies besides JSON that the peer reads, and that the broker passes on.
  { name: "codecs", key: "codec", kind: "list", offeredBy: ["client", "worker", "broker"] },
  // Milliseconds between the sender's heartbeats.
  { name: "heartbeatMs", key: "heartbeat", kind: "duration", offeredBy: ["client", "worker", "broker"] },
  // The most bytes of a frame, and of a message, that the sender accepts.
  { name: "maxFrameBytes", key: "frame", kind: "size", offeredBy: ["client", "worker", "broker"] },
  { name: "maxMessageBytes", key: "message", kind: "size", offeredBy: ["client", "worker", "broker"] },
  // A worker's limit of requests in flight; `Infinity` is no limit.
  { name: "concurrency", key: "concurrency", kind: "limit", offeredBy: ["worker"] },
] as const;

interface KindValues {
  /** By default `false`. Shared if both sides offer it. */
  flag: boolean;
  /** By default empty. Shared are the words that both sides offer, in the order of the offer. */
  list: readonly string[];
  /** By default `undefined`: the peer does not say. Each side announces its own. */
  duration: number | undefined;
  /** As `duration`. */
  size: number | undefined;
  /** As `duration`, with `Infinity` for no limit. */
  limit: number | undefined;
}

type Entry = (typeof TABLE)[number];

/** The features and settings that two peers of one session share. */
export type Capabilities = { readonly [One in Entry as One["name"]]: KindValues[One["kind"]] };

type Mutable = { -readonly [Name in keyof Capabilities]: Capabilities[Name] };

/** The capabilities that carry a value of the peer that offers them, and those that not every peer of a role supports. */
type Settings = Partial<Pick<Capabilities, Exclude<Entry, { readonly kind: "flag" }>["name"] | "methods">>;

/** The first word of an offer. A broker that announces it in its ZMTP handshake answers offers (P-NEG-5). */
export const OFFER_WORD = "pigato/1";
const LIST_WORD = /^[a-z0-9.+-]{1,32}$/;
/** The most bytes of an offer; a longer text is no offer. */
export const MAX_OFFER_BYTES = 1024;

export const NO_CAPABILITIES: Capabilities = Object.freeze(defaults());

/** What a role offers: every flag that it supports, unless the settings differ, and the settings of this peer. */
export function offerOf(role: "client" | "worker" | "broker", settings: Settings): Capabilities {
  const offer: Mutable = { ...NO_CAPABILITIES, ...settings };
  for (const entry of TABLE) {
    const roles: readonly string[] = entry.offeredBy;
    if (entry.kind === "flag" && !Object.hasOwn(settings, entry.name)) offer[entry.name] = roles.includes(role);
  }
  return offer;
}

/** Reads an offer or the answer to one; `undefined` if the text is neither. Unknown words are ignored. */
export function parseCapabilities(text: string): Capabilities | undefined {
  if (text.length > MAX_OFFER_BYTES) return undefined;
  if (text !== OFFER_WORD && !text.startsWith(`${OFFER_WORD} `)) return undefined;
  const words = text.split(" ").slice(1);
  const offer: Mutable = { ...NO_CAPABILITIES };
  for (const entry of TABLE) {
    switch (entry.kind) {
      case "flag":
        offer[entry.name] = words.includes(entry.key);
        break;
      case "list":
        offer[entry.name] = (settingOf(words, entry.key) ?? "").split(",").filter((word) => LIST_WORD.test(word));
        break;
      case "duration":
      case "size":
        offer[entry.name] = positiveInteger(settingOf(words, entry.key));
        break;
      case "limit":
        offer[entry.name] = concurrencyFromWire(integer(settingOf(words, entry.key)));
        break;
      default:
        entry satisfies never;
    }
  }
  return offer;
}

export function formatCapabilities(capabilities: Capabilities): string {
  const words = TABLE.map((entry) => wordOf(entry, capabilities)).filter((word) => word !== undefined);
  return [OFFER_WORD, ...words].join(" ");
}

/** What both sides can do, with the settings of `own`. */
export function sharedCapabilities(own: Capabilities, offer: Capabilities): Capabilities {
  const shared: Mutable = { ...own };
  for (const entry of TABLE) {
    if (entry.kind === "flag") shared[entry.name] = own[entry.name] && offer[entry.name];
    if (entry.kind === "list") shared[entry.name] = offer[entry.name].filter((word) => own[entry.name].includes(word));
  }
  return shared;
}

/** On the wire, every negative number is "no limit". `undefined` for anything that is no integer. */
export function concurrencyFromWire(value: unknown): number | undefined {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return undefined;
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

export function concurrencyToWire(concurrency: number): number {
  return concurrency === Number.POSITIVE_INFINITY ? -1 : concurrency;
}

function defaults(): Capabilities {
  const values: Partial<Mutable> = {};
  for (const entry of TABLE) {
    if (entry.kind === "flag") values[entry.name] = false;
    else if (entry.kind === "list") values[entry.name] = [];
    else values[entry.name] = undefined;
  }
  if (!isComplete(values)) throw new Error("a capability has no default");
  return values;
}

function isComplete(values: Partial<Mutable>): values is Mutable {
  return TABLE.every(({ name }) => Object.hasOwn(values, name));
}

/** A capability as the wire has it; `undefined` if it is not offered. */
function wordOf(entry: Entry, capabilities: Capabilities): string | undefined {
  switch (entry.kind) {
    case "flag":
      return capabilities[entry.name] ? entry.key : undefined;
    case "list":
      return capabilities[entry.name].length > 0 ? `${entry.key}=${capabilities[entry.name].join(",")}` : undefined;
    case "duration":
    case "size":
      return setting(entry.key, capabilities[entry.name]);
    case "limit": {
      const limit = capabilities[entry.name];
      return setting(entry.key, limit === undefined ? undefined : concurrencyToWire(limit));
    }
    default:
      return entry satisfies never;
  }
}

function setting(key: string, value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${key}=${value}`;
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
