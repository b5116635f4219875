/**
 * HTML of an output, made inert: text, tables and pictures it carries with it. Whatever could load,
 * run, style the page or imitate it is taken out; links follow the rules of messages.
 */
import DOMPurify from "dompurify";
import { linkTarget } from "../render/markdown/safeUrl";

const TAGS =
  "a abbr b blockquote br caption code col colgroup dd del details dfn div dl dt em figcaption figure " +
  "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup " +
  "table tbody td tfoot th thead time tr u ul var";

const ATTRIBUTES = [
  "href",
  "title",
  "alt",
  "src",
  "colspan",
  "rowspan",
  "scope",
  "dir",
  "lang",
  "start",
  "open",
  "class",
];

const CARRIED_IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/i;

/** The fragment may be put into the page as it is. */
export function sanitize(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(withoutReports(html), {
    ALLOWED_TAGS: TAGS.split(" "),
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const element of fragment.querySelectorAll("[class]")) {
    if (element.matches("table.dataframe")) element.className = "dataframe";
    else element.removeAttribute("class");
  }
  for (const link of fragment.querySelectorAll("a[href]")) restrain(link);
  for (const image of fragment.querySelectorAll("img")) {
    if (!CARRIED_IMAGE.test(image.getAttribute("src") ?? "")) image.replaceWith(image.alt);
  }
  return fragment;
}

/**
 * Without what makes a browser report, already while it parses, that the page's policy was broken.
 * None of it would be kept; what is not caught here is taken out all the same.
 */
function withoutReports(html: string): string {
  return html
    .replace(/<style[^>]{0,500}>[\s\S]*?(?:<\/style>|$)/gi, "")
    .replace(/<base\b[^>]{0,2000}>/gi, "");
}

/** Could name an address: then the style is not used at all. */
const REACHES_OUT = /url|image|src|import|\\/i;

/** A copy to be measured and never seen, and the style it brings; neither loads anything. */
export function harmless(html: string): { content: DocumentFragment; style: string } {
  const style = [...html.matchAll(/<style[^>]{0,500}>([\s\S]*?)<\/style>/gi)]
    .map((match) => match[1] ?? "")
    .filter((css) => !REACHES_OUT.test(css))
    .join("\n");
  const content = DOMPurify.sanitize(withoutReports(html), {
    ALLOWED_TAGS: TAGS.split(" "),
    ALLOWED_ATTR: ["id", "class", "colspan", "rowspan", "style", "src"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  for (const element of content.querySelectorAll("[style]")) {
    if (REACHES_OUT.test(element.getAttribute("style") ?? "")) element.removeAttribute("style");
  }
  for (const image of content.querySelectorAll("img")) {
    if (!CARRIED_IMAGE.test(image.getAttribute("src") ?? "")) image.remove();
  }
  return { content, style };
}

function restrain(link: Element): void {
  const target = linkTarget(link.getAttribute("href") ?? "");
  if (target?.kind !== "web") {
    link.removeAttribute("href");
    return;
  }
  link.setAttribute("href", target.href);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer");
  if (!(link.textContent ?? "").includes(target.host)) link.append(` (${target.host})`);
}
