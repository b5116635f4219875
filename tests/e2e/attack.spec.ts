/**
 * What a model or a kernel shows cannot reach out: a document that tries every way we know, in every
 * way in which something is shown, against a server that counts.
 */

import { active, CHANNELS, type Canary, passive, startCanary } from "./canary";
import { type Chat, expect, test } from "./product";

const base64 = (text: string) => Buffer.from(text, "utf-8").toString("base64");

/** Python that shows `data` as it is; what is in it never meets Python's quotes. */
function display(data: Record<string, unknown>): string {
  return `import base64, json; from IPython.display import display
display(json.loads(base64.b64decode("${base64(JSON.stringify(data))}")), raw=True)`;
}

function text(content: string, use: string): string {
  return `import base64; text = base64.b64decode("${base64(content)}").decode()\n${use}`;
}

/** Runs code as a person does; the list follows its end, where the new cell is. */
async function runs(chat: Chat, code: string, status = "ok"): Promise<void> {
  const newest = chat.page.locator("section[data-cell]").last();
  const id = async () => ((await newest.count()) === 0 ? null : newest.getAttribute("data-cell"));
  const before = await id();
  await chat.page.getByPlaceholder(/Python to run/).fill(code);
  await chat.page.keyboard.press("Enter");
  await expect.poll(id, { timeout: 30_000 }).not.toBe(before);
  await expect(newest).toHaveAttribute("data-status", status, { timeout: 60_000 });
}

/** Looks at everything from the first row to the last, so that all of it was drawn. */
async function readsAll(chat: Chat): Promise<void> {
  await chat.page.mouse.move(640, 400);
  for (const way of [-1, 1]) {
    for (let step = 0; step < 14; step += 1) {
      await chat.page.mouse.wheel(0, way * 500);
      await chat.page.evaluate(() => new Promise(requestAnimationFrame));
    }
  }
}

/** Longer than any of the document's own timers; then the server is asked, so that it is known to hear. */
async function settles(chat: Chat, canary: Canary): Promise<void> {
  await chat.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 4_000)));
  await fetch(`${canary.url}/own`);
  expect(canary.hits.pop()).toBe("/own");
}

/** What the page itself complains of; a frame that shows hostile HTML reports what it was refused. */
function watchPage(chat: Chat): string[] {
  const complaints: string[] = [];
  chat.page.on("console", (message) => {
    const { url } = message.location();
    // A document without an origin has no address either.
    if (message.type() === "error" && url !== "" && !url.includes("/frame/"))
      complaints.push(`${message.text()} @ ${url}`);
  });
  return complaints;
}

test.describe("the document itself", () => {
  test("reaches the server in every way where nothing holds it", async ({ page }) => {
    const held = await startCanary({ "/page": active("CANARY/free", "STUN") });
    await page.goto(`${held.url}/page`).catch(() => undefined);
    // The last ones leave the page; the others have been tried by then.
    await expect.poll(() => held.hits.some((hit) => /top|self|refresh/.test(hit))).toBe(true);
    await expect.poll(() => held.packets()).toBeGreaterThan(0);
    const tried = CHANNELS.filter((name) => held.hits.includes(`/free/${name}`));
    expect(tried.length, `reached by ${held.hits.join(" ")}`).toBeGreaterThanOrEqual(14);
    await held.close();
  });
});

test.describe("shown by the product", () => {
  let canary: Canary;

  test.beforeEach(async () => {
    canary = await startCanary();
  });
  test.afterEach(async () => {
    await canary.close();
  });

  const all = (who: string) => active(`${canary.url}/${who}`, canary.stun);

  test("what a person, a model and its files say is text", async ({ chat, page }) => {
    const to = `${canary.url}/said`;
    const said = [
      all("said").replace(/\s*\n\s*/g, " "),
      `![picture](${to}/markdown-image) [script](javascript:fetch('${to}/js')) [data](data:text/html,x)`,
      `[plain](${to}/link) <img src=${to}/html> <${to}/auto> $\\href{${to}/math}{x}$ $$\\includegraphics{${to}/graphics}$$`,
      `[ref]: ${to}/reference "title"\n\n![by name][ref]`,
    ].join("\n\n");
    await chat.ask(`Say this back: ${said}`);
    await expect(chat.log).toContainText("picture", { timeout: 60_000 });
    await expect(chat.stopButton).toBeHidden({ timeout: 60_000 });
    const links = chat.log.locator("a[href^='http']");
    for (const link of await links.all()) {
      expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
      expect(await link.innerText()).toContain(new URL(canary.url).host);
    }
    expect(await page.locator("a[href^='javascript:'], a[href^='data:']").count()).toBe(0);
    await readsAll(chat);
    await settles(chat, canary);
    expect(canary.hits).toEqual([]);
    expect(canary.packets()).toBe(0);
    expect(await page.title()).not.toContain("reached");
  });

  test("what code prints and shows does nothing by itself", async ({ chat, page }) => {
    test.setTimeout(240_000);
    const home = page.url();
    const complaints = watchPage(chat);
    const to = (who: string) => `${canary.url}/${who}`;
    const still = (who: string) =>
      passive(to(who)).replace(/<(style|link|meta)[\s\S]*?(?:<\/style>|>)/g, "");
    await page.getByRole("button", { name: "Run Python" }).click();

    await runs(chat, text(all("stream"), "print(text); import sys; print(text, file=sys.stderr)"));
    const escapes = `\u001b]52;c;Y2FuYXJ5\u0007\u001b]0;reached\u0007\u001b]8;;${to("osc8")}\u0007link\u001b]8;;\u0007\u001b[2J\u001b[10A\u001b[?1049hkept \u001b[31mred\u001b[0m`;
    await runs(chat, text(escapes, "print('before'); print(text)"));
    await expect(page.locator("section[data-cell]").last()).toContainText("kept red");
    await runs(chat, display({ "text/html": still("html"), "text/plain": "html" }));
    await expect(page.locator(".output-html").last()).toBeVisible();
    await runs(
      chat,
      display({
        "text/html": `<style>#T_1 td { color: red }</style><table id="T_1"><tr><td>styled</td></tr></table>${passive(to("styler"))}`,
      }),
    );
    await expect(page.locator("iframe[sandbox='']").last()).toBeVisible();
    await runs(chat, display({ "text/html": all("active"), "text/plain": "an interactive thing" }));
    await runs(
      chat,
      display({
        "image/svg+xml": `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40" onload="fetch('${to("svg")}/onload')">
<style>@import "${to("svg")}/import"; rect { fill: url("${to("svg")}/fill") }</style><rect width="80" height="40"/>
<image href="${to("svg")}/image" width="9" height="9"/><use href="${to("svg")}/use#a"/>
<foreignObject width="80" height="40"><div xmlns="http://www.w3.org/1999/xhtml">${still("svg-html")
          .replace(/<(img|input|source)([^>]*)>/g, "<$1$2/>")
          .replace(/&/g, "&amp;")}</div></foreignObject>
<script>fetch("${to("svg")}/script")</script></svg>`,
      }),
    );
    await runs(
      chat,
      display({
        "application/json": { text: all("json"), list: [`<img src="${to("json")}/img">`] },
      }),
    );
    await runs(
      chat,
      display({
        "text/latex": `$$\\href{${to("latex")}/href}{x}\\includegraphics{${to("latex")}/graphics}\\url{javascript:1}$$`,
      }),
    );
    await runs(
      chat,
      display({
        "text/markdown": `${all("markdown")}\n\n![x](${to("markdown")}/image) [y](javascript:1)`,
      }),
    );
    await runs(chat, text(all("error"), "raise ValueError(text)"), "error");
    await runs(
      chat,
      text(
        all("frame"),
        `import pandas as pd; pd.DataFrame({"a": [text, "<img src=${to("frame")}/cell>"], text[:90]: [1, 2]})`,
      ),
    );
    await runs(
      chat,
      display({
        "application/vnd.jupyter.widget-view+json": { model_id: "x" },
        "text/plain": all("widget"),
      }),
    );

    const remote = to("plotly");
    const linked = `<a href="${remote}/title" target="_top">title</a> <a href="javascript:fetch('${remote}/js')">js</a> <span style="background:url(${remote}/span)">s</span> <img src=${remote}/img>`;
    await runs(
      chat,
      display({
        "application/vnd.plotly.v1+json": {
          data: [
            {
              type: "scatter",
              x: [1, 2],
              y: [3, 4],
              name: linked,
              text: [linked, "b"],
              mode: "text+markers",
            },
            { type: "image", source: `${remote}/trace-image`, xaxis: "x", yaxis: "y" },
            { type: "choropleth", geojson: `${remote}/geojson`, locations: ["FRA"], z: [1] },
          ],
          layout: {
            title: { text: linked },
            annotations: [{ text: linked, x: 1, y: 3 }],
            images: [{ source: `${remote}/image`, x: 0, y: 1, sizex: 1, sizey: 1 }],
            map: { style: `${remote}/style`, layers: [{ source: `${remote}/layer` }] },
            font: { family: `url(${remote}/font)` },
          },
          config: { plotlyServerURL: remote, topojsonURL: `${remote}/topojson/` },
        },
      }),
    );
    await expect(chat.log.locator(".output-plot .main-svg").first()).toBeVisible();
    await runs(
      chat,
      display({
        "application/vnd.vegalite.v5+json": {
          $schema: `${to("vega")}/schema.json`,
          description: "remote marks",
          title: `<img src=${to("vega")}/title>`,
          data: { values: [{ a: 1, u: `${to("vega")}/image`, h: `${to("vega")}/href` }] },
          layer: [
            {
              mark: { type: "image", width: 20, height: 20 },
              encoding: { url: { field: "u" }, x: { field: "a", type: "quantitative" } },
            },
            {
              mark: "point",
              encoding: { href: { field: "h" }, x: { field: "a", type: "quantitative" } },
            },
            {
              data: { url: `${to("vega")}/data.json` },
              mark: "bar",
              encoding: { x: { field: "q" } },
            },
          ],
        },
      }),
    );
    await expect(chat.log.locator(".output-vega canvas").first()).toBeVisible();
    await expect(chat.log).toContainText("Not loaded, because it lies elsewhere");
    await runs(
      chat,
      text(
        `<img src=x onerror=fetch("${to("name")}")>`.replaceAll("/", "∕"),
        "open(text[:80] + '.csv', 'w').write('a,b'); None",
      ),
    );

    await readsAll(chat);
    await settles(chat, canary);
    expect(canary.hits).toEqual([]);
    expect(canary.packets()).toBe(0);
    expect(page.url()).not.toContain(canary.url);
    expect(new URL(page.url()).origin).toBe(new URL(home).origin);
    expect(page.context().pages()).toHaveLength(1);
    expect(await page.title()).not.toContain("reached");
    expect(complaints).toEqual([]);
    chat.complaints.length = 0;
  });

  test("a click runs interactive output, and it still reaches nothing over HTTP", async ({
    chat,
    page,
  }) => {
    await page.getByRole("button", { name: "Run Python" }).click();
    await runs(
      chat,
      display({ "text/html": all("clicked"), "text/plain": "an interactive thing" }),
    );
    expect(await page.locator("iframe").count()).toBe(0);
    await page.getByRole("button", { name: "Run interactive output" }).click();
    const element = page.locator("iframe[sandbox='allow-scripts']");
    await expect(element).toBeVisible();
    const frame = await (await element.elementHandle())?.contentFrame();
    await frame?.waitForFunction(() => "attacked" in window);
    // A frame may ask for any height; it gets a bounded one.
    await expect.poll(async () => Number(await element.getAttribute("height"))).toBeLessThan(1_300);
    await settles(chat, canary);
    expect(canary.hits).toEqual([]);
    expect(page.context().pages()).toHaveLength(1);
    expect(await page.evaluate(() => localStorage.getItem("reached"))).toBe(null);
    await expect(page.locator("body")).not.toContainText("reached");
    test.info().annotations.push({ type: "WebRTC packets", description: String(canary.packets()) });
    await page.getByRole("button", { name: "Stop them" }).click();
    await expect(element).toHaveCount(0);
    chat.complaints.length = 0;
  });

  test("a frame of an output opens nowhere but in the page", async ({ chat, page, product }) => {
    await page.getByRole("button", { name: "Run Python" }).click();
    await runs(chat, display({ "text/html": all("direct") }));
    const { conversations } = await product.get<{ conversations: { id: string }[] }>(
      "/api/conversations",
    );
    const cell = await page.locator("section[data-cell]").last().getAttribute("data-cell");
    const address = `${product.origin}/api/conversations/${conversations[0]?.id}/cells/${cell}/frame/0?run=1`;
    const other = await page.context().newPage();
    const answer = await other.goto(address);
    expect(answer?.status()).toBe(403);
    await other.close();
    await settles(chat, canary);
    expect(canary.hits).toEqual([]);
  });
});
