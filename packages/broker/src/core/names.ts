// What a name says beyond being one (P-NAME-2): `base@1.2.3` is a version of a service, `base@^1` asks for one within a
// range, `prefix*`, offered by a worker, stands for every name that starts so. Everything else is just a name.
//
// A version is three numbers. One with a pre-release part is found under its exact name alone: so versions of a service
// are in a plain order, and the highest within a range is found without looking at the others.

import type { ServiceName } from "@pigato/protocol";
import { parse, Range, type SemVer } from "semver";

const THREE_NUMBERS = /^\d+\.\d+\.\d+$/;

/** One version of a service. */
export interface VersionName {
  readonly base: string;
  readonly version: SemVer;
}

/** Any version within a range, which is text that nobody has read yet: it may be none. */
export interface RangeName {
  readonly base: string;
  readonly range: string;
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
  return versionOf(range) === undefined ? { base: name.slice(0, at), range } : undefined;
}

/** `undefined` for text that is no range. */
export function parseRange(text: string): Range | undefined {
  try {
    return new Range(text);
  } catch {
    return undefined;
  }
}

/** What every name starts with that a wildcard stands for. */
export function prefixIn(name: ServiceName): string | undefined {
  return name.endsWith("*") ? name.slice(0, -1) : undefined;
}

/** Whether who offers this name may serve requests for that one. Which of several does is another question. */
export function covers(offered: ServiceName, wanted: ServiceName): boolean {
  if (offered === wanted) return true;
  const prefix = prefixIn(offered);
  if (prefix !== undefined && wanted.startsWith(prefix)) return true;
  const one = versionIn(offered);
  const any = rangeIn(wanted);
  if (one === undefined || one.base !== any?.base) return false;
  return parseRange(any.range)?.test(one.version) === true;
}

/** Where the version or range begins: at the last `@`, unless nothing is before or behind it. */
function separatorOf(name: ServiceName): number | undefined {
  const at = name.lastIndexOf("@");
  return at > 0 && at < name.length - 1 ? at : undefined;
}

/** `undefined` also where a number starts with a zero or is too large to be one. */
function versionOf(text: string): SemVer | undefined {
  return THREE_NUMBERS.test(text) ? (parse(text) ?? undefined) : undefined;
}
