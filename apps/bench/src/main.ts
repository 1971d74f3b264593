// `pnpm bench [command] [arguments]`: runs one benchmark.

import { quoted } from "./command-line.ts";

interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<{ run(args: readonly string[], commandLine: string): Promise<void> }>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  compare: {
    usage: "[--quick] [--only PEERS] [--cases CASES] [--seconds N]",
    summary: "Compare PIGATO with other systems. The default command.",
    load: () => import("./compare.ts"),
  },
  against: {
    usage: "COMMIT [COMMIT] [--seconds N] [--cases CASES]",
    summary: "Compare this tree with a commit, or the second commit with the first: CPU per request and rates.",
    load: () => import("./against.ts"),
  },
  core: {
    usage: "[ROUNDS]",
    summary: "Measure CPU per request in the broker's core as the broker grows.",
    load: () => import("./core.ts"),
  },
  broker: {
    usage: "[ROUNDS]",
    summary: "Measure CPU per request in a whole broker as it grows.",
    load: () => import("./broker.ts"),
  },
  dialects: {
    usage: "[ROUNDS]",
    summary: "Measure CPU per request in a whole broker for each dialect.",
    load: () => import("./dialects.ts"),
  },
  profile: {
    usage: "[SECONDS]",
    summary: "Profile client, broker and worker, and show the CPU per request by activity.",
    load: () => import("./profile.ts"),
  },
  frames: {
    usage: "[ROUNDS]",
    summary: "Measure CPU per round trip for frames, and for one frame with all names.",
    load: () => import("./frames.ts"),
  },
  services: {
    usage: "[ROUNDS]",
    summary: "Measure what typed methods and validation add to the CPU of a call.",
    load: () => import("./services.ts"),
  },
  streams: {
    usage: "[ROUNDS]",
    summary: "Measure CPU per chunk of streamed input and of streamed replies.",
    load: () => import("./streams.ts"),
  },
  transport: {
    usage: "[ROUNDS]",
    summary: "Measure requests per second of each transport without a broker.",
    load: () => import("./transport.ts"),
  },
  record: {
    usage: "[--seconds N] [--machine TEXT]",
    summary: "Run all measurements of the docs, save the results, and write the pages and charts.",
    load: () => import("./record.ts"),
  },
  page: {
    usage: "",
    summary: "Write the pages and charts of the docs from the saved results.",
    load: () => import("./page/page.ts"),
  },
};

const HELP = `Usage: pnpm bench [command] [arguments]

${Object.entries(COMMANDS)
  .map(([name, { usage, summary }]) => `  ${`${name} ${usage}`.trim()}\n      ${summary}`)
  .join("\n")}

Options of compare and against:
  --quick          Measure fewer cases and peers, in about a minute (compare only).
  --only PEERS     Measure only these peers, separated by commas (compare only).
  --cases CASES    Measure only these cases, separated by commas, for example "20 B × 100,partials".
  --seconds N      Measure for N seconds, not counting start and warm-up.
  --burst-ms N     Measure each sample for N milliseconds.
  --json FILE      Write the results as JSON to FILE, not to the terminal.
`;

const [, , first = "compare", ...rest] = process.argv;
// Without a command, options are those of `compare`.
const isOption = first.startsWith("-") && !["--help", "-h"].includes(first);
const [name, args] = isOption ? ["compare", [first, ...rest]] : [first, rest];
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;

if (["help", "--help", "-h"].includes(name) || args.includes("--help")) {
  console.log(HELP);
} else if (command === undefined) {
  console.error(`unknown command "${name}"\n\n${HELP}`);
  process.exitCode = 1;
} else {
  try {
    const { run } = await command.load();
    await run(args, `pnpm bench ${quoted([name, ...args])}`);
  } catch (error) {
    console.error(`pnpm bench ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
