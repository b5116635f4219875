/** Asking first: the question, its reasons, changing the code, refusing, allowing, taking back. */

import { type Chat, expect, printed, test } from "./product";

const question = (chat: Chat) => chat.page.getByRole("group", { name: /asks before it runs/ });

async function asked(chat: Chat): Promise<void> {
  await chat.ask("Please ask me first.");
  await expect(question(chat)).toBeVisible();
}

test("a question has its reasons and their lines, and no stray key runs it", async ({
  chat,
  page,
}) => {
  await asked(chat);
  await expect(chat.cells("waiting")).toHaveCount(1);
  await expect(question(chat).getByRole("listitem")).toHaveText([
    /Line 6.*looks outside the working folder.*os\.environ/,
  ]);
  await expect(page.locator("[data-mark]")).toHaveCount(1);
  await expect(page).toHaveTitle(/Waiting/);
  await expect(page.getByRole("img", { name: "Waits for your answer" })).toBeVisible();
  await expect(question(chat)).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Space");
  await expect(chat.cells("waiting")).toHaveCount(1);
  await chat.shot("asking");

  await page.reload();
  await expect(question(chat)).toBeVisible();
  await question(chat).getByRole("button", { name: "Run", exact: true }).click();
  await expect(chat.log).toContainText("It ran as is.");
  expect(printed(await chat.lastCells())).toContain("sum 6");
  await expect(page).not.toHaveTitle(/Waiting/);
});

test("the code can be changed before it runs, and the model is told", async ({ chat }) => {
  await asked(chat);
  await question(chat).getByRole("button", { name: "Edit" }).click();
  await question(chat).getByRole("textbox").fill("print('mine', 40 + 2)");
  await question(chat).getByRole("button", { name: "Run the changed code" }).click();
  await expect(chat.log).toContainText("Changed by you.");
  expect(printed(await chat.lastCells())).toBe("mine 42\n");
  await expect(chat.cells("ok")).toContainText("changed by you");
});

test("what is refused does not run, and stop ends a question", async ({ chat }) => {
  await asked(chat);
  await question(chat).getByRole("button", { name: "Do not run" }).click();
  await expect(chat.log).toContainText("I was not allowed to.");
  await expect(chat.cells("not_run")).toContainText("did not allow");
  await asked(chat);
  await chat.stopButton.click();
  await expect(chat.cells("not_run")).toHaveCount(2);
  await expect(question(chat)).toHaveCount(0);
});

test("what is allowed for the conversation is not asked again until it is taken back", async ({
  chat,
  page,
}) => {
  await asked(chat);
  await question(chat).getByRole("checkbox").check();
  await question(chat).getByRole("button", { name: "Run", exact: true }).click();
  await expect(chat.log).toContainText("It ran as is.");
  await chat.ask("Please ask me again.");
  await expect(chat.cells("ok")).toHaveCount(2);

  await page
    .getByRole("button", { name: /^More for Please ask me first/ })
    .first()
    .click();
  await page.getByRole("menuitem", { name: "What is allowed" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("looks outside the working folder");
  await dialog.getByRole("button", { name: "Ask again" }).click();
  await expect(dialog).toContainText("Nothing");
  await page.keyboard.press("Escape");
  await asked(chat);
  await question(chat).getByRole("button", { name: "Do not run" }).click();
});

test("whether to ask is set on the page and holds at once", async ({ chat, page }) => {
  const choose = async (name: string) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("menuitemradio", { name, exact: true }).click();
    await page.keyboard.press("Escape");
  };
  await choose("Never");
  await expect
    .poll(async () => (await chat.product.get<{ approve: string }>("/api/settings")).approve)
    .toBe("never");
  await chat.ask("Please ask me first.");
  await expect(chat.log).toContainText("It ran as is.");
  await choose("When it is risky");
  await expect
    .poll(async () => (await chat.product.get<{ approve: string }>("/api/settings")).approve)
    .toBe("risky");
});
