/** Texts that run, hide, or move where a page, a table or a terminal takes them as more than text. @module */

const tags = (text: string) =>
  [...text].map((c) => String.fromCodePoint(0xe0000 + c.codePointAt(0)!)).join("");

/** What runs in a page that does not escape: each of those that do calls `alert`. */
export const MARKUP: readonly string[] = [
  "<script>alert(1)</script>",
  "</script><script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</textarea><script>alert(1)</script>",
  "--><script>alert(1)</script>",
  "]]><script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "</td></tr></table><img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "<svg><script>alert(1)</script></svg>",
  '</svg><img src=x onerror="alert(1)">',
  "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
  "<iframe srcdoc='<script>parent.alert(1)</script>'>",
  '<iframe src="javascript:parent.alert(1)">',
  "<object data=javascript:alert(1)>",
  "<details open ontoggle=alert(1)>",
  "<body onload=alert(1)>",
  "<input autofocus onfocus=alert(1)>",
  "<math><mtext></mtext><mglyph><style><img src onerror=alert(1)></style></mglyph></math>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<a href=javascript:alert(1)>x</a>",
  "<base href=javascript:alert(1)//>",
  '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
  "<link rel=stylesheet href=x onerror=alert(1)>",
  "<form action=javascript:alert(1)><button>x</button></form>",
  '" onmouseover="alert(1)',
  "' onmouseover='alert(1)",
  "` onmouseover=alert(1)",
  '"><img src=x onerror=alert(1)>',
  "'><img src=x onerror=alert(1)>",
  "<scr\0ipt>alert(1)</scr\0ipt>",
  "\u202e<script>alert(1)</script>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;img src=x onerror=alert(1)&#62;",
  "<!--<script>alert(1)</script>-->",
  "<?xml-stylesheet href='javascript:alert(1)'?>",
  "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
];

/** What a spreadsheet runs. */
export const FORMULAS: readonly string[] = [
  "=1+1",
  "+1+1",
  "-1+1",
  "@SUM(1)",
  "\t=1+1",
  "\r=1+1",
  "\n=1+1",
  "a\n=1+1",
  "a\r\n+1+1",
  "\0=1+1",
  "＝1+1",
  '=HYPERLINK("http://127.0.0.1/","x")',
  "=cmd|' /C calc'!A0",
  '=IMPORTXML("http://127.0.0.1/","//a")',
  "'=1+1",
  '"=1+1"',
];

/** What moves a cursor, rings, writes a clipboard, or cannot be seen. */
export const UNSEEN: readonly string[] = [
  "\u001b[2J\u001b[H",
  "\u001b[31mred\u001b[0m",
  "\u001b]0;title\u0007",
  "\u001b]52;c;aGk=\u0007",
  "\u001b]8;;http://127.0.0.1/\u001b\\x\u001b]8;;\u001b\\",
  "\u009b31mred",
  "\u001bc",
  "\u0007\u0008\u007f",
  "a\rb",
  "a\nb\tc",
  "\u202egnp.exe",
  "\u2066a\u2069\u061c",
  "a\u200b\u00ad\u2060b",
  "\ufeffa",
  "\u3164\u115f",
  "\ufff9a\ufffab\ufffb",
  "\u2028\u2029\u0085",
  tags("evil"),
  "a\u{e0100}",
  "\ud800",
  "a\udc00b",
  "\0",
  "\\u{1b}\\n",
];

/** All of them; above sixty. */
export const PAYLOADS: readonly string[] = [...MARKUP, ...FORMULAS, ...UNSEEN];
