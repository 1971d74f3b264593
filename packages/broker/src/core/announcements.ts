// When the world is told who serves what. Changes are gathered for a moment, and the larger the directory, the longer the
// pause after it: what is announced per second is bounded, however many workers come and go and however many there are.

import type { Deadlines, Instant, PeerId, ServiceName } from "@pigato/protocol";
import type { Outbox } from "./outbox.ts";
import { routingIdOf } from "./peer-names.ts";
import type { Due } from "./records.ts";
import type { Services } from "./services.ts";

/** Milliseconds that a change waits for others. */
const GATHER_MS = 1;
/** Characters of names that each millisecond of the pause is for: about 4 MB of announcements per second at most. */
const CHARACTERS_PER_MS = 4096;

export class Announcements {
  readonly #isEnabled: boolean;
  readonly #deadlines: Deadlines<Due>;
  readonly #services: Services;
  readonly #outbox: Outbox;
  readonly #due;
  #isStale = false;
  #isScheduled = false;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;

  constructor(isEnabled: boolean, deadlines: Deadlines<Due>, services: Services, outbox: Outbox) {
    this.#isEnabled = isEnabled;
    this.#deadlines = deadlines;
    this.#services = services;
    this.#outbox = outbox;
    this.#due = deadlines.entry({ kind: "announcement" });
  }

  /** A worker came or went, or somebody wants to be told again. */
  noteChange(): void {
    this.#isStale = this.#isEnabled;
  }

  /** Called after every input: nothing to do, nearly always. */
  schedule(now: Instant): void {
    if (!this.#isStale || this.#isScheduled) return;
    this.#isScheduled = true;
    this.#deadlines.set(this.#due, Math.max(GATHER_MS, Math.ceil(this.#notBefore - now)), now);
  }

  announce(now: Instant): void {
    this.#isStale = false;
    this.#isScheduled = false;
    const snapshot: [ServiceName, PeerId[]][] = [];
    let characters = 0;
    for (const { name, workers } of this.#services.values()) {
      if (workers.size === 0) continue;
      const ids = Array.from(workers, ({ id }) => routingIdOf(id));
      for (const id of ids) characters += id.length;
      characters += name.length;
      snapshot.push([name, ids]);
    }
    this.#notBefore = now + characters / CHARACTERS_PER_MS;
    this.#outbox.announce(snapshot);
  }
}
