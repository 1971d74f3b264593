// When the directory of services is announced. Changes are gathered for a moment, and the larger the directory, the longer
// the pause after an announcement: the bytes per second are bounded, however often workers come and go.

import type { PeerId, ServiceName } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { routingIdOf } from "./peer-names.ts";
import type { CoreState } from "./state.ts";

/** Milliseconds that a change waits for others. */
const GATHER_MS = 1;
/** Characters of names for each millisecond of the pause: about 4 MB of announcements per second at most. */
const CHARACTERS_PER_MS = 4096;

/** A worker came or went, or a subscriber asked for the directory again. */
export function noteDirectoryChange({ directory, options }: CoreState): void {
  directory.isStale = options.announces;
}

/** Called after every input while the announcement is stale. */
export function scheduleDirectory({ directory, timers }: CoreState, now: Instant): void {
  if (!directory.isStale || directory.isScheduled) return;
  directory.isScheduled = true;
  timers.set(directory.timer, Math.max(GATHER_MS, Math.ceil(directory.notBefore - now)), now);
}

export function announceDirectory({ directory, services, effects }: CoreState, now: Instant): void {
  directory.isStale = false;
  directory.isScheduled = false;
  const snapshot: [ServiceName, PeerId[]][] = [];
  let characters = 0;
  for (const { name, workers } of services.values()) {
    if (workers.size === 0) continue;
    const ids = Array.from(workers.keys(), ({ id }) => routingIdOf(id));
    for (const id of ids) characters += id.length;
    characters += name.length;
    snapshot.push([name, ids]);
  }
  directory.notBefore = now + characters / CHARACTERS_PER_MS;
  effects.announce(snapshot);
}
