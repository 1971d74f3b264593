// Time as pure code sees it: somebody else's monotonic clock. Durations cross the wire, instants never do.

/** A point in time, in milliseconds of a monotonic clock whose zero means nothing. */
export type Instant = number;
