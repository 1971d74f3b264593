// A bar that grows while somebody looks; elsewhere nothing is written.

/** @param done 0 to 1; 1 takes the bar away */
export function showProgress(done: number, what: string): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round(done * 30);
  const bar = `${"█".repeat(filled)}${"░".repeat(30 - filled)} ${Math.round(done * 100)} %  ${what}`;
  process.stderr.write(`\r\x1b[K${done === 1 ? "" : bar}`);
}
