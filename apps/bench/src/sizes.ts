// How large a broker is made to see whether a request costs the same: along one axis at a time, from a small one.

import type { Size } from "./records/shapes.ts";

export type Axis = keyof Size;

/** Fifty clients share a hundred requests in flight, so that no one of them is all the load. */
export const SMALLEST: Size = Object.freeze({ clients: 50, workers: 1, services: 1, queued: 0 });

/** The smallest, and each axis by itself; the figures are those beside the smallest's own. */
export function sizesAlong(axes: Readonly<Record<Axis, readonly number[]>>): readonly Size[] {
  const along = (axis: Axis) => axes[axis].map((figure) => ({ ...SMALLEST, [axis]: figure }));
  return [SMALLEST, ...along("workers"), ...along("services"), ...along("queued"), ...along("clients")];
}

/** What the process of a case is called. */
export function nameOf({ workers, services, queued, clients }: Size): string {
  return [workers, services, queued, clients].join(" ");
}

/** The other way round; what is not said is as in the smallest. */
export function sizeNamed(name: string): Size {
  const [workers, services, queued, clients] = name.split(" ").filter(Boolean).map(Number);
  return {
    workers: workers ?? SMALLEST.workers,
    services: services ?? SMALLEST.services,
    queued: queued ?? SMALLEST.queued,
    clients: clients ?? SMALLEST.clients,
  };
}

/** The points of one axis, in order: where everything else is as in the smallest. */
export function pointsAlong<Sized extends Size>(axis: Axis, all: readonly Sized[]): readonly Sized[] {
  const others = (["workers", "services", "queued", "clients"] as const).filter((other) => other !== axis);
  return all
    .filter((size) => others.every((other) => size[other] === SMALLEST[other]))
    .toSorted((left, right) => left[axis] - right[axis]);
}
