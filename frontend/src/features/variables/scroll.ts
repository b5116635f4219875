/**
 * Which row is at the top, for tables that are taller than an element may be: the scroller then has
 * a bounded height, small moves go by rows, and large ones by share.
 */
export const ROW = 28;
/** Browsers cap an element's height at some 17 to 33 million pixels. */
const TALLEST = 8_000_000;

export interface Extent {
  /** Rows there are, and rows in sight. */
  rows: number;
  fits: number;
}

/** The height of what is scrolled, in pixels, without the head. */
export function heightOf({ rows }: Extent): number {
  return Math.min(rows * ROW, TALLEST);
}

/** The last row that can be at the top. */
export function lastTop({ rows, fits }: Extent): number {
  return Math.max(0, rows - fits);
}

/** Where the scroller stands with that row at the top. */
export function placeOf(top: number, extent: Extent): number {
  const height = heightOf(extent);
  if (height === extent.rows * ROW) return top * ROW;
  return (top / Math.max(1, lastTop(extent))) * (height - extent.fits * ROW);
}

/** The row at the top after the scroller moved from `before`, which showed `top`, to `place`. */
export function topAt(place: number, before: number, top: number, extent: Extent): number {
  const height = heightOf(extent);
  const moved = place - before;
  const bounded = (row: number) => Math.max(0, Math.min(lastTop(extent), Math.round(row)));
  if (height === extent.rows * ROW) return bounded(place / ROW);
  const step = extent.fits * ROW * 2;
  if (Math.abs(moved) <= step && place > 0) {
    return bounded(top + (Math.abs(moved) < ROW ? Math.sign(moved) : moved / ROW));
  }
  return bounded((place / Math.max(1, height - extent.fits * ROW)) * lastTop(extent));
}
