// BullMQ: a request is a job, and its reply is the value that the job returns. BullMQ does more than the other systems here:
// it keeps jobs and results in Redis, where they outlive client and worker, and gives the job of a dead worker to another.

import { Queue, QueueEvents, type RedisOptions, Worker } from "bullmq";
import type { EchoRequest, Peer } from "../peer.ts";
import { startRedis } from "./redis.ts";

const QUEUE = "echo";
/** The default is 1. Every other peer's worker takes any number of requests. */
const CONCURRENCY = 1000;
/** Completed jobs to keep: more than are in flight, because `waitUntilFinished` fails if the job is already removed. */
const KEPT = 2000;
/** Jobs before the run. V8 optimizes the code after some thousand jobs, which is more than the run's own warm-up has. */
const WARMING = 4000;

export const bullmq: Peer = {
  broker: startRedis,

  async worker(address) {
    const worker = new Worker<EchoRequest, EchoRequest>(QUEUE, async ({ data }) => data, {
      connection: connectionTo(address),
      concurrency: CONCURRENCY,
    });
    worker.on("error", console.error);
    await worker.waitUntilReady();
    return { address };
  },

  async client(address) {
    const connection = connectionTo(address);
    const queue = new Queue<EchoRequest, EchoRequest, "echo">(QUEUE, {
      connection,
      defaultJobOptions: { removeOnComplete: { count: KEPT } },
    });
    const events = new QueueEvents(QUEUE, { connection });
    // Each request in flight adds a listener.
    queue.setMaxListeners(0);
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const call = async (request: EchoRequest) => (await queue.add("echo", request)).waitUntilFinished(events);
    await Promise.all(Array.from({ length: 100 }, () => repeat(WARMING / 100, () => call({ text: "warming up" }))));
    return {
      call: (request, done) => void call(request).then((reply) => done(undefined, reply), done),
    };
  },
};

function connectionTo(address: string): RedisOptions {
  return { url: address, maxRetriesPerRequest: null };
}

async function repeat(times: number, act: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) await act();
}
