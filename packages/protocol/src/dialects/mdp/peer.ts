// The Majordomo protocol as our own client and worker speak it to a broker of others: the frames of RFC 7 and RFC 18 alone,
// and what stands for that which they have none for (D-PEER-1 to D-PEER-7 in docs/reference/dialects.md).

import type { Frame } from "../../frame.ts";
import { readText, requestId, writeText } from "../../ids.ts";
import type { FromWorker, ToWorker, Violation } from "../../message.ts";
import type { Dialect } from "../dialect.ts";
import { majordomo } from "./index.ts";

/** MDP 0.1 is RFC 7, MDP 0.2 is RFC 18. */
export type MajordomoVersion = "mdp01" | "mdp02";

/** A peer's end of the dialect. */
export interface MajordomoPeer
  extends Pick<
    Dialect,
    "encodeFromClient" | "decodeFromClient" | "decodeToClient" | "encodeFromWorker" | "decodeToWorker"
  > {
  /** Whether a reply may have parts. */
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
    decodeToWorker: (frames) => named(dialect.decodeToWorker(frames)),
  };
}

/** D-PEER-7: a failure is a final like any other, whose body says that it is one. */
function withoutFailure(message: FromWorker): FromWorker {
  if (message.type !== "final" || message.status === 0) return message;
  return { ...message, status: 0, body: [failureBody(message.body[0])] };
}

function failureBody(error: Frame | undefined): Frame {
  return writeText(`{"error":${error === undefined ? "null" : readText(error)}}`);
}

/** What the broker calls the client names the request, too: there is nothing else that does. */
function named(message: ToWorker | Violation): ToWorker | Violation {
  return message.type === "request" ? { ...message, requestId: requestId(message.address) } : message;
}
