/** Cells edited, added and deleted, a question asked anew, files reverted, everything run again. */

import { type Chat, expect, test } from "./product";

test.use({ demo: true });

async function run(chat: Chat, code: string): Promise<void> {
  const { page } = chat;
  const box = page.getByPlaceholder(/Python to run/);
  if (!(await box.isVisible())) await page.getByRole("button", { name: "Run Python" }).click();
  const before = await chat.cells("ok").count();
  await box.fill(code);
  await page.keyboard.press("Enter");
  await expect(chat.cells("ok")).toHaveCount(before + 1);
}

async function ask(chat: Chat, question: string): Promise<void> {
  const { page } = chat;
  if (await page.getByPlaceholder(/Python to run/).isVisible())
    await page.getByRole("button", { name: "Run Python" }).click();
  await chat.ask(question);
}

async function type(chat: Chat, code: string): Promise<void> {
  const editor = chat.page.locator(".cm-content");
  await expect(editor).toBeFocused();
  await chat.page.keyboard.press("ControlOrMeta+A");
  await chat.page.keyboard.insertText(code);
}

test("a cell is edited, one is added after it, and one goes", async ({ chat, page }) => {
  await run(chat, "x = 1; print('x is', x)");
  await run(chat, "print('last', x)");
  const first = page.locator("section[data-cell]").first();

  await first.getByRole("button", { name: "Edit code" }).click();
  await type(chat, "x = 5; print('x is now', x)");
  await page.keyboard.press("Shift+Enter");
  await expect(first).toContainText("x is now 5");
  await expect(first).toContainText("changed by you");

  await first.hover();
  await page.getByRole("button", { name: "Code", exact: true }).first().click();
  await type(chat, "print('between', x)");
  await chat.shot("rerun-editor");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator("section[data-cell]").nth(1)).toContainText("between 5");

  await first.getByRole("button", { name: "Edit code" }).click();
  await type(chat, "never");
  await page.keyboard.press("Escape");
  await expect(first).toContainText("x is now 5");

  await page.locator("section[data-cell]").last().getByRole("button", { name: /^More/ }).click();
  await page.getByRole("menuitem", { name: "Delete cell" }).click();
  await expect(page.locator("section[data-cell]")).toHaveCount(2);
  await page.reload();
  await expect(page.locator("section[data-cell]")).toHaveCount(2);
});

test("an earlier question is asked anew in a branch, and the first one stays", async ({
  chat,
  page,
}) => {
  await run(chat, "start = 41");
  await ask(chat, "What can you do?");
  await expect(page.getByRole("button", { name: "What was sent" })).toHaveCount(1);
  await run(chat, "start = 0");
  const first = page.url();

  const prompt = chat.log.getByText("What can you do?", { exact: true });
  await prompt.hover();
  await page.getByRole("button", { name: "Edit and ask again" }).click();
  const field = page.getByRole("textbox", { name: "Edit and ask again" });
  await field.fill("And what else can you do?");
  await field.press("Enter");
  await expect(page).not.toHaveURL(first);
  await expect(chat.log).toContainText("And what else can you do?");
  await expect(page.getByRole("group", { name: "Branch" })).toContainText("2 of 2");
  await expect(page.getByRole("button", { name: "What was sent" })).toHaveCount(1);
  await chat.shot("rerun-branch");
  await run(chat, "print('start is', start)");
  await expect(page.locator("section[data-cell]").last()).toContainText("start is 41");

  await page.getByRole("button", { name: "Previous branch" }).click();
  await expect(page).toHaveURL(first);
  await expect(prompt).toBeVisible();
  await expect(page.getByRole("group", { name: "Branch" })).toContainText("1 of 2");
});

test("what a cell did to files is reverted, and that too", async ({ chat, page }) => {
  await run(chat, "_ = open('kept.txt', 'w').write('one')");
  await run(chat, "_ = open('kept.txt', 'w').write('two')");
  const revert = page.getByRole("button", { name: "Revert", exact: true }).last();
  await revert.click();
  await expect(page.getByText("1 file reverted")).toBeVisible();
  await run(chat, "print(open('kept.txt').read())");
  await expect(chat.cells("ok").last()).toContainText("one");
  await page.getByRole("button", { name: "Undo" }).click();
  await run(chat, "print('again', open('kept.txt').read())");
  await expect(chat.cells("ok").last()).toContainText("again two");
});

test("everything is run again and compared, and variables come back", async ({ chat, page }) => {
  await run(chat, "import time; print(time.time(), object()); kept = 7");
  await page.getByRole("button", { name: /^Replay/ }).click();
  await page.getByRole("menuitem", { name: "Run all again and compare" }).click();
  await expect(page.getByRole("button", { name: "Replay: Reproduces" })).toBeVisible();
  await run(chat, "import os; print('replays' in os.getcwd())");
  await expect(page.getByRole("button", { name: "Replay: Changed since" })).toBeVisible();
  await page.getByRole("button", { name: /^Replay/ }).click();
  await page.getByRole("menuitem", { name: "Run all again and compare" }).click();
  await page.getByRole("button", { name: "Replay: Differs at cell 2" }).click();
  await expect(page.getByRole("menu")).toContainText("another text");
  await chat.shot("rerun-differs");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: /^Kernel/ }).click();
  await page.getByRole("menuitem", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
  await expect(page.getByText("The variables of this conversation are gone")).toBeVisible();
  await chat.shot("rerun-gone");
  await page.getByRole("button", { name: "Restore variables" }).click();
  await expect(page.getByText("The variables of this conversation are gone")).toBeHidden();
  await expect(page.getByText("Bringing variables back")).toBeHidden();
  await run(chat, "print('kept is', kept)");
  await expect(chat.cells("ok").last()).toContainText("kept is 7");
});
