// The site: its navigation, and what becomes of links that leave it. The pages of the API reference and the decisions
// list themselves, so that neither can be forgotten here.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig, type UserConfig } from "vitepress";
import { withoutLinksOutside } from "./outside-links.ts";
import { boostDocument } from "./search.ts";

const DOCS = fileURLToPath(new URL("../", import.meta.url));

const config: UserConfig<DefaultTheme.Config> = defineConfig({
  title: "PIGATO",
  description: "Brokered microservices over ZeroMQ, in TypeScript",
  lang: "en",
  head: [["link", { rel: "icon", type: "image/svg+xml", href: "/logo.svg" }]],
  srcExclude: ["node_modules/**"],
  // A link to a page that is not there fails the build. That its `#part` is there is checked by the tests of the docs.
  ignoreDeadLinks: false,
  markdown: { config: (markdown) => withoutLinksOutside(markdown, DOCS) },
  themeConfig: {
    logo: "/logo.svg",
    nav: [
      { text: "Start", link: "/tutorials/first-service" },
      { text: "How to", link: "/how-to/stream-replies" },
      { text: "Reference", link: "/reference/options" },
      { text: "Benchmarks", link: "/benchmarks/" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      { text: "Learn", items: [page("tutorials/first-service")] },
      ...guides({
        "Typed services": ["define-a-service", "share-a-contract", "validate"],
        "Send requests": [
          "stream-replies",
          "stream-input",
          "stream-files",
          "send-bytes",
          "cancel",
          "set-deadlines",
          "retry-safely",
          "intercept-calls",
          "read-reply-headers",
          "nested-calls",
          "cache-replies",
          "store-requests",
        ],
        "Reach workers": [
          "pull-requests",
          "name-services",
          "target-a-worker",
          "broadcast",
          "write-a-core-service",
          "collect-results",
        ],
        "Test and run": ["test-services", "run-in-docker", "secure-a-broker", "stop-cleanly"],
        "Connect others": [
          "interoperate-with-python",
          "connect-a-majordomo-peer",
          "migrate-from-pigato",
          "migrate-from-picom",
          "migrate-from-moleculer",
          "migrate-from-trpc",
        ],
      }),
      {
        text: "Reference",
        items: [
          page("reference/options"),
          page("reference/errors"),
          page("reference/warnings"),
          page("reference/events"),
          page("reference/protocol"),
          page("reference/dialects"),
          page("reference/toolchains"),
          page("reference/glossary"),
          { text: "API", link: "/api/", collapsed: true, items: api() },
        ],
      },
      {
        text: "Understand",
        items: [
          page("explanation/architecture"),
          page("explanation/reliability"),
          page("explanation/performance"),
          page("explanation/differences"),
          page("explanation/promises"),
        ],
      },
      { text: "Benchmarks", link: "/benchmarks/" },
      { text: "Decisions", link: "/decisions/", collapsed: true, items: decisions() },
    ],
    outline: [2, 3],
    search: { provider: "local", options: { miniSearch: { searchOptions: { boostDocument } } } },
  },
});

export default config;

/** A page under its own heading; one that is not there stops the build. */
function page(name: string): DefaultTheme.SidebarItem {
  const heading = /^# (.+)$/m.exec(readFileSync(`${DOCS}${name}.md`, "utf8"))?.[1];
  if (heading === undefined) throw new Error(`${name}.md has no heading`);
  return { text: heading.replaceAll("`", ""), link: `/${name}` };
}

/** The guides by group, and a group of those that are in no other. */
function guides(groups: Readonly<Record<string, readonly string[]>>): DefaultTheme.SidebarItem[] {
  const grouped = Object.values(groups).flat();
  const others = pagesIn("how-to").filter((name) => !grouped.includes(name));
  const all = others.length === 0 ? groups : { ...groups, "More guides": others };
  return Object.entries(all).map(([text, names]) => ({ text, items: names.map((name) => page(`how-to/${name}`)) }));
}

function decisions(): DefaultTheme.SidebarItem[] {
  return pagesIn("decisions")
    .filter((name) => /^\d{4}-/.test(name))
    .map((name) => page(`decisions/${name}`));
}

/** Names of the pages in a folder, without the ending. */
function pagesIn(folder: string): string[] {
  return readdirSync(`${DOCS}${folder}`)
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -".md".length))
    .sort();
}

/** What TypeDoc wrote just before. */
function api(): DefaultTheme.SidebarItem[] {
  const file = `${DOCS}api/typedoc-sidebar.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}
