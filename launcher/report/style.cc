#include "launcher/report/style.h"

namespace muster::report {

namespace {

// Orange means slow and blue means fast: these two stay apart for colour-blind readers. Every
// colour that means something stands beside a word or a sign.
constexpr std::string_view kStyleSheet = R"(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#1c2024;--soft:#5d6670;
  --line:#e2e4e6;--ground:#f1f2f3;--fit:#0d6b50;--unfit:#b1271b;--unknown:#7a5500;
  --fit-bg:#e5f3ed;--unfit-bg:#fbeae7;--unknown-bg:#fbf1dc;--accent:#1f5c99;--band:#1f5c9922;
  --floor:#1f5c99;--q0:#a63a06;--q1:#dd6a1b;--q2:#f6ac6b;--q3:#fcdfc2;--q4:#d3e0ea;--q5:#7fabd2;
  --qn:#c9cdd1;--qw:#7a3e9d;--on-q0:#fff;--on-q1:#000;--on-q2:#000;--on-q3:#1c2024;
  --on-q4:#1c2024;--on-q5:#000}
@media screen and (prefers-color-scheme:dark){
:root{--page:#121518;--card:#1a1e22;--ink:#e6e9ec;--soft:#9aa4ae;--line:#2d3339;--ground:#22272c;
  --fit:#5fcfa4;--unfit:#ff8d7d;--unknown:#e9bd5b;--fit-bg:#16302a;--unfit-bg:#3a1f1c;
  --unknown-bg:#35290f;--accent:#77b3ee;--band:#77b3ee2e;--floor:#77b3ee;--q0:#ff9850;
  --q1:#cf6a22;--q2:#8f4c1c;--q3:#55361f;--q4:#3a4854;--q5:#4280b8;--qn:#596067;--qw:#c58be6;
  --on-q0:#000;--on-q1:#000;--on-q2:#fff;--on-q3:#fff;--on-q4:#e6e9ec;--on-q5:#000}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);overflow-wrap:anywhere;
  font:16px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
  -webkit-text-size-adjust:100%}
main,footer{max-width:1280px;margin:0 auto;padding:0 clamp(16px,4vw,40px)}
header,section{background:var(--card);border:1px solid var(--line);border-radius:12px;
  padding:clamp(16px,2.6vw,28px);margin:clamp(12px,2vw,20px) 0}
header{margin-top:clamp(16px,4vw,40px);border-left-width:6px;padding-left:calc(clamp(16px,2.6vw,
  28px) - 5px)}
header.fit{border-left-color:var(--fit)}header.unfit{border-left-color:var(--unfit)}
header.unknown{border-left-color:var(--unknown)}
h1{display:flex;align-items:center;gap:.36em;margin:.1em 0 .16em;font-size:clamp(32px,6vw,52px);
  line-height:1.12;letter-spacing:-.022em;font-weight:680}
.sign{flex:none;width:1.12em;height:1.12em;border-radius:50%;display:grid;place-items:center;
  font-size:.8em;color:var(--card)}
.fit h1{color:var(--fit)}.unfit h1{color:var(--unfit)}.unknown h1{color:var(--unknown)}
.fit .sign{background:var(--fit)}.unfit .sign{background:var(--unfit)}
.unknown .sign{background:var(--unknown)}
h2{margin:0 0 12px;font-size:20px;line-height:1.3;letter-spacing:-.01em;font-weight:640}
h3{margin:20px 0 8px;font-size:16px;font-weight:640}h2+h3{margin-top:0}p{margin:0 0 8px}
p:last-child{margin-bottom:0}
.origin,.note,figcaption .note,footer{color:var(--soft);font-size:14px;font-weight:400}
.reason{font-size:19px;line-height:1.4}
.line,.host,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
  font-size:.875em}
.line{color:var(--soft)}.bad{color:var(--unfit);font-size:14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:16px 28px;
  margin:20px 0 0;padding-top:18px;border-top:1px solid var(--line)}
.tiles dt{color:var(--soft);font-size:14px}
.tiles dd{margin:0;font-size:24px;line-height:1.3;font-weight:620;letter-spacing:-.01em;
  font-variant-numeric:tabular-nums}
.tiles dd small{font-size:16px;font-weight:500}
.tiles dd.note{font-size:14px;font-weight:400;letter-spacing:0;line-height:1.45}
.tag{display:inline-block;padding:0 8px;border-radius:6px;font-size:12.5px;line-height:21px;
  font-weight:640;letter-spacing:.02em;vertical-align:1px;background:var(--ground);
  color:var(--soft)}
.tag.fail{background:var(--unfit-bg);color:var(--unfit)}
.tag.warn{background:var(--unknown-bg);color:var(--unknown)}
.tag.pass{background:var(--fit-bg);color:var(--fit)}
ul.accused,ul.findings{list-style:none;margin:0 0 16px;padding:0}
ul.accused:last-child,ul.findings:last-child{margin-bottom:0}
.accused li,.findings li{padding:12px 0;border-top:1px solid var(--line)}
.accused li:first-child,.findings li:first-child{border-top:0;padding-top:0}
.accused p,.findings p{margin:0}.findings p+p{color:var(--soft)}.accused b{font-size:17px}
pre{margin:0;padding:14px 16px;background:var(--ground);border-radius:8px;overflow-x:auto;
  white-space:pre;overflow-wrap:normal;line-height:1.65;user-select:all;-webkit-user-select:all}
.scroll{overflow-x:auto;max-width:100%;margin:0 0 12px}.scroll:last-child{margin-bottom:0}
table{border-collapse:collapse;font-size:15px;font-variant-numeric:tabular-nums;
  overflow-wrap:normal}
th,td{padding:7px 20px 7px 0;text-align:left;vertical-align:top;
  border-bottom:1px solid var(--line);font-weight:400}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-size:14px;white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:600;white-space:nowrap}tbody th.host{font-weight:400}
.num{text-align:right;white-space:nowrap}.host{white-space:nowrap}
td.wrap{white-space:normal;min-width:110px;max-width:520px;overflow-wrap:anywhere}
li .host,td.wrap .host{white-space:normal}.bar{vertical-align:middle;padding-right:0}
.time{fill:var(--accent)}.matrix th,.matrix td{padding:3px 6px;text-align:center}
.matrix th:first-child{position:sticky;left:0;background:var(--card);text-align:left;
  padding-left:0;padding-right:14px}
.matrix thead th span{writing-mode:vertical-rl;transform:rotate(180deg);padding-top:2px}
.matrix td.fail{background:var(--unfit-bg);color:var(--unfit);font-weight:700}
.matrix td.warn{background:var(--unknown-bg);color:var(--unknown);font-weight:700}
.matrix td.pass{color:var(--fit)}.matrix td.skip{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));
  gap:28px 36px}
figure{margin:0;max-width:440px;min-width:0}figcaption{font-weight:600;margin-bottom:8px}
figcaption .note{display:block}
.beside{display:flex;flex-wrap:wrap;gap:24px 48px;align-items:flex-start}
.beside>*{min-width:0;max-width:100%;margin:0}.beside h3{margin-top:0}
svg{display:block;font:13px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
  fill:var(--ink)}
.chart{width:100%;height:auto;overflow:visible}.grid{stroke:var(--line);stroke-width:1;fill:none}
.tick,.unit{fill:var(--soft);font-size:12px}.band{fill:var(--band)}
.floor{stroke:var(--floor);stroke-width:1.4;stroke-dasharray:5 4;fill:none}.line{fill:none}
.chart .line{stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
.point{fill:var(--accent);stroke:var(--card);stroke-width:1.5}
.below{fill:var(--unfit);stroke:var(--card);stroke-width:1.2}
.value{font-weight:640;paint-order:stroke;stroke:var(--card);stroke-width:4px;
  stroke-linejoin:round}
.value.bad{fill:var(--unfit);font-size:13px}
.swatch{display:inline-block;vertical-align:-3px;margin-right:8px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:6px 18px;margin:0 0 16px;padding:0;
  font-size:14px;color:var(--soft)}
.map text{text-anchor:middle;font-variant-numeric:tabular-nums}.map.dense g text{font-size:11px}
.map.tiny g text{font-size:8px}
.map .nm{font:12px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
  fill:var(--soft);text-anchor:start}
.map .nm[text-anchor=end]{text-anchor:end}.map .nm[text-anchor=middle]{text-anchor:middle}
.map .nm.bad{fill:var(--unfit);font-weight:700}.ground{fill:none;stroke:var(--line)}
.diagonal{stroke:var(--line);stroke-width:1.5;fill:none}.q0 rect{fill:var(--q0)}
.q1 rect{fill:var(--q1)}.q2 rect{fill:var(--q2)}.q3 rect{fill:var(--q3)}.q4 rect{fill:var(--q4)}
.q5 rect{fill:var(--q5)}.qh rect{fill:var(--ink)}.qw rect{fill:var(--qw)}.qn rect{fill:var(--qn)}
.qe rect{fill:var(--card);stroke:var(--line)}.q0 text{fill:var(--on-q0)}
.q1 text{fill:var(--on-q1)}.q2 text{fill:var(--on-q2)}.q3 text{fill:var(--on-q3)}
.q4 text{fill:var(--on-q4)}.q5 text{fill:var(--on-q5)}
.qh text,.qw text{fill:var(--card);font-weight:700}
.strokes path{stroke-width:1;shape-rendering:crispEdges}path.q0{stroke:var(--q0)}
path.q1{stroke:var(--q1)}path.q2{stroke:var(--q2)}path.q3{stroke:var(--q3)}
path.q4{stroke:var(--q4)}path.q5{stroke:var(--q5)}path.qh{stroke:var(--ink)}
path.qw{stroke:var(--qw)}path.qn{stroke:var(--qn)}details{margin-top:12px}
summary{cursor:pointer;color:var(--accent);font-size:15px;padding:4px 0}
section>details:first-child{margin:0}details[open]>summary{margin-bottom:8px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}footer{padding-bottom:40px}
@media(min-width:900px){.pair{display:grid;grid-template-columns:1fr 1fr;gap:20px}
.pair>section{margin:0}.pair>section:only-child{grid-column:1/-1}}
@media(max-width:480px){.bar{display:none}th,td{padding-right:12px}td.wrap{min-width:70px}}
@media print{
@page{margin:14mm}body{background:#fff;font-size:11pt}main,footer{max-width:none;padding:0}
header,section{border-color:#bbb;margin:0 0 10pt;padding:10pt;break-inside:auto}
.charts{grid-template-columns:1fr 1fr}figure,li,tr,h2,h3,.tiles{break-inside:avoid}
h2,h3{break-after:avoid}.scroll{overflow:visible}pre{white-space:pre-wrap;overflow-wrap:anywhere}
.map{max-width:100%;height:auto}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
details::details-content{content-visibility:visible;block-size:auto}}
)";

}  // namespace

std::string_view style_sheet() {
  return kStyleSheet;
}

}  // namespace muster::report
