// Texts around the chart. The page sets them as text, never as markup.

import type { Point } from "./price-chart.ts";

const PRICE = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const PERCENT = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const SIGNED = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  signDisplay: "exceptZero",
});
const COUNT = new Intl.NumberFormat("en");
const LONG_DAY = new Intl.DateTimeFormat("en", { timeZone: "UTC", dateStyle: "medium" });

/** @throws Error if the page has no element with this id and class */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} with the id "${id}"`);
  return found;
}

export function rowsText(count: number): string {
  return `${COUNT.format(count)} ${count === 1 ? "price" : "prices"}`;
}

export function dayText(date: string): string {
  return LONG_DAY.format(new Date(`${date}T00:00:00Z`));
}

export function priceText(price: number): string {
  return PRICE.format(price);
}

export function hoverText({ date, close, volume }: Point): string {
  return `${dayText(date)}: ${priceText(close)}${volume > 0 ? `, ${COUNT.format(volume)} traded` : ""}`;
}

export function changeText(first: Point, last: Point): { readonly text: string; readonly direction: "up" | "down" } {
  const change = last.close - first.close;
  const share = first.close === 0 ? "" : ` (${PERCENT.format(change / first.close)})`;
  return { text: minus(`${SIGNED.format(change)}${share}`), direction: change < 0 ? "down" : "up" };
}

/** Uses the minus sign, which is as wide as the plus. */
function minus(text: string): string {
  return text.replaceAll("-", "\u2212");
}
