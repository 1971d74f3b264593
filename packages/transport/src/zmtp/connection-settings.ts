// What the connections of one link share.

import type { LinkLimits } from "../link.ts";
import type { LinkAuthenticator } from "./link-authenticator.ts";
import type { SecurityMechanism } from "./mechanism/mechanism.ts";
import type { Metadata } from "./metadata.ts";
import type { SenderSettings } from "./sender.ts";
import type { ReceiveBudget } from "./unfinished.ts";

/** Milliseconds that the other end has to close its side after this end closed its own. */
export const CLOSE_TIMEOUT_MS = 500;
/** Milliseconds, after a peer closed its connection, in which the bytes that it sent before are read. */
export const READ_AFTER_CLOSE_MS = 5_000;

export interface ConnectionSettings extends SenderSettings {
  /** The link, as errors name it. */
  readonly linkName: "router" | "dealer" | "publisher" | "subscriber" | "puller" | "pusher";
  /** What this end says about itself. */
  readonly metadata: Metadata;
  readonly mechanism: SecurityMechanism;
  /** Required by a mechanism that authenticates peers. */
  readonly authenticator?: LinkAuthenticator | undefined;
  /** Socket types that this end talks to. */
  readonly peerTypes: ReadonlySet<string>;
  /** This end connects. Otherwise it listens. */
  readonly isActive: boolean;
  /** This end sends PING. An end that may stop reading answers none. @defaultValue whether it is active */
  readonly sendsPings?: boolean;
  readonly limits: LinkLimits;
  /** Whether the link reports messages that are too large. Otherwise they end the connection. */
  readonly skipsOversized?: boolean;
  /** Counts the unfinished messages of all connections of the link. */
  readonly receiving: ReceiveBudget;
}
