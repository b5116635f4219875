/** Strings measured in Unicode code points, as the wire's offsets are; JavaScript counts UTF-16. */

const isLead = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isTrail = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** How many code points ``text`` has; half a pair counts as one. */
export function lengthOf(text: string): number {
  let pairs = 0;
  for (let i = 1; i < text.length; i++) {
    if (isTrail(text.charCodeAt(i)) && isLead(text.charCodeAt(i - 1))) pairs += 1;
  }
  return text.length - pairs;
}

/** The first ``points`` code points of ``text``; all of it if it has fewer. */
export function cutAt(text: string, points: number): string {
  if (points >= text.length) return text;
  let unit = 0;
  for (let point = 0; point < points && unit < text.length; point++) {
    const pair = isLead(text.charCodeAt(unit)) && isTrail(text.charCodeAt(unit + 1));
    unit += pair ? 2 : 1;
  }
  return text.slice(0, unit);
}
