import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, test } from "vitest";
import { TipProvider } from "../../ui/Tip";
import { DOCUMENTS } from "./documents.fixture";
import { Markdown } from "./Markdown";

const fileLink = (path: string) => `/dl/${encodeURI(path)}`;

function page(text: string, streaming = false) {
  return (
    <TipProvider>
      <Markdown text={text} streaming={streaming} onFileLink={fileLink} />
    </TipProvider>
  );
}

function html(text: string): string {
  const { container } = render(page(text));
  return container.querySelector(".md")?.innerHTML ?? "";
}

afterEach(cleanup);

describe("a message", () => {
  test.each([
    [
      "emphasis",
      "**a** *b* ~~c~~ `d`",
      "<p><strong>a</strong> <em>b</em> <del>c</del> <code>d</code></p>",
    ],
    ["Chinese emphasis", "**结论：**收入", "<p><strong>结论：</strong>收入</p>"],
    ["about", "~100~200", "<p>~100~200</p>"],
    [
      "headings below the page's own",
      "# a\n\n###### b",
      '<h2 class="md-h1">a</h2><h6 class="md-h6">b</h6>',
    ],
    [
      "tight lists",
      "3. a\n   - b\n4. c",
      '<ol start="3"><li>a<ul><li>b</li></ul></li><li>c</li></ol>',
    ],
    ["loose lists", "- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"],
    ["line breaks", "a  \nb<br>c", "<p>a<br>\nb<br>c</p>"],
    ["quotes and rules", "> a\n\n---", "<blockquote><p>a</p></blockquote><hr>"],
    ["money", "$5 a day, or $40 a week; 5$", "<p>$5 a day, or $40 a week; 5$</p>"],
  ])("%s", (_name, text, expected) => {
    expect(html(text).replaceAll("<br>b", "<br>\nb")).toBe(expected);
  });

  test("tables keep their alignment", () => {
    render(page("| a | b |\n|:--|--:|\n| 1 | 2 |"));
    const cells = [...document.querySelectorAll("th, td")].map((cell) => [
      cell.tagName,
      cell.className,
      cell.textContent,
    ]);
    expect(cells).toEqual([
      ["TH", "md-left", "a"],
      ["TH", "md-right", "b"],
      ["TD", "md-left", "1"],
      ["TD", "md-right", "2"],
    ]);
  });

  test("cells beyond the head of a table belong to no column", () => {
    render(page("| a |\n|--|\n| 1 | 2 |"));
    expect([...document.querySelectorAll("td")].map((cell) => cell.textContent)).toEqual(["1"]);
  });

  test("task lists say what is done", () => {
    render(page("- [x] read\n- [ ] plot"));
    expect(screen.getByRole("checkbox", { name: "Done" })).toHaveProperty("checked", true);
    expect(screen.getByRole("checkbox", { name: "Not done" })).toHaveProperty("checked", false);
  });

  test("footnotes are numbered as they are called and lead there and back", () => {
    render(page("One[^b] two[^a] one[^b] none[^c].\n\n[^a]: A\n[^b]: B"));
    const calls = [...document.querySelectorAll("sup a")].map((call) => call.textContent);
    expect(calls).toEqual(["1", "2", "1"]);
    const notes = [...document.querySelectorAll(".md-notes li")].map((note) => note.textContent);
    expect(notes).toEqual(["B↩", "A↩"]);
    const target = document.querySelector("sup a")?.getAttribute("href")?.slice(1) ?? "";
    expect(document.getElementById(target)?.textContent).toBe("B↩");
  });
});

describe("links", () => {
  function link(text: string): Record<string, string> | null {
    render(page(text));
    const found = document.querySelector("a");
    if (found === null) return null;
    const attributes = Object.fromEntries(
      [...found.attributes].map(({ name, value }) => [name, value]),
    );
    return { ...attributes, text: found.textContent ?? "" };
  }

  test("to the web open elsewhere and show their host", () => {
    expect(link("[here](https://user@Example.com/a?b)")).toEqual({
      href: "https://user@example.com/a?b",
      target: "_blank",
      rel: "noopener noreferrer",
      text: "here (example.com)",
    });
  });

  test.each([
    ["详见https://a.cn/b，以及", "https://a.cn/b"],
    ["https://a.cn/b。“**引号**”", "https://a.cn/b"],
    ["(see http://a.example/x_(y)).", "http://a.example/x_(y)"],
    ["https://a.example/x?y=1&z=2, and", "https://a.example/x?y=1&z=2"],
    ["www.a.example/c", "http://www.a.example/c"],
  ])("without markup end where the address ends: %s", (text, href) => {
    expect(link(text)?.["href"]).toBe(href);
  });

  test("show an imitated host as what it is", () => {
    expect(link("[аpple.com](https://аpple.com/)")?.["text"]).toBe("аpple.com (xn--pple-43d.com)");
  });

  test.each([
    ["[out](files/out.csv)", "/dl/out.csv", "out.csv"],
    ["[out](./files/a/b%20c.csv)", "/dl/a/b%20c.csv", "b c.csv"],
    ["[下载](files/北京.csv)", "/dl/%E5%8C%97%E4%BA%AC.csv", "北京.csv"],
    ["[out](municipalities.csv)", "/dl/municipalities.csv", "municipalities.csv"],
    ["[out](sandbox:/mnt/data/out.csv)", "/dl/out.csv", "out.csv"],
  ])("to workspace files download: %s", (text, href, download) => {
    expect(link(text)).toMatchObject({ href, download });
  });

  test.each([
    "[x](javascript:alert(1))",
    "[x](JaVaScript:alert(1))",
    "[x](java&#9;script:alert(1))",
    "[x](&#1;javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://x/y)",
    "[x](/etc/passwd)",
    "[x](//evil.example/x)",
    "[x](\\\\\\\\evil.example/x)",
    "[x](files/../../secret)",
    "[x](files/%2e%2e/secret)",
    "[x](https://)",
    "[x](#top)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "<javascript:alert(1)>",
  ])("that must not be one stay text: %s", (text) => {
    expect(link(text)).toBe(null);
  });
});

describe("what could act does not", () => {
  test.each([
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "text <svg onload=alert(1)><a xlink:href='javascript:1'>x</a></svg>",
    "<iframe srcdoc='<script>1</script>'></iframe>",
    "<style>*{display:none}</style>",
    "<form action=//evil><input name=x></form>",
    '<a href="https://x" onclick="alert(1)">x</a>',
    "```html\n<img src=x onerror=alert(1)>\n```",
    "$\\href{javascript:alert(1)}{x}$",
  ])("%s", (text) => {
    const { container } = render(page(text));
    const message = container.querySelector(".md");
    expect(message?.querySelector("img, script, iframe, style, form, input, a, [onclick]")).toBe(
      null,
    );
  });

  test("a remote picture is a link, a carried one a word, one of the workspace is shown", () => {
    const { container } = render(
      page("![r](https://e.example/x.png) ![d](data:image/png;base64,AA) ![p](files/p.png)"),
    );
    expect(
      [...container.querySelectorAll("img")].map((image) => image.getAttribute("src")),
    ).toEqual(["/dl/p.png"]);
    expect(container.querySelector("a")?.textContent).toBe("r (e.example)");
    expect(container.textContent).toContain(" d ");
  });
});

describe("while it is written", () => {
  test.each(Object.entries(DOCUMENTS))("%s ends as it would be drawn whole", (_name, text) => {
    const { container, rerender } = render(page("", true));
    for (let end = 0; end < text.length; end += 37) rerender(page(text.slice(0, end), true));
    rerender(page(text, false));
    const streamed = container.querySelector(".md")?.innerHTML;
    cleanup();
    expect(withoutIds(streamed)).toBe(withoutIds(html(text)));
  });

  test("finished blocks stay the same nodes of the page", () => {
    const { container, rerender } = render(page("# a\n\nfirst\n\nsec", true));
    const before = [...(container.querySelector(".md")?.children ?? [])].slice(0, 2);
    rerender(page("# a\n\nfirst\n\nsecond\n\n- third", true));
    const after = [...(container.querySelector(".md")?.children ?? [])].slice(0, 2);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });
});

/** React's ids and Radix's state differ between two drawings of the same. */
function withoutIds(markup: string | undefined): string {
  return (markup ?? "").replace(/(id|href)="#?[^"]*-(note|call)-\d+"/g, "");
}
