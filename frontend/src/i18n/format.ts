/** Numbers, sizes and times as people read them. */
import type { Words } from "./en";

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** A size in bytes with the largest unit that keeps it at or above one. */
export function fileSize(bytes: number, locale: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(locale, { maximumFractionDigits: digits })} ${UNITS[unit]}`;
}

/** A span in milliseconds: `< 0.1 s`, `0.4 s`, `12 s`, `3 min 5 s`. */
export function duration(ms: number, words: Words): string {
  const { locale, instant, seconds, minutes } = words.time;
  if (ms < 50) return instant;
  const total = ms / 1000;
  if (total < 10) return seconds(total.toLocaleString(locale, { maximumFractionDigits: 1 }));
  const whole = Math.round(total);
  if (whole < 60) return seconds(whole.toLocaleString(locale));
  return minutes(Math.floor(whole / 60), (whole % 60).toLocaleString(locale));
}
