/** Style and script of report.html: fixed texts, so that the page's policy can name their hashes. @module */
import { STYLE as CHARTS } from "../../web/view/frame.ts";

/**
 * Of any page of a run's: colours follow the reader's system, text is at least 4.5 to 1, nothing is under
 * 12 px or fetched.
 */
export const STYLE: string = `${CHARTS}
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--page:#fff;--card:#f6f8fa;--line:#d1d9e0;--blue:#0969da;--warn:#9a6700;--ill:#cf222e;--good:#1a7f37}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--page:#0d1117;--card:#151b23;--line:#3d444d;--blue:#4493f8;--warn:#d29922;--ill:#ff7b72;--good:#3fb950}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
main{margin:0 auto;max-width:1180px;padding:36px 20px 72px}
h1{font-size:36px;line-height:1.25;letter-spacing:-.01em;font-weight:600;margin:0 0 16px;max-width:24em;text-wrap:balance}
h1 .sure{font-size:20px;font-weight:400;color:var(--soft);letter-spacing:0;white-space:nowrap}
h2{font-size:20px;margin:48px 0 12px;padding-bottom:6px;border-bottom:1px solid var(--line)}
h3{font-size:15px;margin:20px 0 6px}
p{max-width:75ch;margin:8px 0}
.kicker{color:var(--soft);margin:0 0 12px;max-width:none;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.warn{border-left:3px solid var(--warn);padding:2px 0 2px 12px;margin:10px 0;overflow-wrap:anywhere}
.ill{border-color:var(--ill)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,220px),1fr));gap:12px;margin:20px 0 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;display:flex;flex-direction:column;gap:2px;overflow-wrap:anywhere}
.tile span{color:var(--soft);font-size:13px}
.tile strong{font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
.tall{max-height:600px;overflow:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:14px}
.fit{width:auto}
th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
.tall th,.tall td{padding-left:10px;padding-right:10px}
.tall th{position:sticky;top:0;background:var(--card)}
th button{font:inherit;color:inherit;background:none;border:0;padding:0 1.2em 0 0;margin:0;cursor:pointer;text-align:inherit;white-space:nowrap;position:relative}
th button::after{content:"↕";position:absolute;right:0}
th[aria-sort=ascending] button::after{content:"▲"}
th[aria-sort=descending] button::after{content:"▼"}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.t{font-family:ui-monospace,monospace;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
.m{min-width:26ch}
i{font-style:normal;color:var(--soft)}
.right{color:var(--good);font-weight:600}
.right::after{content:" ✓"}
.changed td:first-child,.you{font-weight:600}
code,pre{font-family:ui-monospace,monospace;font-size:13px}
code{background:var(--card);border-radius:4px;padding:1px 4px;white-space:pre-wrap;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;margin:8px 0 16px;white-space:pre-wrap;overflow-wrap:anywhere}
.prefix{max-width:none}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,352px),1fr));gap:24px 20px;margin-top:16px}
figure{margin:0}
figure>svg{width:100%;max-width:460px;height:auto;display:block}
.halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,352px),1fr));gap:0 40px}
.pair{display:block;margin-top:4px;width:100%;min-width:80px;height:14px}
summary{cursor:pointer;padding:6px 0}
.numbers summary{color:var(--soft);font-size:12px}
.numbers table{font-size:13px;max-height:240px;display:block;overflow:auto}
.numbers th,.numbers td:first-child{white-space:normal;overflow-wrap:anywhere}
.numbers th,.numbers td{padding-right:10px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
ul{padding-left:20px;max-width:75ch}
select,input,.bar button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:4px 8px;max-width:100%}
.bar{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:baseline;margin:12px 0;max-width:none}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
@media(min-width:641px){.name,.d{white-space:nowrap}}
@media(max-width:640px){
main{padding:20px 14px 48px}
h1{font-size:27px}
h1 .sure{font-size:17px}
.tiles{grid-template-columns:1fr 1fr}
.tile strong{font-size:18px}
.fit th,.fit td{padding-right:10px;font-size:13px}
.fit th.n{white-space:normal}
.stack:not(.row) thead{display:none}
.stack:not(.row),.stack:not(.row) tbody{display:block}
.stack:not(.row) tr{display:block;padding:8px 0;border-bottom:1px solid var(--line)}
.stack:not(.row) tr[hidden]{display:none}
.stack:not(.row) td{display:grid;grid-template-columns:88px minmax(0,1fr);gap:0 8px;border:0;padding:1px 0;text-align:left;white-space:normal;min-width:0;overflow-wrap:anywhere}
.stack:not(.row) td.n{text-align:left}
.stack:not(.row) td.t{white-space:pre-wrap}
.stack:not(.row) td:empty{display:none}
.stack:not(.row) td::before{content:attr(data-label);color:var(--soft);font:13px/1.6 system-ui,sans-serif}
.tall .stack tr{padding:8px 10px}
}
`;

/** Completions that are laid out until somebody asks for more: a browser takes a second for some thousands. */
export const MOST_SHOWN = 250;

/**
 * Sorts completions by a column, and hides those that the chosen phase, step and words leave out, and all
 * beyond the first ones; another phase shows all its steps. Reads text, never markup.
 */
export const SCRIPT: string = `
const table=document.getElementById("completions");
if(table){
const body=table.tBodies[0],byId=(id)=>document.getElementById(id);
const phase=byId("phase"),step=byId("step"),words=byId("words"),count=byId("count"),more=byId("more");
let rows=[...body.rows],most=${MOST_SHOWN};
const texts=new Map();
const textOf=(r)=>{let t=texts.get(r);if(t===undefined)texts.set(r,t=r.textContent.toLowerCase());return t};
function show(){
  let n=0;const w=words.value.toLowerCase();
  for(const r of rows){
    const hit=(!phase.value||r.dataset.phase===phase.value)&&(!step.value||r.dataset.step===step.value)&&(!w||textOf(r).includes(w));
    if(hit)n++;
    const hides=!hit||n>most;
    if(r.hidden!==hides)r.hidden=hides;
  }
  more.hidden=n<=most;
  const all=n===rows.length?"":" that fit, of "+rows.length;
  count.textContent=n>most?"the first "+most+" of "+n+all:n+" of "+rows.length;
}
phase.addEventListener("input",()=>{step.value=""});
for(const e of [phase,step,words])e.addEventListener("input",show);
more.addEventListener("click",()=>{most=Infinity;show()});
[...table.tHead.rows[0].cells].forEach((head,k)=>head.firstChild.addEventListener("click",()=>{
  const isNumber=head.classList.contains("n"),was=head.getAttribute("aria-sort");
  const way=was?(was==="descending"?1:-1):isNumber?-1:1;
  for(const h of table.tHead.rows[0].cells)h.removeAttribute("aria-sort");
  head.setAttribute("aria-sort",way>0?"ascending":"descending");
  const keyOf=(r)=>{const t=r.cells[k].textContent;return isNumber?parseFloat(t):t};
  const all=rows.map((r)=>[keyOf(r),r]);
  all.sort(([a],[b])=>a===b?0:a!==a?1:b!==b?-1:(a>b?1:-1)*way);
  body.append(...rows=all.map(([,r])=>r));
  show();
}));
show();
}
`;
