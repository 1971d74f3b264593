// Writes the data set. Usage: pnpm --filter @pigato/stocks run data

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMPANIES, generatePrices } from "./generated-prices.ts";

for (const company of COMPANIES) {
  writeFileSync(join(import.meta.dirname, "../data", `${company.ticker}.csv`), generatePrices(company));
}
