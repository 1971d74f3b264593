// The long form: `pnpm chaos [rounds, default 20] [requests per round, default 5000]`.

import { killInTheMiddle } from "./killing.ts";

const rounds = Number(process.argv[2] ?? 20);
const requests = Number(process.argv[3] ?? 5_000);
let bad = 0;

for (let round = 1; round <= rounds; round++) {
  const { answered, failures, wrong } = await killInTheMiddle(requests);
  const failed = [...failures].map(([kind, count]) => `${count} ${kind}`).join(", ");
  console.log(`round ${round}: ${answered} answered, ${failed || "none failed"}, ${wrong} wrong`);
  bad += wrong;
}
process.exitCode = bad === 0 ? 0 : 1;
