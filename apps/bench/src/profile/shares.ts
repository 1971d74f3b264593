// For what a process used its time, by the samples of a profile. V8 counts a builtin, as `JSON.parse`, to the function that
// calls it, and so does this.

/** The part of a V8 profile that is read here. */
export interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

/** The kinds of work, in the order in which they are shown. */
export const WORKS = [
  "the kernel: writing, reading, waking others",
  "Node's sockets, streams and event loop",
  "collecting garbage",
  "bytes to frames",
  "frames to bytes",
  "frames to messages and back",
  "JSON",
  "deciding: the core and the sessions",
  "links, callers, replies",
  "the benchmark itself",
] as const;

export type Work = (typeof WORKS)[number];

/** In which file of which package which work is done; the first that fits counts. */
const PLACES: readonly (readonly [RegExp, Work])[] = [
  [/^transport\/zmtp\/(frame-reader|message-\w+|peer-reader|handshake|greeting|commands|metadata)$/, "bytes to frames"],
  [/^transport\/zmtp\/frame-writer$/, "frames to bytes"],
  [/^protocol\/(payload|errors)$/, "JSON"],
  [/^protocol\/(deadlines|connection|id-index|lease)$/, "deciding: the core and the sessions"],
  [/^protocol\//, "frames to messages and back"],
  [/^(broker\/core|client\/session|worker\/session)\//, "deciding: the core and the sessions"],
  [/^broker\/reading$/, "frames to messages and back"],
  [/./, "links, callers, replies"],
];
const PACKAGE_FILE = /\/packages\/([a-z-]+)\/(?:dist|src)\/(.+)\.[jt]s$/;
const IN_THE_KERNEL: ReadonlySet<string> = new Set(["(program)", "writeBuffer", "writev", "readStart"]);

/** @returns the share of each work in the time in which the process was busy; together 1 */
export function sharesOf({ nodes, samples, timeDeltas }: Profile): ReadonlyMap<Work, number> {
  const works = new Map(nodes.map(({ id, callFrame }) => [id, workOf(callFrame)]));
  const micros = new Map<Work, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const work = works.get(id);
    if (work === undefined) continue;
    const delta = timeDeltas[index] ?? 0;
    micros.set(work, (micros.get(work) ?? 0) + delta);
    busy += delta;
  }
  return new Map([...micros].map(([work, sum]) => [work, sum / busy]));
}

/** `undefined`: it was idle, or nothing is known. */
function workOf({ functionName, url }: CallFrame): Work | undefined {
  // `dispatch` is how the profiler is told to start and to stop.
  if (url === "" && ["(idle)", "(root)", "dispatch"].includes(functionName)) return undefined;
  if (functionName === "(garbage collector)") return "collecting garbage";
  if (url === "" && IN_THE_KERNEL.has(functionName)) return "the kernel: writing, reading, waking others";
  const [, home, file] = PACKAGE_FILE.exec(url) ?? [];
  if (home !== undefined && file !== undefined) {
    return PLACES.find(([pattern]) => pattern.test(`${home}/${file}`))?.[1];
  }
  return url.includes("/apps/bench/") ? "the benchmark itself" : "Node's sockets, streams and event loop";
}
