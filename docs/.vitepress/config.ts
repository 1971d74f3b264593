// The site: its navigation, and what becomes of links that leave it. The pages of the API reference and the decisions
// list themselves, so that neither can be forgotten here.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig, type UserConfig } from "vitepress";
import { withoutLinksOutside } from "./outside-links.ts";

const DOCS = fileURLToPath(new URL("../", import.meta.url));

const config: UserConfig<DefaultTheme.Config> = defineConfig({
  title: "PIGATO",
  description: "Brokered microservices over ZeroMQ, in TypeScript",
  lang: "en",
  srcExclude: ["node_modules/**"],
  // A link to a page that is not there fails the build. That its `#part` is there is checked by the tests of the docs.
  ignoreDeadLinks: false,
  markdown: { config: (markdown) => withoutLinksOutside(markdown, DOCS) },
  themeConfig: {
    nav: [
      { text: "Start", link: "/tutorials/first-service" },
      { text: "How to", link: "/how-to/stream-replies" },
      { text: "Reference", link: "/reference/options" },
      { text: "Benchmarks", link: "/benchmarks/" },
      { text: "API", link: "/api/" },
    ],
    sidebar: [
      { text: "Learn", items: [page("tutorials/first-service")] },
      {
        text: "How to",
        items: [
          page("how-to/stream-replies"),
          page("how-to/cancel"),
          page("how-to/name-services"),
          page("how-to/target-a-worker"),
          page("how-to/retry-safely"),
          page("how-to/stop-cleanly"),
          page("how-to/secure-a-broker"),
          page("how-to/connect-a-majordomo-peer"),
          page("how-to/write-a-core-service"),
          page("how-to/migrate-from-pigato"),
        ],
      },
      {
        text: "Reference",
        items: [
          page("reference/options"),
          page("reference/errors"),
          page("reference/events"),
          page("reference/protocol"),
          page("reference/dialects"),
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
    search: { provider: "local" },
  },
});

export default config;

/** A page under its own heading; one that is not there stops the build. */
function page(name: string): DefaultTheme.SidebarItem {
  const heading = /^# (.+)$/m.exec(readFileSync(`${DOCS}${name}.md`, "utf8"))?.[1];
  if (heading === undefined) throw new Error(`${name}.md has no heading`);
  return { text: heading.replaceAll("`", ""), link: `/${name}` };
}

function decisions(): DefaultTheme.SidebarItem[] {
  return readdirSync(`${DOCS}decisions`)
    .filter((file) => /^\d{4}-.*\.md$/.test(file))
    .sort()
    .map((file) => page(`decisions/${file.slice(0, -".md".length)}`));
}

/** What TypeDoc wrote just before. */
function api(): DefaultTheme.SidebarItem[] {
  const file = `${DOCS}api/typedoc-sidebar.json`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}
