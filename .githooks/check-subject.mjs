// Rejects a commit message whose subject is not "scope: what it changes" in at most 60 characters. Its argument is the file of
// the message.

import { readFileSync } from "node:fs";

const MAX_CHARACTERS = 60;
const WRITTEN_BY_GIT = /^(Merge|Revert|fixup!|squash!|amend!) /;
const WITH_SCOPE = /^[a-z0-9][a-z0-9/.-]*(, [a-z0-9][a-z0-9/.-]*)*: [^ ]/;

const [, , file = ""] = process.argv;
const lines = readFileSync(file, "utf8").split("\n");
const subject = lines.find((line) => line !== "" && !line.startsWith("#")) ?? "";
const problem = WRITTEN_BY_GIT.test(subject) ? undefined : problemOf(subject, [...subject].length);
if (problem !== undefined) {
  console.error(`commit-msg: the subject ${problem}`);
  process.exitCode = 1;
}

function problemOf(subject, length) {
  if (!WITH_SCOPE.test(subject)) {
    return `has no scope. Write "worker: fail the reply when a partial is refused", not "${subject}".`;
  }
  if (length > MAX_CHARACTERS) return `has ${length} characters, ${MAX_CHARACTERS} are allowed: "${subject}".`;
  return undefined;
}
