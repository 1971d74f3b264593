// Peers of one broker that came in by different doors may have the same routing id. The first door's peers are named by
// it; those of any other by a character in front that no byte string has, U+0100 and up, one for each door.

import { display, type PeerId, peerId } from "@pigato/protocol";

const FIRST_MARK = 0x100;
/** The most doors of a broker. */
export const MAX_DOORS = 16;

export function peerAtDoor(door: number, routingId: string): PeerId {
  return peerId(door === 0 ? routingId : String.fromCharCode(FIRST_MARK + door) + routingId);
}

export function doorOf(peer: PeerId): number {
  return Math.max(0, peer.charCodeAt(0) - FIRST_MARK);
}

/** The routing id by which a peer is known at its door, and to other peers. */
export function routingIdOf(peer: PeerId): PeerId {
  return doorOf(peer) === 0 ? peer : peerId(peer.slice(1));
}

/** What to show of a peer. */
export function shownPeer(peer: PeerId): string {
  return display(routingIdOf(peer));
}
