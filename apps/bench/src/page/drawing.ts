// One picture as SVG, drawn without a browser, the same each time for the same figures: readable wherever it is shown. It
// brings its own ground with it, and colours for a light and for a dark one; whoever shows it chooses by their colour
// scheme, and where that is not known the light ones stay.

import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GraphicComponent, GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([
  BarChart,
  CustomChart,
  LineChart,
  ScatterChart,
  GraphicComponent,
  GridComponent,
  LegendComponent,
  TitleComponent,
  SVGRenderer,
]);

/** Light, and dark: the second stands in the style of the picture, found by the first, so that all of them differ. */
const SCHEMES = {
  ground: ["#ffffff", "#1b1b1f"],
  text: ["#3c3c43", "#dfdfd6"],
  faint: ["#e2e2e5", "#3a3a42"],
  first: ["#3451b2", "#a8b1ff"],
  second: ["#b7580b", "#f0a860"],
  third: ["#18794e", "#3dd68c"],
  other: ["#7c7c86", "#8e8e98"],
} as const;

export const COLOURS: Readonly<Record<keyof typeof SCHEMES, string>> = {
  ground: SCHEMES.ground[0],
  text: SCHEMES.text[0],
  faint: SCHEMES.faint[0],
  first: SCHEMES.first[0],
  second: SCHEMES.second[0],
  third: SCHEMES.third[0],
  other: SCHEMES.other[0],
};

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** For those who do not see it. */
  readonly description: string;
  /** As ECharts has it. */
  readonly option: Readonly<Record<string, unknown>>;
}

export function draw({ width, height, description, option }: Picture): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({ animation: false, backgroundColor: COLOURS.ground, textStyle: { color: COLOURS.text }, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  const head = `<title>${escaped(description)}</title>\n<style>@media (prefers-color-scheme: dark) {${darkRules()}}</style>\n`;
  const body = stripped(svg);
  const afterRoot = body.indexOf(">") + 1;
  return `${body.slice(0, afterRoot)}\n${head}${body.slice(afterRoot).trimStart()}\n`;
}

function darkRules(): string {
  return Object.values(SCHEMES)
    .map(([light, dark]) => ` [fill="${light}"] { fill: ${dark} } [stroke="${light}"] { stroke: ${dark} }`)
    .join("");
}

/** Left out is what no eye can see: digits, areas for a pointer, and the black of lines and of what cuts others off. */
function stripped(svg: string): string {
  return svg
    .replaceAll(/<style\b[\s\S]*?<\/style>\s*/g, "")
    .replaceAll(/ (class|pointer-events|ecmeta_\w+)="[^"]*"/g, "")
    .replaceAll(/<path\b[^>]* fill-opacity="0"[^>]*><\/path>\s*/g, "")
    .replaceAll(' fill="#000"', "")
    .replaceAll(/="[^"]*"/g, (value) =>
      value.replaceAll(/-?\d+\.\d{2,}/g, (digits) => String(Number(Number(digits).toFixed(1)))),
    );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
