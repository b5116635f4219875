/** How it looks, and whether everybody can use it: light, dark, narrow, Chinese, axe. */

import { join } from "node:path";
import { violations } from "./axe";
import { type Chat, expect, root, test } from "./product";

test.use({ demo: true });

const EN = {
  more: /^More for/,
  edit: "Edit code",
  replay: /^Replay/,
  start: "Run all again and compare",
  anew: "Edit and ask again",
};
const ZH = {
  more: /更多操作$/,
  edit: "编辑代码",
  replay: /^重放/,
  start: "全部重新运行并比较",
  anew: "编辑并重新提问",
};

async function conversation(chat: Chat): Promise<void> {
  await chat.pick("advertising.csv");
  await chat.ask("Look at the file I uploaded, describe it and plot what matters most.");
  await expect(chat.stopButton).toBeVisible();
  await expect(chat.stopButton).toBeHidden({ timeout: 60_000 });
}

/** Nothing makes the page itself scroll sideways. */
async function fits(chat: Chat): Promise<boolean> {
  return chat.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
}

test("light: the empty page and a conversation pass axe", async ({ chat }) => {
  expect(await violations(chat.page)).toEqual([]);
  await chat.shot("empty-light");
  await conversation(chat);
  expect(await violations(chat.page)).toEqual([]);
  await chat.shot("conversation-light");
});

test.describe("dark", () => {
  test.use({ colorScheme: "dark" });
  test("dark: follows the system, and passes axe", async ({ chat, page }) => {
    await conversation(chat);
    const shade = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red = 255] = (shade.match(/[\d.]+/g) ?? []).map(Number);
    expect(shade.startsWith("oklch") ? red : red / 255).toBeLessThan(0.35);
    expect(await violations(chat.page)).toEqual([]);
    await chat.shot("conversation-dark");
  });
});

test.describe("narrow", () => {
  test.use({ viewport: { width: 390, height: 844 } });
  test("narrow: everything fits and can be reached", async ({ chat, page }) => {
    expect(await fits(chat)).toBe(true);
    await conversation(chat);
    expect(await fits(chat)).toBe(true);
    expect(await violations(chat.page)).toEqual([]);
    await chat.shot("conversation-narrow");
    await page.getByRole("button", { name: "Show conversations" }).click();
    await expect(page.getByRole("link", { name: "New chat" })).toBeVisible();
    await chat.shot("sidebar-narrow");
  });
});

test.describe("Chinese", () => {
  test.use({ locale: "zh-CN", colorScheme: "dark" });
  test("Chinese: the page speaks it", async ({ product, page, context }) => {
    await context.addCookies([{ ...product.session, url: product.origin }]);
    await page.goto(product.origin);
    await expect(page.locator("html")).toHaveAttribute("lang", /^zh/);
    await expect(page.getByRole("textbox", { name: /消息/ })).toBeVisible();
    await page.screenshot({ path: join(root, "tests", "e2e", "shots", "empty-zh.png") });
  });
});

for (const [name, colorScheme, width, locale] of [
  ["light", "light", 1280, "en-US"],
  ["dark-zh-narrow", "dark", 360, "zh-CN"],
] as const) {
  test.describe(`what can be done with a cell, ${name}`, () => {
    test.use({ colorScheme, locale, viewport: { width, height: 800 } });
    test(`${name}: files, editor, new cell, replay and question pass axe and fit`, async ({
      chat,
      page,
    }) => {
      const words = locale === "zh-CN" ? ZH : EN;
      await chat.ask("Show me an error and its repair: make a small file that cannot be read.");
      await expect(page.locator("section[data-cell]").first()).toBeVisible();
      const turn = async () => (await chat.transcript()).turns.at(-1)?.status;
      await expect.poll(turn, { timeout: 60_000 }).toBe("completed");
      const look = async (shot: string) => {
        expect(await violations(chat.page)).toEqual([]);
        expect(await fits(chat)).toBe(true);
        await chat.shot(`cell-${name}-${shot}`);
      };
      const cell = page.locator("section[data-status=ok]").last();
      await cell.scrollIntoViewIfNeeded();
      await look("files");
      await cell.getByRole("button", { name: words.more }).click();
      await look("menu");
      await page.getByRole("menuitem", { name: words.edit }).click();
      await expect(page.locator(".cm-content")).toBeFocused();
      await look("editor");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: words.replay }).click();
      await page.getByRole("menuitem", { name: words.start }).click();
      const badge = page.locator("[data-proof=reproduces], [data-proof=differs]");
      await expect(badge).toBeVisible({ timeout: 60_000 });
      await badge.click();
      await look("replay");
      await page.keyboard.press("Escape");
      const prompt = chat.log.getByText(/Show me an error/);
      await chat.log.evaluate((log) => log.scrollTo(0, 0));
      await prompt.hover();
      await page.getByRole("button", { name: words.anew }).click();
      await look("question");
    });
  });
}

for (const [name, colorScheme, width, locale] of [
  ["light", "light", 1280, "en-US"],
  ["dark-zh-narrow", "dark", 360, "zh-CN"],
] as const) {
  test.describe(`variables, ${name}`, () => {
    test.use({ colorScheme, locale, viewport: { width, height: 800 } });
    test(`${name}: the list and a table pass axe and fit`, async ({ chat, page }) => {
      const zh = locale === "zh-CN";
      await page.getByRole("button", { name: zh ? "运行 Python" : "Run Python" }).click();
      await page
        .getByRole("textbox")
        .last()
        .fill(`import pandas
sales = pandas.DataFrame({"city": ["Berlin", None] * 50, "price": range(100), "text": ["长" * 90] * 100})
a_rather_long_name_of_a_variable_that_goes_on = {"k": ["v" * 50] * 9}`);
      await page.keyboard.press("Enter");
      await expect(page.locator("section[data-status=ok]")).toBeVisible({ timeout: 30_000 });
      await page.getByRole("button", { name: zh ? "显示文件" : "Show files" }).click();
      const files = page.getByRole("tab", { name: zh ? "文件" : "Files" });
      await files.press("ArrowRight");
      const tab = page.getByRole("tab", { name: zh ? "变量" : "Variables" });
      await expect(tab).toBeFocused();
      await expect(tab).toHaveAttribute("aria-selected", "true");
      const row = page.getByRole("button", { name: /^sales/ });
      await expect(row).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await fits(chat)).toBe(true);
      await chat.shot(`variables-${name}`);
      await row.click();
      const table = page.getByRole("region", { name: "sales" });
      await table.getByRole("button", { name: /^price/ }).click();
      await expect(table.getByRole("row").nth(1)).toContainText("Berlin");
      expect(await violations(page)).toEqual([]);
      expect(await fits(chat)).toBe(true);
      await chat.shot(`variables-table-${name}`);
    });
  });
}
