// Broker sizes: how `pnpm bench core` and `pnpm bench broker` grow a broker, along one axis at a time.

import type { Size } from "./records/record-types.ts";

export type Axis = keyof Size;

/** Fifty clients share a hundred requests in flight, so that no client carries all the load. */
export const SMALLEST: Size = Object.freeze({ clients: 50, workers: 1, services: 1, queued: 0 });

/** The smallest size, and those that differ from it along one axis. */
export function sizesAlong(axes: Readonly<Record<Axis, readonly number[]>>): readonly Size[] {
  const along = (axis: Axis) => axes[axis].map((figure) => ({ ...SMALLEST, [axis]: figure }));
  return [SMALLEST, ...along("workers"), ...along("services"), ...along("queued"), ...along("clients")];
}

/** The name of a case with this size. */
export function nameOf({ workers, services, queued, clients }: Size): string {
  return [workers, services, queued, clients].join(" ");
}

/** The inverse of `nameOf`. Figures that are missing at the end are those of the smallest size. */
export function sizeNamed(name: string): Size {
  const [workers, services, queued, clients] = name.split(" ").filter(Boolean).map(Number);
  return {
    workers: workers ?? SMALLEST.workers,
    services: services ?? SMALLEST.services,
    queued: queued ?? SMALLEST.queued,
    clients: clients ?? SMALLEST.clients,
  };
}

/** The sizes that differ from the smallest along this axis only, in order. */
export function pointsAlong<Sized extends Size>(axis: Axis, all: readonly Sized[]): readonly Sized[] {
  const others = (["workers", "services", "queued", "clients"] as const).filter((other) => other !== axis);
  return all
    .filter((size) => others.every((other) => size[other] === SMALLEST[other]))
    .toSorted((left, right) => left[axis] - right[axis]);
}
