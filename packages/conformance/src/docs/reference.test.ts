// The reference pages say what the code says. Options and events are tables between two marks, written from the doc
// comments: `npx vitest run packages/conformance/src/docs/reference.test.ts -u` writes them anew. Errors are written by
// hand, and must have a row for every code.

import { join } from "node:path";
import { Broker } from "@pigato/broker";
import { Worker } from "@pigato/worker";
import { describe, expect, test } from "vitest";
import { type Member, membersOf, wordsOf } from "./declarations.ts";
import { ROOT, textOf } from "./pages.ts";

const OPTIONS = "docs/reference/options.md";
const EVENTS = "docs/reference/events.md";
const ERRORS = "docs/reference/errors.md";
/** `<!-- BrokerOptions in packages/broker/src/options.ts -->`, the table, `<!-- end -->` */
const TABLE = /(<!-- (\w+) in (\S+) -->\n).*?(<!-- end -->)/gs;

describe.each([
  { page: OPTIONS, rows: optionRows, told: ["BrokerOptions", "WorkerOptions", "ClientOptions", "CallOptions"] },
  { page: EVENTS, rows: eventRows, told: ["BrokerEvents", "WorkerEvents", "ClientEvents"] },
])("$page", ({ page, rows, told }) => {
  const tables = [...textOf(page).matchAll(TABLE)].map(([, , name = "", file = ""]) => ({ name, file }));

  test("has a table of each kind", () => {
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(told));
  });

  test.each(tables)("knows what each of $name means", ({ name, file }) => {
    expect(
      membersOf(file, name)
        .filter(({ text }) => text === "")
        .map((member) => member.name),
    ).toEqual([]);
  });

  test("shows what the doc comments say (-u writes it anew)", async () => {
    const text = textOf(page).replaceAll(
      TABLE,
      (_, start, name, file, end) => `${start}\n${rows(membersOf(file, name)).join("\n")}\n\n${end}`,
    );
    await expect(text).toMatchFileSnapshot(join(ROOT, page));
  });
});

describe("the defaults that doc comments tell", () => {
  test.each([
    {
      kind: "broker",
      file: "packages/broker/src/options.ts",
      name: "BrokerOptions",
      conf: new Broker("inproc://x").conf,
    },
    {
      kind: "worker",
      file: "packages/worker/src/options.ts",
      name: "WorkerOptions",
      conf: new Worker("inproc://x", "x").conf,
    },
  ])("are those of a $kind", ({ file, name, conf }) => {
    const numbers = membersOf(file, name).filter(({ byDefault }) => /^\d/.test(byDefault ?? ""));
    expect(numbers.length).toBeGreaterThan(5);
    for (const { name, byDefault = "" } of numbers)
      expect([name, Reflect.get(conf, name)]).toEqual([name, numberIn(byDefault)]);
  });
});

test.each([
  { type: "FailureCode", file: "packages/protocol/src/errors.ts", page: ERRORS },
  { type: "Delivery", file: "packages/protocol/src/errors.ts", page: ERRORS },
  { type: "LinkErrorCode", file: "packages/transport/src/link.ts", page: ERRORS },
  { type: "RefusalCode", file: "packages/transport/src/link.ts", page: EVENTS },
  { type: "NoticeState", file: "packages/protocol/src/message.ts", page: EVENTS },
  { type: "LossReason", file: "packages/peer/src/session/connection.ts", page: EVENTS },
  { type: "WorkerDownReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
  { type: "ClientDownReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
  { type: "DropReason", file: "packages/broker/src/core/effects.ts", page: EVENTS },
])("$page has a row for each $type, and no other", ({ type, file, page }) => {
  const section = textOf(page).split(`<!-- ${type} -->`)[1]?.split(/^#/m)[0] ?? "";
  const told = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, word]) => word).slice(1);
  expect(told.sort()).toEqual(wordsOf(file, type).sort());
});

function optionRows(members: readonly Member[]): string[] {
  return [
    "| Option | Default | Meaning |",
    "| --- | --- | --- |",
    ...members.map(({ name, byDefault = "–", text }) => `| \`${name}\` | ${cell(byDefault)} | ${cell(text)} |`),
  ];
}

function eventRows(members: readonly Member[]): string[] {
  return [
    "| Event | Carries | When |",
    "| --- | --- | --- |",
    ...members.map(({ name, carries, text }) => {
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
