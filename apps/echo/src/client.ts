// A client that sends a few requests in each of the three ways. Usage: node dist/client.js [address]

import { Client } from "@pigato/client";

const client = new Client(process.argv[2] ?? "tcp://localhost:55555");
await client.start();

await timed("call: one answer, as a promise", async () => {
  console.log("  answer ", await client.call("echo", { hello: "world" }));
});

await timed("stream: every part as it comes", async () => {
  for await (const part of client.request("echo", { repeat: 3, text: "part" })) console.log("  chunk  ", part);
});

await timed("callbacks: parts, then the end", async () => {
  await new Promise<void>((resolve, reject) => {
    client.request(
      "echo",
      { repeat: 2, text: "step" },
      (_error, part) => console.log("  partial", part),
      (error, last) => {
        console.log("  final  ", last);
        if (error) reject(error);
        else resolve();
      },
    );
  });
});

await timed("1000 calls at once", async () => {
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, number) => client.call("echo", number)));
  console.log(
    "  answers",
    answers.length,
    "in order:",
    answers.every((answer, number) => answer === number),
  );
});

await client.stop();

async function timed(title: string, run: () => Promise<void>): Promise<void> {
  console.log(title);
  const start = performance.now();
  await run();
  console.log(`  took    ${(performance.now() - start).toFixed(1)} ms`);
}
