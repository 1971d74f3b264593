// The link that a connection belongs to, as the connection uses it.

import type { OversizedMessage } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import type { Violation } from "./wire.ts";

export interface ConnectionOwner<Connection> {
  /** Where messages for a new connection wait. */
  outboxForConnection(connection: Connection): Outbox;
  /** The other end introduced itself. @returns why it is rejected */
  onIntroduced(connection: Connection, routingId: string): Violation | undefined;
  /** Messages leave from now on. */
  onUp(connection: Connection): void;
  onMessage(connection: Connection, frames: readonly Uint8Array[]): void;
  /** A message that is too large, without its large frames. */
  onOversized?(connection: Connection, message: OversizedMessage): void;
  /** Bytes of a message came that is not whole yet, in a read that ended no message. */
  onReceiving?(connection: Connection): void;
  /** The peer subscribes or cancels by a command. Only publishers need it. */
  onSubscription?(connection: Connection, prefix: string, isSubscribed: boolean): void;
  onDrain(connection: Connection): void;
  /** The connection has ended. Messages in the outbox have not left. */
  onEnd(connection: Connection, violation: Violation | undefined): void;
}
