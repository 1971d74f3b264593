// Majordomo as our client and worker speak it to a foreign broker: only frames of RFC 7 and RFC 18, with substitutes for
// messages that have no frames there (D-PEER-1 to D-PEER-7 in docs/reference/dialects.md).

import type { Frame } from "../../frame.ts";
import { readText, requestId, writeText } from "../../ids.ts";
import type { FromWorker, ToWorker } from "../../message.ts";
import type { Violation } from "../../violation.ts";
import type { Dialect } from "../dialect.ts";
import { majordomo } from "./index.ts";

/** MDP 0.1 is RFC 7, MDP 0.2 is RFC 18. */
export type MajordomoVersion = "mdp01" | "mdp02";

/** The peer's end of the dialect. */
export interface MajordomoPeer
  extends Pick<
    Dialect,
    "encodeFromClient" | "decodeFromClient" | "decodeToClient" | "encodeFromWorker" | "decodeToWorker"
  > {
  /** Whether a reply may have partials. */
  readonly hasPartials: boolean;
}

export function majordomoPeer(version: MajordomoVersion): MajordomoPeer {
  const dialect = majordomo().find(({ id }) => id === version);
  if (dialect === undefined) throw new Error(`no dialect ${version}`);
  return {
    hasPartials: version !== "mdp01",
    encodeFromClient: dialect.encodeFromClient,
    decodeFromClient: dialect.decodeFromClient,
    decodeToClient: dialect.decodeToClient,
    encodeFromWorker: (message) => dialect.encodeFromWorker(withoutFailure(message)),
    decodeToWorker: (frames) => withRequestId(dialect.decodeToWorker(frames)),
  };
}

/** D-PEER-7: a failure is sent as a final reply; its body says that it is a failure. */
function withoutFailure(message: FromWorker): FromWorker {
  if (message.type !== "final" || message.status === 0) return message;
  return { ...message, status: 0, body: [failureBody(message.body[0])] };
}

function failureBody(error: Frame | undefined): Frame {
  return writeText(`{"error":${error === undefined ? "null" : readText(error)}}`);
}

/** The address serves as the request id, because the frames carry no other. */
function withRequestId(message: ToWorker | Violation): ToWorker | Violation {
  return message.type === "request" ? { ...message, requestId: requestId(message.address) } : message;
}
