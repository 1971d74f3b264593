// Peers at different listeners of one broker may have the same routing id. A peer at the first listener is named by its
// routing id; a peer at another one has a character in front that no byte string contains, U+0100 and up, per listener.

import { display, type PeerId, peerId } from "@pigato/protocol";

const FIRST_MARK = 0x100;
/** The most listeners of a broker. */
export const MAX_LISTENERS = 16;

export function peerAtListener(listener: number, routingId: string): PeerId {
  return peerId(listener === 0 ? routingId : String.fromCharCode(FIRST_MARK + listener) + routingId);
}

export function listenerOf(peer: PeerId): number {
  return Math.max(0, peer.charCodeAt(0) - FIRST_MARK);
}

/** The routing id of a peer, by which its socket and other peers know it. */
export function routingIdOf(peer: PeerId): PeerId {
  return listenerOf(peer) === 0 ? peer : peerId(peer.slice(1));
}

/** The name of a peer in messages and logs. */
export function shownPeer(peer: PeerId): string {
  return display(routingIdOf(peer));
}
