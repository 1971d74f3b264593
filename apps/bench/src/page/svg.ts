// Renders a Vega-Lite chart as an SVG file, without a browser. The same figures always give the same file. The file carries
// its own background, and a style that swaps every color where the reader prefers a dark one.

import { parse, resetSVGDefIds, View } from "vega";
import { type Config, compile, type TopLevelSpec } from "vega-lite";

/** For each use of a color: on a light background, and on a dark one. The style finds the second by the first. */
const SCHEMES = {
  background: ["#ffffff", "#1b1b1f"],
  text: ["#3c3c43", "#dfdfd6"],
  grid: ["#e2e2e5", "#3a3a42"],
  first: ["#3451b2", "#a8b1ff"],
  second: ["#b7580b", "#f0a860"],
  third: ["#18794e", "#3dd68c"],
  other: ["#7c7c86", "#8e8e98"],
} as const;

export const COLORS: Readonly<Record<keyof typeof SCHEMES, string>> = {
  background: SCHEMES.background[0],
  text: SCHEMES.text[0],
  grid: SCHEMES.grid[0],
  first: SCHEMES.first[0],
  second: SCHEMES.second[0],
  third: SCHEMES.third[0],
  other: SCHEMES.other[0],
};

const CONFIG: Config = {
  aria: false,
  background: COLORS.background,
  font: "system-ui, sans-serif",
  view: { stroke: null },
  facet: { spacing: 24 },
  axis: {
    domain: false,
    ticks: false,
    labelColor: COLORS.text,
    labelFontSize: 11,
    titleColor: COLORS.text,
    titleFontSize: 12,
    titleFontWeight: "normal",
    gridColor: COLORS.grid,
    labelLimit: 300,
    labelFlush: false,
  },
  header: { labelColor: COLORS.text, labelFontSize: 13, labelFontWeight: "bold" },
  legend: { orient: "top", title: null, labelColor: COLORS.text, labelFontSize: 12 },
  text: { color: COLORS.text, fontSize: 10 },
};

/** @param description the text for readers who do not see the chart */
export async function renderSvg(description: string, spec: TopLevelSpec): Promise<string> {
  resetSVGDefIds();
  const view = new View(parse(compile(spec, { config: CONFIG }).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  const rules = Object.values(SCHEMES).map(
    ([light, dark]) => ` [fill="${light}"] { fill: ${dark} } [stroke="${light}"] { stroke: ${dark} }`,
  );
  const head = `<title>${escaped(description)}</title>\n<style>@media (prefers-color-scheme: dark) {${rules.join("")}}</style>\n`;
  const afterRoot = svg.indexOf(">") + 1;
  return `${svg.slice(0, afterRoot)}\n${head}${compact(svg.slice(afterRoot))}\n`;
}

/** Drops what nobody can see (digits, empty backgrounds, hooks for scripts) and gives each element a line: a new run is a readable diff. */
function compact(svg: string): string {
  return svg
    .replaceAll(/<path class="background"[^>]*\/>/g, "")
    .replaceAll(/ (?:class|role|pointer-events|aria-[a-z]+)="[^"]*"/g, "")
    .replaceAll(/="[^"]*"/g, (value) =>
      value.replaceAll(/-?\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1)))),
    )
    .replaceAll("><", ">\n<");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
