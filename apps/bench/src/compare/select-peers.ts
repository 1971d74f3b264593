// Selects the peers and cases that a command line names.

import { BASELINE, PEERS, type PeerEntry } from "./peers.ts";

export interface Selection {
  readonly entries: readonly PeerEntry[];
  /** Peers whose server is not installed. */
  readonly missing: readonly PeerEntry[];
}

/**
 * @param wanted names of peers; the baseline is always included; `undefined` selects all
 * @param isInstalled whether a server program is installed
 */
export function selectPeers(
  wanted: readonly string[] | undefined,
  isInstalled: (program: string) => boolean,
): Selection {
  const all = PEERS.filter(({ name }) => wanted === undefined || name === BASELINE || wanted.includes(name));
  const isAvailable = ({ needs }: PeerEntry) => needs === undefined || isInstalled(needs);
  return { entries: all.filter(isAvailable), missing: all.filter((entry) => !isAvailable(entry)) };
}

/** One line for the terminal. The Debian package has the name of the program. */
export function describeMissing({ name, needs = "" }: PeerEntry): string {
  const install = `apt-get install --no-install-recommends ${needs}`;
  return `skipping ${name}: ${needs} is not installed (run ${install}, or apps/bench/install-servers.sh for all servers)`;
}

/** Splits a list at its commas. @throws Error that lists the known names if one is unknown */
export function parseNames(
  list: string | undefined,
  known: readonly { readonly name: string }[],
): readonly string[] | undefined {
  const names = list?.split(",");
  const unknown = names?.find((name) => known.every((item) => item.name !== name));
  if (unknown === undefined) return names;
  throw new Error(`unknown name "${unknown}"; known names: ${known.map(({ name }) => `"${name}"`).join(", ")}`);
}
