// Chromium as the system has it. Where there is none, tests are skipped, but never in CI.

import { existsSync } from "node:fs";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @throws Error in CI if there is none */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  const found = named ?? PLACES.find((place) => existsSync(place));
  if (found === undefined && process.env.CI) {
    throw new Error("the page is tested in Chromium: install it (apt-get install chromium) or set CHROMIUM_PATH");
  }
  return found;
}
