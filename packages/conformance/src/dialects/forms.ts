// The frames of each Majordomo flavor, written from RFC 7, RFC 18 and recorded peers of the variants. They do not use our
// codecs, because they check them.

/** How one flavor writes what both versions of the protocol have. */
export interface Form {
  readonly name: string;
  /** Before the service in a client's request. */
  readonly request: readonly string[];
  /** Before the body in a final reply to a client. */
  readonly final: (service: string) => readonly string[];
  /** Before the body in a partial to a client; `undefined` if the version has no partials. */
  readonly partial: ((service: string) => readonly string[]) | undefined;
  readonly worker: WorkerForm;
}

/** The first frames of each message between a worker and its broker. */
export interface WorkerForm {
  readonly ready: readonly string[];
  readonly request: readonly string[];
  readonly partial: readonly string[] | undefined;
  readonly final: readonly string[];
  readonly heartbeat: readonly string[];
  readonly disconnect: readonly string[];
}

const MDP01: Form = {
  name: "mdp01",
  request: ["", "MDPC01"],
  final: (service) => ["", "MDPC01", service],
  partial: undefined,
  worker: {
    ready: ["", "MDPW01", "\x01"],
    request: ["", "MDPW01", "\x02"],
    partial: undefined,
    final: ["", "MDPW01", "\x03"],
    heartbeat: ["", "MDPW01", "\x04"],
    disconnect: ["", "MDPW01", "\x05"],
  },
};

const MDP02: Form = {
  name: "mdp02",
  request: ["MDPC02", "\x01"],
  final: (service) => ["MDPC02", "\x03", service],
  partial: (service) => ["MDPC02", "\x02", service],
  worker: worker02(["MDPW02"], ["\x01", "\x02", "\x03", "\x04", "\x05", "\x06"]),
};

const DIGITS: Form = {
  name: "mdp02 with digits",
  request: ["MDPC02", "1"],
  final: (service) => ["MDPC02", "3", service],
  partial: (service) => ["MDPC02", "2", service],
  worker: worker02(["MDPW02"], ["1", "2", "3", "4", "5", "6"]),
};

const DELIMITED: Form = {
  name: "mdp02 behind an empty frame",
  request: ["", "MDPC02", "\x01"],
  final: (service) => ["", "MDPC02", "\x03", service],
  partial: (service) => ["", "MDPC02", "\x02", service],
  worker: worker02(["", "MDPW02"], ["\x01", "\x02", "\x03", "\x04", "\x05", "\x06"]),
};

/** Its workers use the delimited form. */
const MAJORTOMO: Form = {
  ...DELIMITED,
  name: "majortomo",
  request: ["", "MDPC02", "\x02"],
  final: () => ["", "MDPC02", "\x04"],
  partial: () => ["", "MDPC02", "\x03"],
};

export const VERSIONS: readonly Form[] = [MDP01, MDP02];
export const FORMS: readonly Form[] = [MDP01, MDP02, DIGITS, DELIMITED, MAJORTOMO];
/** Flavors in which one peer may be both client and worker. */
export const WHOLE_FORMS: readonly Form[] = [MDP01, MDP02, DIGITS, DELIMITED];

function worker02(head: readonly string[], [ready, request, partial, final, heartbeat, disconnect]: Codes): WorkerForm {
  return {
    ready: [...head, ready],
    request: [...head, request],
    partial: [...head, partial],
    final: [...head, final],
    heartbeat: [...head, heartbeat],
    disconnect: [...head, disconnect],
  };
}

type Codes = readonly [string, string, string, string, string, string];
