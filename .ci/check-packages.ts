// Checks that the packages work as published: packs every public package, lints the tarballs, installs the client, the
// worker, the broker and the directory with only their dependencies into empty folders outside the repository, and sends a
// request from one to another.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { on } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const signal = AbortSignal.timeout(240_000);

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifests = new Map<string, { readonly folder: string; readonly manifest: Manifest }>();
for (const folder of readdirSync(join(ROOT, "packages"))) {
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8"));
  if (!manifest.private) manifests.set(manifest.name, { folder: join(ROOT, "packages", folder), manifest });
}

const place = mkdtempSync(join(tmpdir(), "pigato-packages-"));
try {
  const tarballs = new Map([...manifests.keys()].map((name) => [name, pack(name)]));
  for (const [name, tarball] of tarballs) {
    run(ROOT, "publint", ["run", tarball, "--strict"]);
    run(ROOT, "attw", [tarball]);
    console.log(`${name}: packed and linted`);
  }
  const broker = install("@pigato/broker", tarballs);
  const worker = install("@pigato/worker", tarballs);
  const client = install("@pigato/client", tarballs);
  const directory = install("@pigato/directory", tarballs);
  await sendRequest(broker, worker, client, directory);
  requireClassic(install("pigato", tarballs));
} finally {
  rmSync(place, { recursive: true, force: true });
}

function pack(name: string): string {
  const folder = join(place, "tarballs", name.replace("/", "-"));
  mkdirSync(folder, { recursive: true });
  run(manifests.get(name)?.folder ?? ROOT, "pnpm", ["pack", "--pack-destination", folder]);
  const [file = ""] = readdirSync(folder);
  return join(folder, file);
}

/** Installs one package with only its dependencies, outside of the workspace. */
function install(name: string, tarballs: ReadonlyMap<string, string>): string {
  const folder = join(place, "apps", name.replace("/", "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const needed = [...withDependencies(name)].map((dependency) => tarballs.get(dependency) ?? "");
  run(folder, "npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...needed]);
  const installed = readdirSync(join(folder, "node_modules", "@pigato")).map((entry) => `@pigato/${entry}`);
  console.log(
    `${name}: installed with ${installed.filter((other) => other !== name).join(", ")} and nothing else of ours`,
  );
  return folder;
}

function withDependencies(name: string, found: Set<string> = new Set()): Set<string> {
  found.add(name);
  for (const dependency of Object.keys(manifests.get(name)?.manifest.dependencies ?? {})) {
    if (manifests.has(dependency) && !found.has(dependency)) withDependencies(dependency, found);
  }
  return found;
}

async function sendRequest(
  brokerFolder: string,
  workerFolder: string,
  clientFolder: string,
  directoryFolder: string,
): Promise<void> {
  const channel = `ipc://${join(place, "channel.sock")}`;
  const children: ChildProcess[] = [];
  const start = (folder: string, command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    return child;
  };
  try {
    const broker = start(brokerFolder, join(brokerFolder, "node_modules/.bin/pigato-broker"), [
      "--bind",
      "tcp://127.0.0.1:*",
      "--intch",
      channel,
    ]);
    const address = (await line(broker, /tcp:\S+/))[0];
    writeFileSync(
      join(workerFolder, "worker.js"),
      `import { Worker } from "@pigato/worker";
       const worker = new Worker("${address}", "echo");
       worker.on("request", (data, reply) => reply.end(data));
       await worker.start();
       console.log("ready");`,
    );
    await line(start(workerFolder, process.execPath, ["worker.js"]), /ready/);
    writeFileSync(
      join(directoryFolder, "directory.js"),
      `import { Directory } from "@pigato/directory";
       await new Directory("${address}", { intch: "${channel}" }).start();
       console.log("ready");`,
    );
    await line(start(directoryFolder, process.execPath, ["directory.js"]), /ready/);
    writeFileSync(
      join(clientFolder, "client.js"),
      `import { Client } from "@pigato/client";
       const client = new Client("${address}");
       await client.start();
       for await (const { data } of client.broadcast("echo", "from an empty folder", { timeout: 10000 }))
         console.log("answer", data);
       await client.stop();`,
    );
    await line(start(clientFolder, process.execPath, ["client.js"]), /answer from an empty folder/);
    console.log("a request went from one empty folder to another and back");
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** The same package by `require` from CommonJS and by `import`. */
function requireClassic(folder: string): void {
  writeFileSync(
    join(folder, "all.cjs"),
    `const PIGATO = require("pigato");
     const address = "ipc://${join(place, "classic.sock")}";
     const broker = new PIGATO.Broker(address);
     const worker = new PIGATO.Worker(address, "echo");
     const client = new PIGATO.Client(address);
     worker.on("request", (data, reply) => reply.end(data));
     broker.start(() => { worker.start(); client.start(); });
     client.request("echo", "hi", undefined, (err, data) => {
       if (err !== 0 || data !== "hi") throw new Error(String(err));
       for (const peer of [client, worker, broker]) peer.stop();
       import("pigato").then(({ default: all, Broker }) => {
         if (all !== PIGATO || Broker !== PIGATO.Broker) throw new Error("not the same");
       });
     });`,
  );
  run(folder, process.execPath, ["--throw-deprecation", "all.cjs"]);
  console.log("pigato: required, imported, and asked");
}

async function line(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  if (child.stdout === null) throw new Error("a process without output");
  for await (const [text] of on(createInterface(child.stdout), "line", { signal, close: ["close"] })) {
    const match = pattern.exec(text);
    if (match) return match;
  }
  throw new Error(`a process ended without a line that matches ${pattern}`);
}

function run(folder: string, command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { cwd: folder, stdio: "pipe", encoding: "utf8" });
  } catch (error) {
    const output = error instanceof Error ? `${Reflect.get(error, "stdout")}\n${Reflect.get(error, "stderr")}` : "";
    throw new Error(`${command} ${args.join(" ")} failed in ${folder}\n${output}`, { cause: error });
  }
}
