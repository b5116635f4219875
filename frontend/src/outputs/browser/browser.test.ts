// @vitest-environment node
/**
 * What only a real browser can answer: that hostile HTML stays inert under the page's own policy,
 * that nothing is fetched, and that tall and wide outputs scroll. Skipped where there is no Chromium.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "@playwright/test";
import react from "@vitejs/plugin-react";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CellOutputValue } from "../../protocol/generated";

const CHROMIUM = [
  process.env["CHROMIUM"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== "" && existsSync(path));

const ORIGIN = "http://outputs.test";
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
  "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; " +
  "base-uri 'none'; form-action 'none'; object-src 'none'";
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
};

describe.skipIf(CHROMIUM === undefined)("in a browser", () => {
  const built = mkdtempSync(join(tmpdir(), "outputs-"));
  let browser: Browser;
  let page: Page;
  /** Everything asked for that is not the page itself. */
  let asked: string[] = [];

  beforeAll(async () => {
    await build({
      root: import.meta.dirname,
      base: "./",
      configFile: false,
      logLevel: "error",
      plugins: [react()],
      build: { outDir: built, emptyOutDir: true, assetsInlineLimit: 0, minify: false },
    });
    browser = await chromium.launch({
      ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
    });
    page = await browser.newPage();
    await page.route("**/*", (route) => {
      const { origin, pathname } = new URL(route.request().url());
      const file = join(built, pathname === "/" ? "index.html" : pathname);
      if (origin !== ORIGIN || !existsSync(file)) {
        asked.push(route.request().url());
        return route.abort();
      }
      return route.fulfill({
        body: readFileSync(file),
        contentType: TYPES[extname(file)] ?? "application/octet-stream",
        headers: pathname === "/" ? { "Content-Security-Policy": POLICY } : {},
      });
    });
    await page.goto(`${ORIGIN}/`);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    rmSync(built, { recursive: true });
  });

  beforeEach(() => {
    asked = [];
  });

  async function show(...outputs: CellOutputValue[]): Promise<void> {
    await page.evaluate((list) => window.showOutputs(list), outputs);
  }

  async function showHtml(html: string): Promise<string> {
    await show(display({ "text/html": `<i>start</i>${html}`, "text/plain": "plain" }));
    await page.locator(".output-html").waitFor();
    const markup = await page.locator(".output-html").innerHTML();
    return markup.replace("<i>start</i>", "");
  }

  test.each([
    ["text", "<p>a <b>b</b></p>", "<p>a <b>b</b></p>"],
    ["no handlers", '<b onclick="x()" onmouseover=y>b</b>', "<b>b</b>"],
    [
      "no style attributes, names or ids",
      '<p style="position:fixed" id="root" name="y">p</p>',
      "<p>p</p>",
    ],
    ["no classes", '<p class="overlay fixed">p</p>', "<p>p</p>"],
    ["no forms", '<form action="//e"><input name="a"><button>b</button></form>', "b"],
    ["no remote pictures", '<img src="https://e.example/x.png" alt="pic" onerror="x()">', "pic"],
    [
      "pictures it carries",
      '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
      '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    ],
    ["no carried SVG", '<img src="data:image/svg+xml;base64,AA==" alt="s">', "s"],
    ["no script links", '<a href="javascript:alert(1)">x</a>', "<a>x</a>"],
    ["no local links", '<a href="/api/session">x</a>', "<a>x</a>"],
    [
      "no SVG or MathML",
      "<svg><desc><b>x</b></desc><image href='//e'></image></svg><math><mi>y</mi></math>t",
      "t",
    ],
    [
      "no markup hidden in MathML",
      "<math><mtext><table><mglyph><img src=x onerror=alert(1)></table></mtext></math>t",
      "t",
    ],
    ["no templates", "<template><img src=x onerror=alert(1)></template>t", "t"],
    ["no data attributes", '<p data-x="1" aria-label="y">p</p>', "<p>p</p>"],
    ["no media", '<video src="//e"></video><audio src="//e"></audio>t', "t"],
    ["no base, meta or link", '<base href="//e"><meta http-equiv="refresh" content="0;//e">t', "t"],
    [
      "links that show where they lead",
      '<a href="https://e.example/a" target="_top">x</a>',
      '<a href="https://e.example/a" target="_blank" rel="noopener noreferrer">x (e.example)</a>',
    ],
  ])("HTML made inert keeps %s", async (_name, html, expected) => {
    expect(await showHtml(html)).toBe(expected);
    expect(asked).toEqual([]);
  });

  test("HTML that leaves nothing is shown as its text", async () => {
    await show(display({ "text/html": "<audio src='data:x'></audio>", "text/plain": "Audio()" }));
    await page.getByText("Audio()").waitFor();
  });

  test("HTML with its own style stands in a frame without rights", async () => {
    await show(display({ "text/html": "<style>#T_1 td {color: red}</style><table></table>" }));
    const frame = page.locator("iframe");
    expect(await frame.getAttribute("sandbox")).toBe("");
    await expect.poll(() => asked).toEqual([`${ORIGIN}/api/conversations/c/cells/k/frame/0`]);
  });

  test("a message cannot act, and fetches nothing", async () => {
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await page.evaluate(
      (text) => window.showMessage(text, false),
      "<img src=x onerror=alert(1)> <script>alert(1)</script> ![x](https://e.example/x.png)\n\n" +
        "$\\href{javascript:alert(1)}{x}$ [y](javascript:alert(1)) \\(\\frac{1}{2}\\)",
    );
    await page.locator(".katex").first().waitFor();
    expect(dialogs).toEqual([]);
    expect(asked).toEqual([]);
  });

  test("a wide and long data frame scrolls under its head, and opens whole", async () => {
    const cells = Array.from({ length: 60 }, (_, column) => `<td>${column}.5</td>`).join("");
    const names = Array.from({ length: 60 }, (_, column) => `<th>column ${column}</th>`).join("");
    const rows = Array.from({ length: 60 }, (_, row) => `<tr><th>${row}</th>${cells}</tr>`).join(
      "",
    );
    const html = `<style scoped>.dataframe td {color: red}</style><table class="dataframe" border="1"><thead><tr><th></th>${names}</tr></thead><tbody>${rows}</tbody></table>`;
    await show(display({ "text/html": html, "text/plain": "frame" }));
    const region = page.getByRole("region", { name: "Table" });
    await region.focus();
    expect((await region.boundingBox())?.height).toBe(320);
    await region.evaluate((box) => box.scrollTo(500, 400));
    const top = async (selector: string) => (await page.locator(selector).boundingBox())?.y;
    expect(await top("thead")).toBe((await region.boundingBox())?.y);
    await page.getByRole("button", { name: "Show all" }).press("Enter");
    expect((await region.boundingBox())?.height).toBeGreaterThan(1_000);
    await page.getByText("60 rows × 60 columns").waitFor();
  });

  test("a printed table can be scrolled to, a long line breaks", async () => {
    await show({
      output_type: "stream",
      name: "stdout",
      text: `${"wide ".repeat(40)}\n${"x".repeat(3_000)}\n`,
    });
    const region = page.getByRole("region", { name: "Text output" });
    const { width, all } = await region.evaluate((box) => ({
      width: box.clientWidth,
      all: box.scrollWidth,
    }));
    expect(all).toBeGreaterThan(width);
    expect(all).toBeLessThan(2_000);
  });
});

function display(data: Record<string, unknown>): CellOutputValue {
  return { output_type: "display_data", data, metadata: {} };
}
