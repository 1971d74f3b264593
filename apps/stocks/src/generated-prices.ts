// Prices of invented companies: a random walk with a drift and a fixed seed, so that they never change. It uses only additions
// and multiplications, whose results are the same on every machine.

export interface Company {
  readonly ticker: string;
  readonly seed: number;
  /** The price before the first day. */
  readonly price: number;
  /** Mean gain and typical change of a day, as a share of the price. */
  readonly drift: number;
  readonly swing: number;
  /** Shares traded on a typical day. */
  readonly volume: number;
}

export const COMPANIES: readonly Company[] = [
  { ticker: "ACME", seed: 11, price: 42, drift: 0.0007, swing: 0.014, volume: 1_800_000 },
  { ticker: "BREW", seed: 23, price: 118, drift: 0.0002, swing: 0.009, volume: 640_000 },
  { ticker: "NORD", seed: 8, price: 71.5, drift: -0.0001, swing: 0.018, volume: 2_900_000 },
  { ticker: "TIDE", seed: 47, price: 9.8, drift: 0.0011, swing: 0.027, volume: 7_400_000 },
];

const FIRST_DAY = Date.UTC(2021, 0, 1);
const LAST_DAY = Date.UTC(2025, 11, 31);
const DAY_MS = 86_400_000;
const HOLIDAYS: ReadonlySet<string> = new Set(["01-01", "05-01", "12-25", "12-26"]);

/** Five years of trading days as CSV. */
export function generatePrices({ seed, price, drift, swing, volume }: Company): string {
  const random = randomNumbers(seed);
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, number) => sum + number, -6);
  const lines = ["date,open,high,low,close,volume"];
  let close = price;
  let volatility = 1;
  for (let time = FIRST_DAY; time <= LAST_DAY; time += DAY_MS) {
    const date = new Date(time).toISOString().slice(0, 10);
    const weekday = new Date(time).getUTCDay();
    if (weekday === 0 || weekday === 6 || HOLIDAYS.has(date.slice(5))) continue;
    // Volatility changes slowly, as on real markets.
    volatility = Math.min(2.4, Math.max(0.5, volatility + 0.06 * normal() + 0.02 * (1 - volatility)));
    const open = close * (1 + 0.3 * swing * volatility * normal());
    close = Math.max(1, open * (1 + drift + swing * volatility * normal()));
    const high = Math.max(open, close) * (1 + 0.5 * swing * volatility * random());
    const low = Math.min(open, close) * (1 - 0.5 * swing * volatility * random());
    const traded = Math.round(volume * volatility * (0.6 + 0.8 * random()));
    lines.push([date, ...[open, high, low, close].map((number) => number.toFixed(2)), traded].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** Random numbers from 0 to 1: a 32-bit xorshift. */
function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed, 2654435761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
