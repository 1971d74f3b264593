// The `conf` of classic code: a plain object with any keys, which may be changed at any time. The options of a peer are picked
// out when the peer is made; the listeners are looked up at each event.

import { guarded } from "@pigato/peer";

/** A listener in a `conf`. `null` and `undefined` are none; it may be set and taken away at any time. */
export type Listener = (() => void) | null | undefined;

/**
 * A `conf`: the options of a peer, to be changed as one likes, its listeners, and any other key. Of a listener's name
 * spelt with three n, see `lifecycle.ts`.
 */
export type ConfOf<Options, ListenerName extends string> = {
  -readonly [Name in keyof Options as Exclude<Name, OptionListener>]: Options[Name];
} & { [Name in ListenerName]?: Listener } & { [other: string]: unknown };

type OptionListener = "onStart" | "onStop" | "onConnect" | "onDisconnect";

/** Calls the listeners of these names, where there are any. */
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
