// A client that sends requests in each of the three ways. Usage: node dist/client.js [address]

import { Client } from "@pigato/client";

const client = new Client(process.argv[2] ?? "tcp://localhost:55555");
await client.start();

await timed("call: one reply, as a promise", async () => {
  console.log("  reply  ", await client.call("echo", { hello: "world" }));
});

await timed("stream: every chunk as it arrives", async () => {
  for await (const chunk of client.request("echo", { repeat: 3, text: "part" })) console.log("  chunk  ", chunk);
});

await timed("callbacks: partials, then the final reply", async () => {
  await new Promise<void>((resolve, reject) => {
    client.request(
      "echo",
      { repeat: 2, text: "step" },
      (_error, partial) => console.log("  partial", partial),
      (error, reply) => {
        console.log("  final  ", reply);
        if (error) reject(error);
        else resolve();
      },
    );
  });
});

await timed("1000 calls at once", async () => {
  const replies = await Promise.all(Array.from({ length: 1000 }, (_, number) => client.call("echo", number)));
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
