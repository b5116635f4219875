"""How an exported page looks: one style sheet, in the file itself, for both lights and paper."""

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--muted:#5b626b;--line:#e1e4e8;--soft:#f5f6f8;
--accent:#0a62c4;--bad:#b3261e;--badbg:#fdf1f0}
@media (prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e6e8eb;--muted:#a3abb5;--line:#30353c;
--soft:#1f2327;--accent:#7ab7ff;--bad:#ff9b92;--badbg:#331d1c}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.6 system-ui,-apple-system,"Segoe UI","Noto Sans","Noto Sans CJK SC",sans-serif}
main{max-width:56rem;margin:0 auto;padding:2rem 1rem 4rem}
header{border-bottom:1px solid var(--line);margin-bottom:1.5rem}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem}h3{font-size:1.1rem}
.about,.note,.count{color:var(--muted);font-size:.85rem}
.about{margin:0 0 1rem}.note{margin:.5rem 0}
.text{overflow-wrap:anywhere;margin:1rem 0}
.prompt blockquote{margin:2rem 0 1rem;padding:.75rem 1rem;border:0;border-radius:.75rem;
background:var(--soft);color:inherit}
.prompt blockquote>:first-child{margin-top:0}.prompt blockquote>:last-child{margin-bottom:0}
blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid var(--line);color:var(--muted)}
a{color:var(--accent)}
pre,code,kbd,samp{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,
"Noto Sans Mono",monospace}
:not(pre)>code{background:var(--soft);padding:.1em .3em;border-radius:.25rem}
pre{margin:0;padding:.75rem 1rem;overflow-x:auto;white-space:pre;tab-size:4}
.text pre{background:var(--soft);border-radius:.5rem}
.cell{margin:1rem 0;border:1px solid var(--line);border-radius:.5rem;
overflow:hidden;position:relative}
.cell>*{border-top:1px solid var(--line)}.cell>:first-child{border-top:0}
.cell>.count{position:absolute;right:.75rem;top:.5rem;border:0}
.cell>.count+pre{border-top:0}
.code{background:var(--soft)}
div.out{padding:.75rem 1rem}div.out>pre{padding:0}
.cell>.note{margin:0;padding:.5rem 1rem}
.stderr,.error{background:var(--badbg)}
.frame{overflow-x:auto}
img{max-width:100%;height:auto}
div.out>img{display:block;background:#fff;border-radius:.25rem}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right}
.text th,.text td{text-align:left}
th{font-weight:600}
hr{border:0;border-top:1px solid var(--line)}
:focus-visible{outline:2px solid var(--accent);outline-offset:-2px}
.b{font-weight:700}.i{font-style:italic}.u{text-decoration:underline}
.c-black{color:#555c64}.c-red{color:#b3261e}.c-green{color:#1a6e2e}.c-yellow{color:#7a5c00}
.c-blue{color:#0a56ad}.c-magenta{color:#8a2a9b}.c-cyan{color:#0b6a78}.c-white{color:#5b626b}
.g-black{background:#0003}.g-red{background:#f553}.g-green{background:#3b53}
.g-yellow{background:#fc34}.g-blue{background:#59f3}
.g-magenta{background:#c5d3}.g-cyan{background:#3bc3}.g-white{background:#8883}
@media (prefers-color-scheme:dark){.c-black{color:#a3abb5}.c-red{color:#ff9b92}
.c-green{color:#7fd693}.c-yellow{color:#e6c35c}.c-blue{color:#8cc0ff}.c-magenta{color:#e0a3ef}.c-cyan{color:#74d3e0}
.c-white{color:#e6e8eb}}
@media print{main{max-width:none;padding:0}pre{white-space:pre-wrap;overflow-wrap:anywhere}
.cell{break-inside:avoid-page}}
"""
