// The page: a form and a chart. It draws one chart at a time; a new query cancels the current one.

import { type Point, PriceChart } from "./price-chart.ts";
import { priceStream } from "./price-stream.ts";
import { changeText, dayText, element, hoverText, priceText, rowsText } from "./view.ts";

const form = element("query", HTMLFormElement);
const draw = element("draw", HTMLButtonElement);
const cancel = element("cancel", HTMLButtonElement);
const name = element("name", HTMLHeadingElement);
const price = element("price", HTMLElement);
const change = element("change", HTMLSpanElement);
const hovered = element("hovered", HTMLParagraphElement);
const chartBox = element("chart", HTMLDivElement);
const progress = element("progress", HTMLProgressElement);
const status = element("status", HTMLParagraphElement);
const count = element("count", HTMLParagraphElement);
const problem = element("problem", HTMLParagraphElement);

const chart = new PriceChart(chartBox, (point) => {
  hovered.textContent = point ? hoverText(point) : "";
});
let running: AbortController | undefined;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void drawChart(queryOf(form));
});
cancel.addEventListener("click", () => running?.abort());
for (const sample of document.querySelectorAll<HTMLButtonElement>("[data-ticker]")) {
  sample.addEventListener("click", () => {
    fill("ticker", sample.dataset.ticker ?? "");
    form.requestSubmit();
  });
}

// The samples remain if the service does not answer.
suggestTickers().catch(() => {});

// The URL may contain a query.
const linked = new URLSearchParams(location.search);
for (const [field, value] of linked) fill(field, value);
if (linked.has("ticker")) form.requestSubmit();

async function drawChart(query: URLSearchParams): Promise<void> {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const [ticker = "", start = "", end = ""] = ["ticker", "start", "end"].map((field) => query.get(field) ?? "");
  history.replaceState(null, "", `?${query}`);
  showStart(ticker, start, end);

  let first: Point | undefined;
  let last: Point | undefined;
  let rows = 0;
  let failure: string | undefined;
  for await (const event of priceStream(query, mine.signal)) {
    if (running !== mine) return;
    if (event.type === "error") failure = event.message;
    if (event.type !== "row") break;
    first ??= event;
    last = event;
    rows++;
    chart.add(event);
    showRow(first, last, rows, { start, end });
  }
  if (running !== mine) return;
  running = undefined;
  chart.end();
  showEnd({ ticker, first, last, rows, failure, isCanceled: mine.signal.aborted, start, end });
}

function showStart(ticker: string, start: string, end: string): void {
  chart.begin(start, end);
  chartBox.classList.remove("blank");
  name.textContent = ticker;
  price.textContent = change.textContent = count.textContent = hovered.textContent = "";
  problem.hidden = true;
  problem.textContent = "";
  status.textContent = "Waiting for the first price\u2026";
  chartBox.setAttribute("aria-label", `A chart of ${ticker}, being drawn`);
  chartBox.setAttribute("aria-busy", "true");
  progress.removeAttribute("value");
  progress.classList.add("running");
  setBusy(true);
}

function showRow(
  first: Point,
  last: Point,
  rows: number,
  span: { readonly start: string; readonly end: string },
): void {
  // Only once: a screen reader reads out every change.
  if (rows === 1) status.textContent = "Receiving prices\u2026";
  showQuote(first, last);
  count.textContent = `${rowsText(rows)}, up to ${dayText(last.date)}`;
  // The number of rows is unknown, but the dates show the progress.
  const [from, at, to] = [span.start, last.date, span.end].map((date) => Date.parse(date));
  progress.value =
    from !== undefined && at !== undefined && to !== undefined && to > from ? (at - from) / (to - from) : 1;
}

interface FinishedChart {
  readonly ticker: string;
  readonly start: string;
  readonly end: string;
  readonly first: Point | undefined;
  readonly last: Point | undefined;
  readonly rows: number;
  readonly failure: string | undefined;
  readonly isCanceled: boolean;
}

function showEnd({ ticker, start, end, first, last, rows, failure, isCanceled }: FinishedChart): void {
  progress.classList.remove("running");
  chartBox.removeAttribute("aria-busy");
  chartBox.classList.toggle("blank", rows === 0);
  setBusy(false);
  const drawn = first && last ? `${dayText(first.date)} to ${dayText(last.date)}` : "";
  count.textContent = rows > 0 ? `${rowsText(rows)}, ${drawn}` : "";
  chartBox.setAttribute(
    "aria-label",
    first && last
      ? `A chart of ${ticker}, ${drawn}: from ${priceText(first.close)} to ${priceText(last.close)}`
      : "An empty chart",
  );
  if (failure !== undefined) {
    status.textContent = rows > 0 ? "Incomplete: these prices arrived before it failed." : "";
    problem.textContent = failure;
    problem.hidden = false;
  } else if (isCanceled) {
    status.textContent = "Canceled.";
  } else {
    status.textContent = rows > 0 ? "Complete." : `There are no prices from ${dayText(start)} to ${dayText(end)}.`;
  }
}

function showQuote(first: Point, last: Point): void {
  const { text, direction } = changeText(first, last);
  price.textContent = priceText(last.close);
  change.textContent = text;
  change.dataset.direction = direction;
}

function setBusy(isBusy: boolean): void {
  const hadFocus = document.activeElement === draw || document.activeElement === cancel;
  draw.hidden = isBusy;
  cancel.hidden = !isBusy;
  // The pressed button is hidden now, so move the focus to the other one.
  if (hadFocus) (isBusy ? cancel : draw).focus();
}

async function suggestTickers(): Promise<void> {
  const response = await fetch("/tickers");
  if (!response.ok) return;
  const tickers: readonly string[] = await response.json();
  element("tickers", HTMLDataListElement).replaceChildren(...tickers.map((ticker) => new Option(ticker)));
}

function fill(field: string, value: string): void {
  const input = form.elements.namedItem(field);
  if (input instanceof HTMLInputElement || input instanceof RadioNodeList) input.value = value;
}

function queryOf(source: HTMLFormElement): URLSearchParams {
  const query = new URLSearchParams();
  for (const [field, value] of new FormData(source)) query.set(field, String(value).trim());
  query.set("ticker", query.get("ticker")?.toUpperCase() ?? "");
  return query;
}
