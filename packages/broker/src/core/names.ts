// The syntax of service names (P-NAME-2): `base@1.2.3` is a version of a service, `base@^1` asks for a version within a
// range, and `prefix*`, offered by a worker, covers every name that starts with the prefix. Any other name is plain.
//
// A version is three numbers. A version with a pre-release part is found by its exact name alone. So the versions of a
// service are totally ordered, and a binary search finds the highest within a range.

import type { ServiceName } from "@pigato/protocol";
import { parse, Range, type SemVer } from "semver";

const THREE_NUMBERS = /^\d+\.\d+\.\d+$/;

/** One version of a service. */
export interface VersionName {
  readonly base: string;
  readonly version: SemVer;
}

/** The longest text of a range. Parsing one of 255 bytes can take milliseconds, and every request may have a different one. */
const MAX_RANGE_BYTES = 64;

/** Any version within a range. The text of the range may be invalid. */
export class RangeName {
  readonly base: string;
  readonly text: string;
  #range: Range | undefined;
  #isParsed = false;

  constructor(base: string, text: string) {
    this.base = base;
    this.text = text;
  }

  /** Parsed when it is first needed, and once. `undefined` for an invalid range. */
  get range(): Range | undefined {
    if (!this.#isParsed) this.#range = parseRange(this.text);
    this.#isParsed = true;
    return this.#range;
  }
}

export function versionIn(name: ServiceName): VersionName | undefined {
  const at = separatorOf(name);
  const version = at === undefined ? undefined : versionOf(name.slice(at + 1));
  return version && { base: name.slice(0, at), version };
}

export function rangeIn(name: ServiceName): RangeName | undefined {
  const at = separatorOf(name);
  if (at === undefined) return undefined;
  const range = name.slice(at + 1);
  return versionOf(range) === undefined ? new RangeName(name.slice(0, at), range) : undefined;
}

function parseRange(text: string): Range | undefined {
  if (text.length > MAX_RANGE_BYTES) return undefined;
  try {
    return new Range(text);
  } catch {
    return undefined;
  }
}

/** The prefix of a wildcard; `undefined` for other names. */
export function prefixIn(name: ServiceName): string | undefined {
  return name.endsWith("*") ? name.slice(0, -1) : undefined;
}

/**
 * Whether workers that offer one name may serve requests for another. `Offers` chooses among several services.
 * @param range that the wanted name has
 */
export function covers(offered: ServiceName, wanted: ServiceName, range: RangeName | undefined): boolean {
  if (offered === wanted) return true;
  const prefix = prefixIn(offered);
  if (prefix !== undefined && wanted.startsWith(prefix)) return true;
  const version = versionIn(offered);
  if (version === undefined || version.base !== range?.base) return false;
  return range.range?.test(version.version) === true;
}

/** The index of the last `@`, unless nothing is before or after it. */
function separatorOf(name: ServiceName): number | undefined {
  const at = name.lastIndexOf("@");
  return at > 0 && at < name.length - 1 ? at : undefined;
}

/** `undefined` also for a number that starts with a zero or is too large. */
function versionOf(text: string): SemVer | undefined {
  return THREE_NUMBERS.test(text) ? (parse(text) ?? undefined) : undefined;
}
