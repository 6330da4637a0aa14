"""The style sheet of the HTML page: light and dark by the reader's own setting, nothing from elsewhere."""

STYLE = """
:root{color-scheme:light dark;--page:#fff;--ink:#1a1a1a;--dim:#5a5f68;--box:#f4f5f7;
--line:#8a8f98;--granted:#1f77b4;--perhaps:#9bbfdc;--ok:#1a7f37;--warning:#8a5a00;--critical:#c1121f;--unknown:#6e40c9}
@media (prefers-color-scheme:dark){:root{--page:#15181c;--ink:#e8eaed;--dim:#a3a9b3;--box:#1f242a;
--line:#6d747e;--granted:#58a6ff;--perhaps:#2f5f8f;--ok:#4cc26b;--warning:#e3b341;--critical:#ff7b72;--unknown:#c297ff}}
body{background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif;
max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
caption{text-align:left;font-weight:600;padding:.9rem 0 .3rem}p.dim,td.dim,figcaption{color:var(--dim)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;
border-bottom:1px solid var(--box);overflow-wrap:anywhere}
td:first-child,th:first-child{white-space:nowrap}
.verdict{font-weight:600;white-space:nowrap}
.ok{color:var(--ok)}.warning{color:var(--warning)}.critical{color:var(--critical)}
.unknown{color:var(--unknown)}.skipped{color:var(--dim)}
article.problem{background:var(--box);border-left:4px solid var(--line);
padding:.6rem .9rem;margin:.6rem 0;border-radius:0 4px 4px 0}
article.problem.critical-edge{border-color:var(--critical)}article.problem.warning-edge{border-color:var(--warning)}
article.problem.unknown-edge{border-color:var(--unknown)}
article.problem p{margin:.25rem 0}
figure{margin:0;overflow-x:auto}figure svg{min-width:40rem}
summary{cursor:pointer;padding:.25rem 0}
code{font:.92em ui-monospace,monospace;overflow-wrap:anywhere}
"""
