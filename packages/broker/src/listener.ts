// Opens the socket of one listener and turns its events into inputs of the core.

import { display, type PeerId } from "@pigato/protocol";
import { OFFER_WORD } from "@pigato/protocol/internal";
import type { ConnectionRejection, Frames, LinkError, PublisherLink, RouterLink } from "@pigato/transport";
import type { ListenerSettings } from "./binds.ts";
import type { Input } from "./core/effects.ts";
import { peerAtListener } from "./core/peer-names.ts";
import type { ConnectionRejected } from "./events.ts";
import type { ResolvedOptions } from "./options.ts";
import { readInput, readOversized } from "./reading.ts";
import type { ListenerRole } from "./security.ts";

export interface ListenerHandlers {
  onInput(input: Input): void;
  /** The link accepted these frames for a peer and could not deliver them. */
  onUndelivered(to: PeerId, frames: Frames): void;
  onRejected(rejected: ConnectionRejected): void;
  /** The socket failed. */
  onError(error: LinkError): void;
}

/** @param index the listener's position among those of the broker; it distinguishes equal routing ids */
export function openListener(
  index: number,
  settings: ListenerSettings,
  options: ResolvedOptions,
  handlers: ListenerHandlers,
): RouterLink {
  const { maxFrameBytes, maxMessageBytes, maxPeerBytes, maxPeerMessages } = options;
  const { maxConnections, maxConnectionsPerAddress, idleConnectionMs } = options;
  const { maxReceivingBytes, stallTimeoutMs, minProgressBytes, maxSendingBytes, sendStallTimeoutMs } = options;
  const hosts = new Map<PeerId, string>();
  const role = settings.role === undefined ? "bind" : settings.role === "client" ? "frontend" : "backend";
  return options.transport.router(
    {
      onMessage: (id, frames) => handlers.onInput(readInput(settings, peerAtListener(index, id), frames, hosts)),
      onOversized: (id, message) => {
        handlers.onInput(readOversized(settings, peerAtListener(index, id), message, hosts));
      },
      onReceiving: (id) => handlers.onInput({ type: "receiving", from: peerAtListener(index, id) }),
      onPeerUp: (id, { remoteAddress, identity }) => {
        const peer = peerAtListener(index, id);
        if (remoteAddress !== undefined) hosts.set(peer, hostIn(remoteAddress));
        if (identity !== undefined) handlers.onInput({ type: "identified", peer, identity });
      },
      onPeerDown: (id) => {
        hosts.delete(peerAtListener(index, id));
        handlers.onInput({ type: "peer-down", peer: peerAtListener(index, id) });
      },
      onUndelivered: (id, frames) => handlers.onUndelivered(peerAtListener(index, id), frames),
      onRejected: (rejection, id) =>
        handlers.onRejected(rejectedAt(role, rejection, id === undefined ? undefined : peerAtListener(index, id))),
      onError: (error) => handlers.onError(error),
    },
    {
      announcement: OFFER_WORD,
      spinMs: options.spinMs,
      security: options.securityOf(role),
      limits: {
        maxFrameBytes,
        maxMessageBytes,
        maxConnections,
        maxConnectionsPerAddress,
        idleConnectionMs,
        maxQueuedBytes: maxPeerBytes,
        maxQueuedMessages: maxPeerMessages,
        maxReceivingBytes,
        stallTimeoutMs,
        minProgressBytes,
        maxSendingBytes,
        sendStallTimeoutMs,
      },
    },
  );
}

/** Opens the internal channel, on which core services receive the directory. */
export function openChannel(
  options: ResolvedOptions,
  handlers: Pick<ListenerHandlers, "onRejected" | "onError">,
): PublisherLink {
  return options.transport.publisher(
    {
      onRejected: (rejection) => handlers.onRejected(rejectedAt("intch", rejection, undefined)),
      onError: (error) => handlers.onError(error),
    },
    { security: options.securityOf("intch") },
  );
}

/** `tcp://host` in `tcp://host:port`. */
function hostIn(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

function rejectedAt(
  listener: ListenerRole,
  rejection: ConnectionRejection,
  peer: PeerId | undefined,
): ConnectionRejected {
  const { code, detail, mechanism, remoteAddress, localAddress, cause } = rejection;
  return {
    listener,
    code,
    detail,
    mechanism,
    remoteAddress,
    localAddress,
    peer: peer === undefined ? undefined : display(peer),
    cause,
  };
}
