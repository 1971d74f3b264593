// A client that reads replies in each of the three ways. Usage: node dist/client.js [address]

import { Client } from "@pigato/client";
import { echo } from "./contract.ts";

const client = new Client(process.argv[2] ?? "tcp://localhost:55555");
await client.start();
const api = client.of(echo);

await timed("call: one reply, as a promise", async () => {
  console.log("  reply  ", await api.say({ hello: "world" }));
});

await timed("stream: every chunk as it arrives", async () => {
  for await (const chunk of api.repeat({ text: "part", times: 3 })) console.log("  chunk  ", chunk);
});

await timed("callbacks, without the contract: chunks, then the end", async () => {
  await new Promise<void>((resolve, reject) => {
    client.request(
      "echo",
      { text: "step", times: 2 },
      (_error, partial) => console.log("  partial", partial),
      (error, reply) => {
        console.log("  final  ", reply);
        if (error) reject(error);
        else resolve();
      },
      { method: "repeat" },
    );
  });
});

await timed("1000 calls at once", async () => {
  const replies = await Promise.all(Array.from({ length: 1000 }, (_, number) => api.say(number)));
  console.log(
    "  replies",
    replies.length,
    "in order:",
    replies.every((reply, number) => reply === number),
  );
});

await client.stop();

async function timed(title: string, run: () => Promise<void>): Promise<void> {
  console.log(title);
  const start = performance.now();
  await run();
  console.log(`  took    ${(performance.now() - start).toFixed(1)} ms`);
}
