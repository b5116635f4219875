/** Every dialog, and the question before a tool: in both languages, light and dark, wide and narrow. */

import { en } from "../../frontend/src/i18n/en";
import { zhCN } from "../../frontend/src/i18n/zh-CN";
import { violations } from "./axe";
import { Chat, expect, python, root, test } from "./product";

const peer = { command: python, args: ["-m", "tests.mcp_peer"], cwd: root };
const gone = { command: "/no/such/program", args: ["--with", "a rather long argument of no use"] };
test.use({
  variables: {
    GPTCODE_MCP_SERVERS: JSON.stringify({ mcpServers: { peer, gone } }),
    GPTCODE_MCP_START_SECONDS: "30",
    GPTCODE_CELL_SECONDS: "1",
  },
});

const looks = [
  { name: "light", words: en, locale: "en-US", colorScheme: "light", width: 1280, height: 900 },
  { name: "dark-zh", words: zhCN, locale: "zh-CN", colorScheme: "dark", width: 390, height: 844 },
] as const;

/** It passes axe and does not make the page scroll sideways. */
async function isSound(chat: Chat, shot: string): Promise<void> {
  await chat.shot(`dialog-${shot}`);
  expect(await violations(chat.page)).toEqual([]);
  const wide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await chat.page.evaluate(wide)).toBe(false);
}

for (const { name, words, locale, colorScheme, width, height } of looks) {
  test.describe(name, () => {
    test.use({ locale, colorScheme, viewport: { width, height } });

    test(`${name}: dialogs and the question before a tool`, async ({ product, page }) => {
      await page.context().addCookies([{ ...product.session, url: product.origin }]);
      await page.goto(product.origin);
      const composer = page.locator("form textarea");
      await expect(composer).toBeVisible();
      const chat = new Chat(page, product);
      /** The sidebar of a narrow page is a dialog too, and may stay. */
      const close = async (title: string) => {
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog", { name: title, exact: true })).toHaveCount(0);
      };

      await composer.fill("Please use the tool.");
      await composer.press("Enter");
      const question = page.getByRole("group", { name: words.approval.askTool });
      await expect(question).toBeVisible({ timeout: 40_000 });
      await isSound(chat, `tool-question-${name}`);
      await question.getByRole("button", { name: words.approval.run, exact: true }).click();
      await expect(page.getByRole("log")).toContainText("It says");
      await isSound(chat, `tool-done-${name}`);

      await page.getByRole("button", { name: words.sent.action }).click();
      await expect(page.getByRole("dialog", { name: words.sent.title })).toBeVisible();
      await isSound(chat, `sent-${name}`);
      await close(words.sent.title);

      await composer.fill("Please wait for go.");
      await composer.press("Enter");
      await expect(page.getByText(words.cell.stillRunning)).toBeVisible();
      await isSound(chat, `still-running-${name}`);
      const { conversations } = await product.get<{ conversations: { id: string }[] }>(
        "/api/conversations",
      );
      const status = await page.evaluate(async (where) => {
        const headers = { "Content-Type": "application/octet-stream" };
        return (await fetch(where, { method: "PUT", body: "1", headers })).status;
      }, `/api/conversations/${conversations[0]?.id}/files/go.txt`);
      expect(status).toBe(201);
      await expect(page.getByRole("log")).toContainText("It went on.");
      await expect(page.getByText(words.cell.stillRunning)).toHaveCount(0);

      const openSidebar = page.getByRole("button", { name: words.sidebar.open });
      if (await openSidebar.isVisible()) await openSidebar.click();
      const settings = page.getByRole("button", { name: words.sidebar.settings });
      await settings.click();
      await isSound(chat, `settings-menu-${name}`);
      await page.getByRole("menuitem", { name: words.providers.manage }).click();
      await expect(page.getByRole("dialog", { name: words.providers.title })).toBeVisible();
      await isSound(chat, `models-${name}`);
      await close(words.providers.title);
      if (await openSidebar.isVisible()) await openSidebar.click();
      await settings.click();
      await page.getByRole("menuitem", { name: words.tools.manage }).click();
      const tools = page.getByRole("dialog", { name: words.tools.title });
      await expect(tools).toContainText("/no/such/program");
      await isSound(chat, `tools-${name}`);
      await tools.getByRole("button", { name: words.tools.add }).click();
      await isSound(chat, `tools-add-${name}`);
      await close(words.tools.title);

      for (const item of [words.sidebar.rules, words.approval.allowed]) {
        if (await openSidebar.isVisible()) await openSidebar.click();
        await page
          .getByRole("button", { name: words.sidebar.more("Please use the tool.") })
          .first()
          .click();
        await page.getByRole("menuitem", { name: item }).click();
        await expect(page.getByRole("dialog", { name: item })).toBeVisible();
        await isSound(chat, `${item === words.approval.allowed ? "allowed" : "rules"}-${name}`);
        await close(item);
      }
      expect(chat.complaints).toEqual([]);
    });
  });
}
