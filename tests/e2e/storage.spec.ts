/** The data folder on the page: what takes the disk, the bin, and the end of what lies in it. */

import { en } from "../../frontend/src/i18n/en";
import { zhCN } from "../../frontend/src/i18n/zh-CN";
import { violations } from "./axe";
import { Chat, expect, test } from "./product";

test.use({ demo: true });

const LONG = "A very long title about the quarterly sales of every region, city and street ".repeat(
  3,
);
const looks = [
  { name: "light", words: en, locale: "en-US", colorScheme: "light", width: 1280, height: 900 },
  { name: "dark-zh", words: zhCN, locale: "zh-CN", colorScheme: "dark", width: 390, height: 844 },
] as const;

interface Listed {
  conversations: { id: string; title?: string; deleted: boolean }[];
}

for (const { name, words, locale, colorScheme, width, height } of looks) {
  test.describe(name, () => {
    test.use({ locale, colorScheme, viewport: { width, height } });

    test(`${name}: storage, restore, delete for good, empty the bin`, async ({ product, page }) => {
      await page.context().addCookies([{ ...product.session, url: product.origin }]);
      await page.goto(product.origin);
      const chat = new Chat(page, product);
      await expect(chat.composer).toBeVisible();
      /** A request as the page makes it. */
      const send = (method: string, path: string, body?: object) =>
        page.evaluate(
          async ([verb, where, text]) => {
            const headers = { "Content-Type": "application/json" };
            const answer = await fetch(where, { method: verb, headers, body: text ?? null });
            return answer.json();
          },
          [method, `/api/conversations${path}`, body && JSON.stringify(body)] as const,
        );
      const begin = async (title: string, code: string) => {
        const { id } = await send("POST", "", { title });
        await send("POST", `/${id}/cells`, { code });
        made.add(id);
        return `/${id}`;
      };
      // Other journeys may have used this product before.
      const made = new Set<string>();
      const all = async () => (await product.get<Listed>("/api/disk")).conversations;
      const rows = async () => (await all()).filter(({ id }) => made.has(id));
      for (const { id, deleted } of await all())
        if (deleted) await send("DELETE", `/${id}/forever`);
      const fill = (size: string) => `open("data.bin", "wb").write(b"x" * ${size})`;

      await begin(`${name} kept`, fill("3_000_000"));
      const gone = await begin(`${name} gone`, fill("2_000_000"));
      for (const title of [LONG, `${name} last`])
        await send("DELETE", await begin(title, fill("500_000")));
      await send("DELETE", gone);

      const openSidebar = page.getByRole("button", { name: words.sidebar.open });
      if (await openSidebar.isVisible()) await openSidebar.click();
      await page.getByRole("button", { name: words.sidebar.settings }).press("Enter");
      await page.getByRole("menuitem", { name: words.storage.manage }).press("Enter");
      const dialog = page.getByRole("dialog", { name: words.storage.title, exact: true });
      await expect(dialog).toContainText("gptcode-e2e-");
      await expect(dialog).toContainText(`${name} kept`);
      await expect(dialog.getByText(words.storage.deleted, { exact: true })).toHaveCount(3);
      await chat.shot(`storage-${name}`);
      expect(await violations(page)).toEqual([]);
      const wide = () =>
        document.documentElement.scrollWidth > document.documentElement.clientWidth;
      expect(await page.evaluate(wide)).toBe(false);

      await dialog
        .getByRole("button", { name: words.storage.restoreLabel(`${name} last`) })
        .press("Enter");
      await expect(dialog.getByText(words.storage.deleted, { exact: true })).toHaveCount(2);

      // Asked first: Escape leaves everything as it is.
      const remove = dialog.getByRole("button", {
        name: words.storage.removeLabel(`${name} gone`),
      });
      await remove.press("Enter");
      const question = page.getByRole("dialog", { name: words.storage.removeTitle, exact: true });
      await expect(question).toContainText(`${name} gone`);
      await chat.shot(`storage-question-${name}`);
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await expect(question).toHaveCount(0);
      expect(await rows()).toHaveLength(4);
      await remove.press("Enter");
      await question.getByRole("button", { name: words.storage.remove }).press("Enter");
      await expect(dialog).not.toContainText(`${name} gone`);
      await expect(dialog.getByText(words.storage.deleted, { exact: true })).toHaveCount(1);

      await dialog.getByRole("button", { name: words.storage.empty(1) }).press("Enter");
      await page
        .getByRole("dialog", { name: words.storage.removeTitle, exact: true })
        .getByRole("button", { name: words.storage.remove })
        .press("Enter");
      await expect(dialog.getByText(words.storage.deleted, { exact: true })).toHaveCount(0);
      await chat.shot(`storage-after-${name}`);
      const left = await rows();
      expect(left.map(({ title }) => title).sort()).toEqual([`${name} kept`, `${name} last`]);
      expect(chat.complaints).toEqual([]);
      for (const { id } of left) {
        await send("DELETE", `/${id}`);
        await send("DELETE", `/${id}/forever`);
      }
    });
  });
}
