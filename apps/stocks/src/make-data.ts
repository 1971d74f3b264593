// Writes the data set anew. Usage: pnpm --filter @pigato/stocks run data

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMPANIES, inventPrices } from "./invented-prices.ts";

for (const company of COMPANIES) {
  writeFileSync(join(import.meta.dirname, "../data", `${company.ticker}.csv`), inventPrices(company));
}
