// One case of `pnpm bench services`, in its own process: a broker, a worker or a host, and a client over loopback TCP. Each round makes
// 20,000 calls with a JSON object of 20 bytes, and reports the nanoseconds of CPU per call. The name of the case: `form × in flight`.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Host, service, unary } from "@pigato/service";
import { Worker } from "@pigato/worker";
import { z } from "zod";
import { serveRounds } from "../rounds.ts";
import { FORMS, type Form } from "./forms.ts";

const CALLS_PER_ROUND = 20_000;
const DATA = { text: "123456789" };
const UNLIMITED = { concurrency: -1 };
const ECHO = z.object({ text: z.string() });

const PLAIN = service("echo", { echo: unary<typeof DATA, typeof DATA>() });
const VALIDATED = service("echo", { echo: unary({ input: ECHO, output: ECHO }) });

const [name = "", inFlight = ""] = (process.argv[2] ?? "").split(" × ");
const form = FORMS[name];
if (form === undefined) throw new Error(`unknown form "${name}"`);
const broker = new Broker("tcp://127.0.0.1:*");
await broker.start();
const [address = ""] = broker.addresses;
const client = new Client(address);
await client.start();
const call = await start(form);

serveRounds(async () => {
  const before = process.cpuUsage();
  let left = CALLS_PER_ROUND;
  const callInTurn = async (): Promise<void> => {
    for (; left > 0; left--) await call();
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, callInTurn));
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / CALLS_PER_ROUND;
});

async function start({ isTyped, validates }: Form): Promise<() => Promise<unknown>> {
  if (!isTyped) {
    const worker = new Worker(address, "echo", UNLIMITED);
    worker.on("request", (data) => data);
    await worker.start();
    return () => client.call("echo", DATA);
  }
  const host = new Host(address, { ...UNLIMITED, validateOutput: validates === "output" || validates === "client" });
  const handlers = { echo: (data: typeof DATA) => data };
  if (validates === undefined) host.serve(PLAIN, handlers);
  else host.serve(VALIDATED, handlers);
  await host.start();
  const api = validates === "client" ? client.of(VALIDATED, { validate: true }) : client.of(PLAIN);
  return () => api.echo(DATA);
}
