// The look of the report: one page, no scripts from elsewhere, readable on a phone and in print.
#pragma once

namespace vmr::pipeline::detail {

inline constexpr const char* kReportStyle = R"css(
:root { color-scheme: light dark; --line: #8884; --accent: #2b6cb0; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1080px; padding: 24px 16px; }
h1 { font-size: 1.5rem; margin: 0 0 4px; } h2 { font-size: 1.15rem; margin: 32px 0 8px; }
p.note { margin: 0 0 12px; opacity: .75; font-size: .9rem; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 6px; }
.strip figure { margin: 0; } .strip img { width: 100%; display: block; border-radius: 4px; }
.strip figcaption { font-size: .75rem; opacity: .7; }
svg { width: 100%; height: auto; background: #fff; border-radius: 6px; }
.plot { overflow-x: auto; } .plot svg { min-width: 640px; }
.hit { border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; margin: 12px 0; }
.hit header { display: flex; gap: 12px; align-items: baseline; flex-wrap: wrap; }
.rank { font-size: 1.4rem; font-weight: 700; color: var(--accent); }
.title { font-weight: 600; } .meta { opacity: .75; font-size: .9rem; }
.score { margin-left: auto; font-variant-numeric: tabular-nums; font-weight: 600; }
table.parts { border-collapse: collapse; font-size: .85rem; margin: 8px 0; }
table.parts td { padding: 1px 12px 1px 0; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .7em; background: var(--accent); border-radius: 2px; }
.bar.less { background: #c0392b; }
audio { width: 100%; margin-top: 6px; } .gone { color: #c0392b; font-size: .9rem; }
)css";

}  // namespace vmr::pipeline::detail
