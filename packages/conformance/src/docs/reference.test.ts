// The reference pages match the code. Tables of options and events stand between two marks and are generated:
// `npx vitest run packages/conformance/src/docs/reference.test.ts -u` writes them. The meaning of an option or an event is its doc
// comment; the allowed values of an option come from its schema. Errors are written by hand, with a row for every code.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isSchema, type Member, membersOf, wordsOf } from "./declarations.ts";
import { allowedValues, optionsOf } from "./option-schemas.ts";
import { ROOT, textOf } from "./pages.ts";

const OPTIONS = "docs/reference/options.md";
const EVENTS = "docs/reference/events.md";
const ERRORS = "docs/reference/errors.md";
const WARNINGS = "docs/reference/warnings.md";
/** `<!-- BrokerSchema in packages/broker/src/schema.ts -->`, the table, `<!-- end -->` */
const TABLE = /(<!-- (\w+) in (\S+) -->\n).*?(<!-- end -->)/gs;

describe.each([
  { page: OPTIONS, rows: optionRows, required: [/^Broker/, /^Peer/, /^Worker/, /^Client/, /^Call/] },
  { page: EVENTS, rows: eventRows, required: [/^Broker/, /^Peer/, /^Worker/] },
])("$page", ({ page, rows, required }) => {
  const tables = [...textOf(page).matchAll(TABLE)].map(([, , name = "", file = ""]) => ({ name, file }));

  test("has a table of each kind", () => {
    for (const pattern of required)
      expect(tables.map(({ name }) => name)).toContainEqual(expect.stringMatching(pattern));
  });

  test.each(tables)("has a meaning for each of $name", ({ name, file }) => {
    expect(
      membersOf(file, name)
        .filter(({ text }) => text === "")
        .map((member) => member.name),
    ).toEqual([]);
  });

  test("matches the sources (-u writes it)", async () => {
    const written = new Map<string, string>();
    for (const { name, file } of tables) written.set(name, (await rows(file, name)).join("\n"));
    const text = textOf(page).replaceAll(
      TABLE,
      (_, start, name, _file, end) => `${start}\n${written.get(name)}\n\n${end}`,
    );
    await expect(text).toMatchFileSnapshot(join(ROOT, page));
  });
});

const schemas = [...textOf(OPTIONS).matchAll(TABLE)]
  .map(([, , name = "", file = ""]) => ({ name, file }))
  .filter(({ name, file }) => isSchema(file, name));

test.each(schemas)("the doc comments of $name state the defaults of its numbers", async ({ name, file }) => {
  const options = await optionsOf(file, name);
  const numbers = membersOf(file, name).filter((member) => typeof options.get(member.name)?.makeDefault() === "number");
  for (const { name: option, byDefault = "" } of numbers)
    expect([option, numberIn(byDefault)]).toEqual([option, options.get(option)?.makeDefault()]);
});

test.each([
  { type: "FailureCode", file: "packages/protocol/src/errors.ts", page: ERRORS },
  { type: "Delivery", file: "packages/protocol/src/errors.ts", page: ERRORS },
  { type: "LinkErrorCode", file: "packages/transport/src/link.ts", page: ERRORS },
  { type: "RejectionCode", file: "packages/transport/src/link.ts", page: EVENTS },
  { type: "NoticeState", file: "packages/protocol/src/message.ts", page: EVENTS },
  { type: "LossReason", file: "packages/peer/src/session/connection.ts", page: EVENTS },
  { type: "WorkerDownReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
  { type: "ClientDownReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
  { type: "DropReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
  { type: "WarningCode", file: "packages/peer/src/warnings.ts", page: WARNINGS },
])("$page has a row for each $type, and no other", ({ type, file, page }) => {
  const section = textOf(page).split(`<!-- ${type} -->`)[1]?.split(/^#/m)[0] ?? "";
  const reported = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, word]) => word).slice(1);
  expect(reported.sort()).toEqual(wordsOf(file, type).sort());
});

async function optionRows(file: string, name: string): Promise<string[]> {
  const members = membersOf(file, name);
  if (!isSchema(file, name)) {
    return [
      "| Option | Default | Meaning |",
      "| --- | --- | --- |",
      ...members.map(({ name, byDefault = "–", text }) => `| \`${name}\` | ${cell(byDefault)} | ${cell(text)} |`),
    ];
  }
  const options = await optionsOf(file, name);
  return [
    "| Option | Allowed values | Default | Meaning |",
    "| --- | --- | --- | --- |",
    ...members.map(({ name, byDefault = "–", text }) => {
      const allowed = allowedValues(options.get(name));
      return `| \`${name}\` | ${cell(allowed)} | ${cell(byDefault)} | ${cell(text)} |`;
    }),
  ];
}

function eventRows(file: string, name: string): string[] {
  return [
    "| Event | Carries | When |",
    "| --- | --- | --- |",
    ...membersOf(file, name).map(({ name, carries, text }: Member) => {
      const names = carries.map((field) => `\`${field}\``).join(", ");
      return `| \`${name}\` | ${names === "" ? "–" : names} | ${cell(text)} |`;
    }),
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** `1 000 000`, `64 MiB`. */
function numberIn(text: string): number {
  const [, digits = "", unit] = /^([\d ]+\d|\d)(?: (MiB|GiB))?/.exec(text) ?? [];
  const factor = unit === "GiB" ? 2 ** 30 : unit === "MiB" ? 2 ** 20 : 1;
  return Number(digits.replaceAll(" ", "")) * factor;
}
