/** The network: off until it is allowed, where it was asked for in vain, and what it was used for. */

import { violations } from "./axe";
import { type Chat, expect, printed, test } from "./product";

const fetching = `import urllib.request
try:
    urllib.request.urlopen("http://gptcode.invalid/data.csv")
except OSError as error:
    print(error)`;

/** A new conversation in which the person ran a cell of their own. */
async function ran(chat: Chat, code: string, title: string): Promise<void> {
  const id = await chat.page.evaluate(
    async ([code, title]) => {
      const post = async (path: string, body: object) => {
        const headers = { "Content-Type": "application/json" };
        const init = { method: "POST", headers, body: JSON.stringify(body) };
        return (await fetch(`/api/conversations${path}`, init)).json();
      };
      const { id } = await post("", { title });
      await post(`/${id}/cells`, { code });
      return id as string;
    },
    [code, title],
  );
  await chat.page.evaluate((id) => {
    location.hash = `#/c/${id}`;
  }, id);
  await expect(chat.page.locator("[data-cell]")).toHaveCount(1);
}

async function offAndOn(chat: Chat, look: string): Promise<void> {
  const { page } = chat;
  await ran(chat, fetching, "Load");
  await expect(page.locator("[data-network=off]")).toBeVisible();
  await expect(
    page
      .locator("[data-cell]")
      .getByText(/gptcode\.invalid.*(off|关闭)/)
      .last(),
  ).toBeVisible();
  expect(printed(await chat.lastCells())).toContain("switched off in GPT-Code UI");
  expect(await violations(chat.page)).toEqual([]);
  await chat.shot(`network-off-${look}`);

  await page
    .getByRole("button", { name: /Allow network and run again|允许网络并重新运行/ })
    .click();
  await expect(chat.cells("ok")).toHaveCount(2);
  await expect(page.locator("[data-network=on]")).toBeVisible();
  expect(printed(await chat.lastCells())).toContain("gptcode.invalid is not known");

  await page.getByRole("button", { name: /^(Network on|网络已打开)$/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("gptcode.invalid")).toBeVisible();
  await expect(dialog.getByText(/2 not reached|未连通 2 次/)).toBeVisible();
  expect(await violations(chat.page)).toEqual([]);
  await chat.shot(`network-on-${look}`);
  await dialog.getByRole("switch").click();
  await expect(dialog.getByRole("switch")).toHaveAttribute("aria-checked", "false");
  await expect(page.locator("[data-network=off]")).toHaveCount(1);
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(width).toBeLessThanOrEqual(0);
}

test("code without a network says so, is allowed it, and runs again", async ({ chat }) => {
  await offAndOn(chat, "light");
});

test.describe("dark and narrow", () => {
  test.use({ colorScheme: "dark", viewport: { width: 360, height: 780 } });
  test("the same on a small screen", async ({ chat }) => {
    await offAndOn(chat, "dark-narrow");
  });
});

test("a module that is not there is offered", async ({ chat, page }) => {
  await ran(chat, "import sklearn_that_is_not_there", "Import");
  await page.getByRole("button", { name: "Install sklearn-that-is-not-there…" }).click();
  const dialog = page.getByRole("dialog", { name: "Install packages" });
  await expect(dialog.getByRole("textbox")).toHaveValue("sklearn-that-is-not-there");
  expect(await violations(chat.page)).toEqual([]);
  await chat.shot("packages");
  await dialog.getByRole("textbox").fill("numpy");
  await dialog.getByRole("button", { name: "Install" }).click();
  await expect(chat.cells("ok")).toHaveCount(1);
  expect(printed(await chat.lastCells())).toContain("already");
});
