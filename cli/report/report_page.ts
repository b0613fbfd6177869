/** Style and script of report.html: fixed texts, so that the page's policy can name their hashes. @module */
import { STYLE as CHARTS } from "../../web/view/frame.ts";

/** Colours follow the reader's system; nothing is fetched. */
export const STYLE: string = `${CHARTS}
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--page:#fff;--card:#f6f8fa;--line:#d1d9e0;--blue:#0969da;--warn:#9a6700;--good:#1a7f37}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--page:#0d1117;--card:#151b23;--line:#3d444d;--blue:#4493f8;--warn:#d29922;--good:#3fb950}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1040px;padding:32px 20px 64px;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
h1{font-size:26px;margin:0 0 4px}
h2{font-size:18px;margin:40px 0 12px;padding-bottom:6px;border-bottom:1px solid var(--line)}
p{max-width:70ch}
.soft{color:var(--soft)}
.warn{border-left:3px solid var(--warn);padding:2px 0 2px 12px;margin:8px 0}
.scroll{overflow-x:auto}
.tall{max-height:560px;overflow:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:14px}
.fit{width:auto}
th,td{text-align:left;padding:5px 12px 5px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}
.tall th{position:sticky;top:0;background:var(--card)}
.n{text-align:right;font-variant-numeric:tabular-nums}
.t{font-family:ui-monospace,monospace;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
.right{color:var(--good);font-weight:600}
tr.changed td:first-child{font-weight:600}
tr.changed td:first-child::before{content:"\\25CF  ";color:var(--blue)}
code,pre{font-family:ui-monospace,monospace;font-size:13px}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:12px;overflow-x:auto}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:20px}
figure{margin:0}
svg{max-width:100%;height:auto}
.charts svg{width:100%}
.numbers summary{color:var(--soft);font-size:12px;cursor:pointer}
.numbers table{font-size:13px;max-height:240px;display:block;overflow:auto}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
ul{padding-left:20px;max-width:70ch}
select,input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 8px;margin-right:12px}
.bar{margin:0 0 10px;max-width:none}
.tall .t{min-width:14ch}
@media(min-width:641px){.name{white-space:nowrap}}
@media(max-width:640px){
body{padding:20px 14px 48px}
th,td{padding:5px 8px 5px 0}
.stack thead{display:none}
.stack,.stack tbody{display:block}
.stack tr{display:block;padding:8px 0;border-bottom:1px solid var(--line)}
.stack tr[hidden]{display:none}
.stack td{display:grid;grid-template-columns:10ch 1fr;border:0;padding:1px 8px;text-align:left}
.stack td::before{content:attr(data-label);color:var(--soft);font:13px system-ui,sans-serif}
.stack tr.changed td:first-child::before{content:"\\25CF  " attr(data-label)}
.stack .t{min-width:0}
}
`;

/**
 * Hides completions that the chosen phase, step and words leave out; another phase shows all its steps.
 * Reads text, never markup.
 */
export const SCRIPT: string = `
const rows=[...document.querySelectorAll("#completions tbody tr")];
const phase=document.getElementById("phase"),step=document.getElementById("step"),words=document.getElementById("words"),count=document.getElementById("count");
function show(){
  let n=0;const w=words.value.toLowerCase();
  for(const r of rows){
    const hit=(!phase.value||r.dataset.phase===phase.value)&&(!step.value||r.dataset.step===step.value)&&(!w||r.textContent.toLowerCase().includes(w));
    r.hidden=!hit;if(hit)n++;
  }
  count.textContent=n+" of "+rows.length;
}
phase.addEventListener("input",()=>{step.value=""});
for(const e of [phase,step,words])e.addEventListener("input",show);
show();
`;
