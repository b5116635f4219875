/** Messages as models write them, and as they should not. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  report: `# Sales

I loaded **sales_2025.csv** (100,000 rows) and *cleaned* it, see \`clean()\`.
A second line with a hard break  
and ~~struck~~ text, about ~100~200 rows.

## Steps
1. Read
2. Clean
   - drop empty rows
   - fix dates

     a paragraph deep inside

     \`\`\`python
     df = pd.read_csv("a.csv")
     \`\`\`
3. Plot

- [x] done
- [ ] open
* another list
+ and another

> quoted
> - with a list
lazy line

***
Setext
===
Other
---
`,
  chinese: `**结论：**收入增长了 12%，**北京**、**上海（市）**领先。
详见 https://stats.gov.cn/a，以及 <https://example.com/b>。
来源https://stats.gov.cn/sj/ndsj，仅供参考。“**引号**”见(http://a.cn/x_(y))。www.b.cn/c、再www.d.cn。
See https://a.example/x?y=1&z=(2). Or http://b.example/_c_/d, http://, [https://c.example](https://d.example).
“**引号**”与*强调。*后文，~~删除线~~。

| 城市 | GDP（亿元） | 占比 |
|:-----|------:|:---:|
| 北京 | 43,760.7 | 30% |
| 上海 | 47,218.66 | **32%** |
表后一行

1. 第一步：读取数据
2. 第二步：处理编码
`,
  table: `Before
| a | b |
|---|--:|
| 1 | \`x|y\` |
| 2 | [l](files/out.csv) |

a | b
--|--
c | d
not | a | table

| cut | mid
|-----|`,
  fences: `Text
\`\`\`python
def f():
    """doc"""

    return 1
\`\`\`
after

~~~~ts title="x"
~~~
~~~~

\`\`\`
\`\`
\`\`\`not closing
\`\`\`

    indented code

    more

\`\`\`py
print("open", "

# never closed
`,
  references: `See [the docs][d], [short], ![pic][p] and [missing].

Footnote[^1] and again[^note], unknown[^x].

- item with [d]

[d]: https://example.com/docs "Title"
[short]: <https://example.com/s>
[^1]: First note with [d].
[^note]: Second

    more of it

    - list in it

Between [later].

[p]: https://example.com/p.png
[d]: https://other.example/second-is-ignored
[later]: https://example.com/later
"title on
two lines"

[a]: /x
'not closed

done [a] [^1]
`,
  math: `Euler: $e^{i\\pi} + 1 = 0$, inline \\(x^2\\) and $$y$$ in text.
It costs $5 a day, or $40 a week; 5$ or 6$. 设$x$为未知数。

$$
\\hat\\beta = (X^\\top X)^{-1} X^\\top y

z
$$

\\[
a + b
- c
= \\text{d \\] e}
\\]

Then
$$\\begin{aligned}
a &= b \\\\
  &= c
\\end{aligned}$$
and \\[ x
= y \\] after.

1. In a list:
   $$
   q
   $$
   \\[ r \\]

> \\[
> s
> \\]

\\[ never closed
# heading

$$ one line $$
$$ not
- b $$

$$
open to the end
# no heading
`,
  html: `<div onclick="x()">
<b>bold</b>

text <img src=x onerror=alert(1)> and a<br>b
<!-- comment

still -->
after

<script>
alert(1)

</script>
end <https://a.example>
<details><summary>s</summary>

inside **bold**

</details>
`,
  nasty: `- a

  b
-
- c
---
[x]: y
===
[y]:
  https://example.com
para
    not code
-
=
> a
===
* * *
1) one
2. two

   \t- tabs

	code by tab
[^
[]
**open *nested
\`open code

# h #
####### seven
\\
`,
  carriage: "a\r\nb\r\n\r\n- c\r\n- d\r\n\r\n```py\r\nx = 1\r\n```\r\nend",
  spec: `[foo]: /url "title" ok

[bar]: /url
"title" ok
[bar]

Foo
[baz]: /b

[baz]

# [Qux]
[qux]: /q
> quote

[
quux
]: /qx
'
title
'

[quux]
`,
};
