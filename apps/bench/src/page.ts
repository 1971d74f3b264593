// Makes the page of the benchmarks and its charts from the records beside it, with nothing measured anew.
//
//   pnpm bench page

import { writePage } from "./page/page.ts";

await writePage();
