/** Colours and weights of terminal text: what `ESC [ … m` sets. */

/** A palette index, or `rgb(…)`; null is the default. */
export type Colour = number | string | null;

export interface Style {
  readonly fg: Colour;
  readonly bg: Colour;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
  readonly inverse: boolean;
}

export const PLAIN: Style = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  strike: false,
  inverse: false,
};

const SIMPLE: Readonly<Record<number, Partial<Style>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

/** The style after `ESC [ parameters m`. Unknown numbers change nothing. */
export function applySgr(style: Style, parameters: string): Style {
  let next = style;
  // `38:2::r:g:b` is one parameter with parts; `38;2;r;g;b` is five.
  const numbers = parameters.split(";").flatMap(expand);
  for (let index = 0; index < numbers.length; index++) {
    const code = numbers[index] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(index + 1, index + 5));
      index += used;
      if (colour !== undefined) next = { ...next, [code === 38 ? "fg" : "bg"]: colour };
    } else {
      next = single(next, code);
    }
  }
  return same(next, PLAIN) ? PLAIN : next;
}

function single(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  return { ...style, ...SIMPLE[code] };
}

function expand(parameter: string): number[] {
  if (!parameter.includes(":")) return [Number(parameter)];
  const parts = parameter.split(":");
  // `4:3` is a curly underline, `4:0` none.
  if (parts[0] === "4") return [parts[1] === "0" ? 24 : 4];
  return parts.filter((part) => part !== "").map(Number);
}

/** The colour after 38 or 48, and how many numbers it took. */
function extended(rest: number[]): [Colour | undefined, number] {
  const [kind, ...values] = rest;
  if (kind === 5) return [palette(values[0] ?? 0), 2];
  if (kind === 2 && values.length >= 3) return [rgb(values.slice(0, 3)), 4];
  return [undefined, rest.length];
}

function palette(index: number): Colour | undefined {
  if (index < 0 || index > 255) return undefined;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = (index - 232) * 10 + 8;
    return rgb([grey, grey, grey]);
  }
  const step = (value: number) => (value === 0 ? 0 : value * 40 + 55);
  const cube = index - 16;
  return rgb([step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)]);
}

function rgb(values: number[]): string {
  return `rgb(${values.map((value) => Math.min(255, Math.max(0, value || 0))).join(",")})`;
}

export function same(one: Style, other: Style): boolean {
  return (
    one === other ||
    (one.fg === other.fg &&
      one.bg === other.bg &&
      one.bold === other.bold &&
      one.dim === other.dim &&
      one.italic === other.italic &&
      one.underline === other.underline &&
      one.strike === other.strike &&
      one.inverse === other.inverse)
  );
}
