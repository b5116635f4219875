/**
 * How tall HTML will stand in a frame that cannot say so: a copy without anything that loads or acts
 * is laid out unseen, with the style it brings, and measured. A wrong answer costs a scroll bar.
 */
import { harmless } from "./sanitize";

const LEAST_PX = 48;
const TALLEST_PX = 20_000;
/** As the server puts it before what it serves. */
const BASE = `
:host{all:initial;display:block;position:absolute;left:0;top:0;visibility:hidden;contain:strict;
overflow:auto}
div{font:13px/1.45 system-ui,sans-serif}
table{border-collapse:collapse}th,td{padding:.2em .6em;text-align:right;
border-bottom:1px solid #8884}`;

export function measureHtml(html: string, width: number): number {
  const host = document.createElement("div");
  host.setAttribute("aria-hidden", "true");
  host.inert = true;
  host.style.width = `${width}px`;
  const shadow = host.attachShadow({ mode: "closed" });
  const { content, style } = harmless(html);
  shadow.adoptedStyleSheets = [BASE, style].map(sheetOf);
  const body = document.createElement("div");
  body.append(content);
  shadow.append(body);
  document.body.append(host);
  const { scrollHeight } = body;
  const scrolls = body.scrollWidth > width ? 16 : 0;
  host.remove();
  return Math.min(Math.max(scrollHeight + scrolls + 4, LEAST_PX), TALLEST_PX);
}

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}
