// Sorts the samples of a V8 profile by activity. V8 attributes a builtin such as `JSON.parse` to the function that calls it.

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

/** In the order of the rows. */
export const ACTIVITIES = [
  "kernel: write, read, wake processes",
  "Node: sockets, streams, event loop",
  "garbage collection",
  "ZMTP: bytes to frames",
  "ZMTP: frames to bytes",
  "codec: frames to messages and back",
  "JSON",
  "core and sessions",
  "links, calls, replies",
  "benchmark",
] as const;

export type Activity = (typeof ACTIVITIES)[number];

/** Activity by file, as `package/path`; the first match counts. */
const FILES: readonly (readonly [RegExp, Activity])[] = [
  [
    /^transport\/zmtp\/(frame-reader|message-\w+|peer-reader|handshake|greeting|commands|metadata|mechanism\/.*)$/,
    "ZMTP: bytes to frames",
  ],
  [/^transport\/zmtp\/frame-writer$/, "ZMTP: frames to bytes"],
  [/^protocol\/(payload|errors)$/, "JSON"],
  [/^protocol\/(internal\/)?(deadlines|connection|id-index|lease)$/, "core and sessions"],
  [/^protocol\//, "codec: frames to messages and back"],
  [/^(broker\/core|client\/session|worker\/session|peer\/(session|flow))\//, "core and sessions"],
  [/^broker\/reading$/, "codec: frames to messages and back"],
  [/./, "links, calls, replies"],
];
const PACKAGE_FILE = /\/packages\/([a-z-]+)\/(?:dist|src)\/(.+)\.[jt]s$/;
const KERNEL_FUNCTIONS: ReadonlySet<string> = new Set(["(program)", "writeBuffer", "writev", "readStart"]);

/** @returns the share of each activity in the time in which the process was busy; the sum is 1 */
export function activityShares({ nodes, samples, timeDeltas }: Profile): ReadonlyMap<Activity, number> {
  const activities = new Map(nodes.map(({ id, callFrame }) => [id, activityOf(callFrame)]));
  const micros = new Map<Activity, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const activity = activities.get(id);
    if (activity === undefined) continue;
    const delta = timeDeltas[index] ?? 0;
    micros.set(activity, (micros.get(activity) ?? 0) + delta);
    busy += delta;
  }
  return new Map([...micros].map(([activity, sum]) => [activity, sum / busy]));
}

/** `undefined` if the process was idle, or the activity is unknown. */
function activityOf({ functionName, url }: CallFrame): Activity | undefined {
  // `dispatch` starts and stops the profiler.
  if (url === "" && ["(idle)", "(root)", "dispatch"].includes(functionName)) return undefined;
  if (functionName === "(garbage collector)") return "garbage collection";
  if (url === "" && KERNEL_FUNCTIONS.has(functionName)) return "kernel: write, read, wake processes";
  const [, name, file] = PACKAGE_FILE.exec(url) ?? [];
  if (name !== undefined && file !== undefined) {
    return FILES.find(([pattern]) => pattern.test(`${name}/${file}`))?.[1];
  }
  return url.includes("/apps/bench/") ? "benchmark" : "Node: sockets, streams, event loop";
}
