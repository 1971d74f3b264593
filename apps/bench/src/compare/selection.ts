// Who is measured, of those who are wanted: whose server is not there is left out, and it is said how to get it.

import { BASE, type Entry, ROSTER } from "./roster.ts";

export interface Selection {
  readonly entries: readonly Entry[];
  readonly missing: readonly Entry[];
}

/**
 * @param wanted names, besides the base's; everyone if not given
 * @param isInstalled whether a server is
 */
export function select(wanted: readonly string[] | undefined, isInstalled: (program: string) => boolean): Selection {
  const all = ROSTER.filter(({ name }) => wanted === undefined || name === BASE || wanted.includes(name));
  const isThere = ({ needs }: Entry) => needs === undefined || isInstalled(needs);
  return { entries: all.filter(isThere), missing: all.filter((entry) => !isThere(entry)) };
}

/** One line for the terminal. On Debian the packages of servers are called as their programs are. */
export function whyMissing({ name, needs = "" }: Entry): string {
  const install = `apt-get install --no-install-recommends ${needs}`;
  return `${name} is left out: ${needs} is not installed (${install}; apps/bench/install-servers.sh installs all)`;
}

/** @throws Error that names what there is, if something else is in a list with commas */
export function chosen(
  list: string | undefined,
  known: readonly { readonly name: string }[],
): readonly string[] | undefined {
  const wanted = list?.split(",");
  const unknown = wanted?.find((name) => known.every((item) => item.name !== name));
  if (unknown === undefined) return wanted;
  throw new Error(`nothing here is called "${unknown}"; there are ${known.map(({ name }) => `"${name}"`).join(", ")}`);
}
