import { expect, it } from "vitest";
import { heightOf, lastTop, placeOf, ROW, topAt } from "./scroll";

const small = { rows: 1_000, fits: 20 };
const large = { rows: 10_000_000, fits: 20 };

it("scrolls a small table by pixels", () => {
  expect(heightOf(small)).toBe(1_000 * ROW);
  expect(topAt(placeOf(500, small), 0, 0, small)).toBe(500);
  expect(topAt(1e9, 0, 0, small)).toBe(lastTop(small));
});

it("keeps a large table within what a browser can show", () => {
  expect(heightOf(large)).toBeLessThan(16_000_000);
  expect(placeOf(lastTop(large), large)).toBe(heightOf(large) - 20 * ROW);
});

it("reaches every row of a large table by small moves", () => {
  let top = 0;
  let place = 0;
  for (let turn = 0; turn < 200; turn += 1) {
    top = topAt(place + 100, place, top, large);
    place = placeOf(top, large);
  }
  expect(top).toBe(200 * Math.round(100 / ROW));
  expect(topAt(place + 3, place, top, large)).toBe(top + 1);
  expect(topAt(place - 100, place, top, large)).toBe(top - 4);
});

it("jumps by share, and to both ends", () => {
  const end = heightOf(large) - 20 * ROW;
  expect(topAt(end, 0, 0, large)).toBe(lastTop(large));
  expect(topAt(0, 50, 70, large)).toBe(0);
  expect(topAt(end / 2, 0, 0, large)).toBe(Math.round(lastTop(large) / 2));
});
