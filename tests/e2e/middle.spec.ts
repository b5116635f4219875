/** What a person does in the middle: stop, reload, change the model, restart the kernel. */

import { expect, printed, test } from "./product";

test("Stop ends an answer in the middle of a sentence, and the next one works", async ({
  chat,
}) => {
  await chat.ask("Please write for ever.");
  await expect(chat.log).toContainText("word20");
  await chat.stopButton.click();
  await expect(chat.log).toContainText("You stopped this answer.");
  await chat.ask("Say which model you are.");
  await expect(chat.log).toContainText("You are talking to scripted-small.");
});

test("Stop ends code that would run for ever, and the kernel keeps its variables", async ({
  chat,
  page,
}) => {
  await chat.ask("Make it run for ever.");
  await expect(chat.cells("running")).toContainText("tick 3");
  await chat.stopButton.click();
  await expect(chat.cells("interrupted")).toHaveCount(1);
  await expect(chat.log).toContainText("You stopped this answer.");

  await page.getByRole("button", { name: "Run Python" }).click();
  await page.getByPlaceholder(/Python to run/).fill("print('i is', i)");
  await page.keyboard.press("Enter");
  await expect(chat.cells("ok").last()).toContainText(/i is \d+/);
});

test("a reload in the middle of text and of code loses nothing", async ({ chat, page }) => {
  await chat.ask("Please count.");
  await expect(chat.log).toContainText("one10");
  await page.reload();
  await expect(chat.cells("running")).toContainText("step 10");
  await page.reload();
  await expect(chat.log).toContainText("Done counting.");
  const steps = Array.from({ length: 100 }, (_, i) => `step ${i + 1}\n`).join("");
  expect(printed(await chat.lastCells())).toBe(`${steps}counted 100\n`);
  await expect(chat.log).toContainText(Array.from({ length: 100 }, (_, i) => `one${i}`).join(" "));
});

test("the model can be changed in the middle of a conversation", async ({ chat, page }) => {
  await chat.ask("Say which model you are.");
  await expect(chat.log).toContainText("You are talking to scripted-small.");
  await page.getByRole("button", { name: /Scripted small/ }).click();
  await page.getByRole("menuitemradio", { name: /Scripted large/ }).click();
  await chat.ask("And which model now?");
  await expect(chat.log).toContainText("You are talking to scripted-large.");
});

test("a restarted kernel has forgotten its variables and works", async ({ chat, page }) => {
  const run = async (code: string) => {
    await page.getByPlaceholder(/Python to run/).fill(code);
    await page.keyboard.press("Enter");
  };
  await page.getByRole("button", { name: "Run Python" }).click();
  await run("kept = 41; print('kept', kept)");
  await expect(chat.cells("ok").last()).toContainText("kept 41");
  await page.getByRole("button", { name: /^Kernel/ }).click();
  await page.getByRole("menuitem", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Restart" }).click();
  await run("print('kept' in globals())");
  await expect(chat.cells("ok").last()).toContainText("False");
});
