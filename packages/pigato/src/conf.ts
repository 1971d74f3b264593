// The `conf` of classic code: a plain object with any keys, which may change at any time. The adapter selects the options of a
// peer when it creates the peer, and looks up listeners at each event.

import { guarded } from "@pigato/peer";

/** A listener in a `conf`. `null` and `undefined` mean none; it may be set and removed at any time. */
export type Listener = (() => void) | null | undefined;

/**
 * A `conf`: the options of a peer, all writable, its listeners, and any other key. See `lifecycle.ts` for the spelling of a
 * listener's name with three n.
 */
export type ConfOf<Options, ListenerName extends string> = {
  -readonly [Name in keyof Options as Exclude<Name, OptionListener>]: Options[Name];
} & { [Name in ListenerName]?: Listener } & { [other: string]: unknown };

type OptionListener = "onStart" | "onStop" | "onConnect" | "onDisconnect";

/** Calls the listeners with these names. */
export function callListeners(conf: object, ...names: readonly string[]): void {
  for (const name of names) {
    const listener: unknown = Reflect.get(conf, name);
    if (typeof listener === "function") guarded(() => Reflect.apply(listener, undefined, []));
  }
}

/** The entries of a `conf` that are options of the peer and have a value. */
export function pickOptions<Conf extends object>(conf: Conf, isOption: (name: string) => boolean): Conf {
  const picked = { ...conf };
  for (const name of Object.keys(picked)) {
    const value: unknown = Reflect.get(picked, name);
    if (value === undefined || value === null || !isOption(name)) Reflect.deleteProperty(picked, name);
  }
  return picked;
}
