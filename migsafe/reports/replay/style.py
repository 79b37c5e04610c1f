"""The look of the page."""

STYLE = """\
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --paper: #fff; --line: #d8dee6; --card: #f4f6f9;
  --good: #1a7f4b; --warn: #a15c00; --bad: #c0271e; --writes: #e2a33b; --reads: #d9483b; --weak: #b9c6d6; --wait: #6d28d9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #9aa7b8; --paper: #12161c; --line: #2b3442; --card: #1a212b;
  --good: #4cc38a; --warn: #f0b45a; --bad: #ff7b70; --writes: #c98a26; --reads: #c93d31; --weak: #46566b; --wait: #b79bff; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 4px; overflow-wrap: anywhere; }
.lead, .note, footer { color: var(--soft); } .lead { margin: 0 0 14px; }
h2 { border-top: 1px solid var(--line); padding-top: 18px; } h3 { font-size: 16px; margin: 22px 0 4px; }
code, pre { font: 12.5px/1.45 ui-monospace, monospace; overflow-wrap: break-word; } pre { margin: 0; white-space: pre-wrap; }
h2 code { font: inherit; } p, li, dd { overflow-wrap: anywhere; } ul, ol { margin: 6px 0; padding-left: 24px; }
pre > code { display: block; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; margin: 6px 0; }
.todo { list-style: none; margin-left: -22px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tiles b { display: block; font-size: 21px; color: var(--ink); } .tiles span { color: var(--soft); font-size: 13px; }
.tiles .good b { color: var(--good); } .tiles .warn b { color: var(--warn); } .tiles .bad b { color: var(--bad); }
.findings { padding-left: 0; list-style: none; } .findings li { border-left: 4px solid var(--line); padding: 4px 12px; margin: 8px 0; }
.findings .error { border-color: var(--bad); } .findings .warning { border-color: var(--warn); }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 760px; height: auto; display: block; margin: 10px 0 2px; }
.grid { stroke: var(--line); } .axis, .label { fill: var(--soft); font: 11px ui-monospace, monospace; } .label { fill: var(--ink); }
rect.reads, i.reads { fill: var(--reads); background: var(--reads); } rect.writes, i.writes { fill: var(--writes); background: var(--writes); }
rect.weak, i.weak { fill: var(--weak); background: var(--weak); } rect.wait, i.wait { fill: var(--wait); background: var(--wait); }
.key { color: var(--soft); font-size: 13px; margin: 0 0 12px; }
.key i { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 12px; }
table { border-collapse: collapse; width: 100%; margin: 12px 0; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td pre { max-width: 420px; max-height: 220px; overflow: auto; } .n { text-align: right; white-space: nowrap; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); } .none { color: var(--soft); }
.failed { border: 1px solid var(--bad); border-radius: 8px; padding: 8px 12px; color: var(--bad); }
.experiments dt { font-weight: 600; margin-top: 10px; } .experiments dd { margin: 0 0 0 16px; } .experiments ul { margin: 4px 0; }
footer { margin-top: 40px; border-top: 1px solid var(--line); font-size: 13px; }
.wide td:last-child { min-width: 200px; }
@media (max-width: 720px) {
  .played thead { display: none; } .played tr { display: grid; grid-template-columns: auto 1fr auto; border-bottom: 1px solid var(--line); }
  .played td { border: 0; padding: 4px 6px; min-width: 0; } .played td:nth-child(4) { display: none; }
  .played td:last-child { grid-column: 1 / -1; }
}
@media print { main { max-width: none; } td pre { max-height: none; } }
"""
