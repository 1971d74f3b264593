// `conf` as classic code has it: a plain object that anybody may read and change, with whatever keys. What of it is an
// option of a peer is picked out when the peer is made; the listeners among them are looked up when their event comes.

/** A listener in a `conf`. `null` and `undefined` are none; it may be set and taken away at any time. */
export type Listener = (() => void) | null | undefined;

/**
 * A `conf`: the options of a peer, to be changed as one likes, its listeners, and any other key. Of a listener's name
 * spelt with three n, see `lives.ts`.
 */
export type ConfOf<Options, ListenerName extends string> = {
  -readonly [Name in keyof Options as Exclude<Name, OptionListener>]: Options[Name];
} & { [Name in ListenerName]?: Listener } & { [other: string]: unknown };

type OptionListener = "onStart" | "onStop" | "onConnect" | "onDisconnect";

/** Calls the listeners of these names, where there are any. */
export function callListeners(conf: object, ...names: readonly string[]): void {
  for (const name of names) {
    const listener: unknown = Reflect.get(conf, name);
    if (typeof listener === "function") Reflect.apply(listener, undefined, []);
  }
}

/** What a peer is to be told of a `conf`: its own options that have a value. */
export function pickOptions<Conf extends object>(conf: Conf, isOption: (name: string) => boolean): Conf {
  const picked = { ...conf };
  for (const name of Object.keys(picked)) {
    const value: unknown = Reflect.get(picked, name);
    if (value === undefined || value === null || !isOption(name)) Reflect.deleteProperty(picked, name);
  }
  return picked;
}
