/** All that an output says in words, also where it is not shown: in comments, attributes, data. */
import type { CellOutputValue } from "../protocol/generated";
import { plainText } from "../render/ansi/terminal";

const WORDS_LIMIT = 5_000;
const DEEPEST = 12;
const PICTURE = /^image\/(?!svg)/;

export function* outputTexts(output: CellOutputValue): Generator<string> {
  switch (output.output_type) {
    case "stream":
      yield plainText(Array.isArray(output.text) ? output.text.join("") : output.text);
      return;
    case "error":
      yield `${output.ename}: ${output.evalue}`;
      yield plainText(output.traceback.join("\n"));
      return;
    case "display_data":
    case "execute_result":
      for (const [type, content] of Object.entries(output.data)) {
        if (PICTURE.test(type)) continue;
        const words = [...strings(content, DEEPEST)].join("\n");
        yield words;
        if (type === "text/html") yield withoutTags(words);
      }
      return;
    default:
      output satisfies never;
  }
}

/** The strings in JSON, as many as can be looked at. */
function* strings(value: unknown, depth: number, seen = { count: 0 }): Generator<string> {
  if (typeof value === "string") {
    seen.count += 1;
    yield value;
  } else if (typeof value === "object" && value !== null && depth > 0) {
    for (const [name, member] of Object.entries(value)) {
      if (seen.count > WORDS_LIMIT) return;
      if (name !== "bdata") yield* strings(member, depth - 1, seen);
    }
  }
}

function withoutTags(html: string): string {
  return html.slice(0, 200_000).replace(/<[^<>]*>/g, " ");
}
