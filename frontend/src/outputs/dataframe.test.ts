import { describe, expect, test } from "vitest";
import { type DataTable, readDataFrame } from "./dataframe";

function read(html: string): DataTable | null {
  const template = document.createElement("template");
  template.innerHTML = html;
  return readDataFrame(template.content);
}

function texts(rows: DataTable["head"]): string[][] {
  return rows.map((row) => row.map((cell) => cell.text));
}

const PANDAS = `<div>
<table border="1" class="dataframe">
  <thead>
    <tr style="text-align: right;"><th></th><th>region</th><th>revenue</th><th>share</th></tr>
  </thead>
  <tbody>
    <tr><th>0</th><td>华东 &lt;b&gt;</td><td>1,204,331.5</td><td>42%</td></tr>
    <tr><th>...</th><td>...</td><td>...</td><td>...</td></tr>
    <tr><th>9</th><td>12</td><td>-1.5e-07</td><td>NaN</td></tr>
  </tbody>
</table>
<p>1000 rows × 3 columns</p>
</div>`;

describe("a data frame", () => {
  test("of pandas", () => {
    const table = read(PANDAS);
    expect(texts(table?.head ?? [])).toEqual([["", "region", "revenue", "share"]]);
    expect(texts(table?.body ?? [])[0]).toEqual(["0", "华东 <b>", "1,204,331.5", "42%"]);
    expect(table?.numeric).toEqual([true, false, true, true]);
    expect(table?.size).toEqual({ rows: 1000, columns: 3 });
  });

  test("of pandas, whole: counted", () => {
    expect(read(PANDAS.replace(/<p>.*<\/p>/, ""))?.size).toEqual({ rows: 3, columns: 3 });
  });

  test("with labels that reach over rows", () => {
    const table = read(`<table class="dataframe"><thead>
      <tr><th></th><th></th><th colspan="2">x</th></tr><tr><th>k</th><th>l</th><th>a</th><th>b</th></tr></thead>
      <tbody><tr><th rowspan="2" valign="top">A</th><th>1</th><td>q</td><td>1</td></tr>
      <tr><th>2</th><td>w</td><td>2</td></tr></tbody></table>`);
    expect(table?.body.map((row) => row.map((cell) => cell.column))).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
    ]);
    expect(table?.head[0]?.at(-1)).toEqual({
      text: "x",
      header: true,
      columns: 2,
      rows: 1,
      column: 2,
    });
    expect(table?.numeric).toEqual([false, true, false, true]);
    expect(table?.size).toEqual({ rows: 2, columns: 2 });
  });

  test("with the name of its index beside those of its columns", () => {
    const named = (second: string) =>
      read(`<table class="dataframe"><thead><tr><th></th><th>2021</th><th>2022</th></tr>
      <tr>${second}</tr></thead><tbody><tr><th>A</th><td>1</td><td>2</td></tr></tbody></table>`);
    expect(texts(named("<th>region</th><th></th><th></th>")?.head ?? [])).toEqual([
      ["region", "2021", "2022"],
    ]);
    expect(texts(named("<th>region</th><th>Q1</th><th></th>")?.head ?? [])).toHaveLength(2);
  });

  test("of polars", () => {
    const table =
      read(`<div><small>shape: (1_000, 2)</small><table border="1" class="dataframe"><thead>
      <tr><th>a</th><th>b</th></tr><tr><td>i64</td><td>str</td></tr></thead>
      <tbody><tr><td>1</td><td>&quot;x&quot;</td></tr></tbody></table></div>`);
    expect(table?.size).toEqual({ rows: 1000, columns: 2 });
    expect(table?.numeric).toEqual([true, false]);
  });

  test("is not any table", () => {
    expect(read("<table><tr><td>1</td></tr></table>")).toBe(null);
  });

  test("cannot ask for more than a page can hold", () => {
    const table = read(
      '<table class="dataframe"><tbody><tr><td colspan="99999999">1</td></tr></tbody></table>',
    );
    expect(table?.numeric).toHaveLength(1000);
  });
});
