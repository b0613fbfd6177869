import assert from "node:assert/strict";
import { type Bar, barChart } from "../../../web/view/bars.ts";
import { STYLE, TONES } from "../../../web/view/frame.ts";
import { type LineChart, lineChart } from "../../../web/view/lines.ts";
import { axisOf, place, stepAxis } from "../../../web/view/scale.ts";
import { sheet } from "../../../web/view/sheet.ts";
import { smoothed, windowFor } from "../../../web/view/smooth.ts";
import { barTable, lineTable } from "../../../web/view/table.ts";
import { coordinate, escape, short } from "../../../web/view/text.ts";

Deno.test("a share's axis is 0 to 1, an amount's begins at 0, another's spans its data", () => {
  assert.deepEqual(axisOf([0.4, 0.6], "share"), {
    low: 0,
    high: 1,
    ticks: [0, 0.25, 0.5, 0.75, 1],
  });
  assert.deepEqual(axisOf([3, 9], "zero"), { low: 0, high: 10, ticks: [0, 2, 4, 6, 8, 10] });
  assert.deepEqual(axisOf([-9, -3], "zero").high, 0);
  assert.deepEqual(axisOf([0.31, 0.39], "fit"), {
    low: 0.3,
    high: 0.4,
    ticks: [0.3, 0.32, 0.34, 0.36, 0.38, 0.4],
  });
  assert.deepEqual(axisOf([NaN, 2, Infinity], "fit"), axisOf([2], "fit"));
  assert.deepEqual(axisOf([5], "fit"), {
    low: 4.4,
    high: 5.6,
    ticks: [4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6],
  });
  assert.deepEqual(axisOf([], "zero").low, 0);
  assert.deepEqual(axisOf([0, 0], "zero"), { low: 0, high: 1, ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] });
});

Deno.test("every value lies on its axis, whatever its size", () => {
  for (const scale of [1e-300, 1e-12, 1e-3, 1, 7e8, 1e250]) {
    for (const [a, b] of [[1, 2], [-3, 5], [0.999, 1.001], [-7, -6.9]]) {
      const { low, high, ticks } = axisOf([a * scale, b * scale], "fit");
      assert.ok(low <= a * scale + Math.abs(a * scale) * 1e-9, `${a} of ${scale}`);
      assert.ok(high >= b * scale - Math.abs(b * scale) * 1e-9, `${b} of ${scale}`);
      assert.ok(ticks.length >= 3 && ticks.length <= 12, `${ticks.length} ticks`);
      for (let i = 1; i < ticks.length; i++) assert.ok(ticks[i] > ticks[i - 1]);
    }
  }
});

Deno.test("steps are whole, between the first and the last", () => {
  assert.deepEqual(stepAxis(1, 40), { low: 1, high: 40, ticks: [10, 20, 30, 40] });
  assert.deepEqual(stepAxis(0, 3).ticks, [0, 1, 2, 3]);
  assert.deepEqual(stepAxis(7, 7), { low: 6, high: 8, ticks: [7] });
  const x = place({ low: 0, high: 10 }, 100, 200);
  assert.deepEqual([x(0), x(5), x(10)], [100, 150, 200]);
});

Deno.test("a smoothed value is the mean around it, and none of what is missing", () => {
  assert.deepEqual(smoothed([1, 2, 9, 4, 5], 3), [1, 4, 5, 6, 5]);
  assert.deepEqual(smoothed([1, NaN, 3], 3), [1, 2, 3]);
  assert.ok(Number.isNaN(smoothed([NaN, NaN], 1)[0]));
  assert.deepEqual([19, 20, 40, 100].map(windowFor), [1, 3, 5, 11]);
  assert.throws(() => smoothed([1], 2), /the window must be odd, from 1: it is 2/);
});

Deno.test("numbers for people are short, and what is no number is nothing", () => {
  const pairs: [number, string][] = [
    [0, "0"],
    [-0, "0"],
    [0.5, "0.5"],
    [0.12345, "0.123"],
    [12.345, "12.35"],
    [123.45, "123.5"],
    [1234, "1,234"],
    [999999, "999,999"],
    [1e6, "1e6"],
    [1.26e-7, "1.3e-7"],
    [-0.0004, "-4e-4"],
    [NaN, ""],
  ];
  for (const [value, want] of pairs) assert.equal(short(value), want);
  assert.deepEqual([coordinate(1.005), coordinate(-0.001), coordinate(12)], ["1", "0", "12"]);
});

Deno.test("ticks are written alike, and in the room that there is", () => {
  const written = (values: number[]): string[] => {
    const lines = [{ name: "x", steps: values.map((_, i) => i), values }];
    const svg = lineChart({ ...chart(), span: "fit", lines }, "a");
    return [...svg.matchAll(/<text x="40" [^>]*>([^<]*)<\/text>/g)].map((m) => m[1]);
  };
  assert.deepEqual(written([0, 90_000]), ["0", "20k", "40k", "60k", "80k", "100k"]);
  assert.deepEqual(written([0, 900]), ["0", "200", "400", "600", "800", "1,000"]);
  assert.deepEqual(written([-1.5e-7, 0]), ["-1.5e-7", "-1e-7", "-5e-8", "0"]);
  for (const scale of [1e-9, 1e-3, 1, 1e4, 1e5, 1e6, 1e9]) {
    for (const label of written([-2.5 * scale, 9.5 * scale])) assert.ok(label.length <= 7, label);
  }
});

const chart = (more: Partial<LineChart> = {}): LineChart => ({
  ...{ title: "Reward", description: "It rises.", unit: "mean per completion", span: "zero" },
  lines: [{ name: "run", steps: [1, 2, 3], values: [1, 2, 4] }],
  ...more,
});

Deno.test("a line goes through its points, from left to right, high values high", () => {
  const svg = lineChart(chart(), "a");
  // 46 to 348 across for steps 1 to 3; 184 (value 0) to 40 (value 4)
  assert.match(svg, /class="line s0" d="M46 148L197 112L348 40"/);
  assert.equal(svg.match(/<circle /g)!.length, 3);
  assert.match(svg, /<title id="a-t">Reward<\/title><desc id="a-d">It rises\.<\/desc>/);
  assert.match(svg, /aria-labelledby="a-t a-d"/);
  assert.match(svg, /<title>step 2: 2<\/title>/);
  assert.equal(lineChart(chart(), "a"), svg);
});

Deno.test("a value that is missing breaks the line and is told as missing", () => {
  const steps = [1, 2, 3, 4];
  const svg = lineChart(chart({ lines: [{ name: "x", steps, values: [1, NaN, 3, 4] }] }), "a");
  assert.match(svg, /d="M46 148M\S+ \S+L348 40"/);
  assert.match(svg, /<title>step 2: -<\/title>/);
});

Deno.test("many steps are drawn faintly under their means; seeds are a band under theirs", () => {
  const steps = Array.from({ length: 40 }, (_, i) => i + 1);
  const values = steps.map((step) => step % 2);
  const one = lineChart(chart({ lines: [{ name: "x", steps, values }] }), "a");
  assert.match(one, /class="raw s0"/);
  assert.doesNotMatch(one, /<circle/);
  const band = { low: [0, 1, 3], high: [2, 3, 5] };
  const lines = [{ name: "a", steps: [1, 2, 3], values: [1, 2, 4], band }];
  const many = lineChart(chart({ lines }), "a");
  assert.match(many, /class="band f0" d="M46 126.4L/); // high 2 on an axis of 0 to 5
  assert.match(many, /Z"/);
  assert.doesNotMatch(many, /class="raw/);
});

Deno.test("healthy values are shaded as far as the axis goes; marks stand at their steps", () => {
  const marks = [{ step: 2, words: "checkpoint" }, { step: 3, words: "skipped", ill: true }, {
    step: 9,
    words: "x",
  }];
  const svg = lineChart(chart({ healthy: { from: 1, to: 99 }, marks }), "a");
  assert.match(svg, /class="well" x="46" y="40" width="302" height="108"/);
  assert.match(svg, /<title>step 2: checkpoint<\/title><line class="mark" x1="197"/);
  assert.match(svg, /class="mark ill" x1="348"/);
  assert.doesNotMatch(svg, /step 9/);
  assert.doesNotMatch(lineChart(chart({ healthy: { from: 50 } }), "a"), /class="well"/);
});

Deno.test("bars stand on 0, tell their value, and their interval where they have one", () => {
  const groups = [
    { name: "held-out", bars: [{ value: 0.25 }, { value: 1, low: 0.9, high: 1 }] },
    { name: "training", bars: [{ value: NaN }, { value: 0.5 }] },
  ];
  const bars = { ...chart(), span: "share" as const, series: ["before", "after"], groups };
  const svg = barChart(bars, "b");
  // 18 to 342 across for 0 to 1
  assert.match(
    svg,
    /<title>held-out, before: 0.25<\/title><rect class="bar f0 s0 pale" x="18" y="59" width="81"/,
  );
  assert.match(svg, /<title>held-out, after: 1, 0.9 to 1<\/title><rect class="bar f0 s0" x="18"/);
  assert.match(svg, /class="whisker" d="M309.6 79H342M309.6 75V83M342 75V83"/);
  assert.match(svg, />held-out<\/text><\/g><text [^>]*>0.25, 1<\/text>/);
  assert.match(svg, />training<\/text><\/g><text [^>]*>-, 0.5<\/text>/);
  assert.equal(svg.match(/<rect class="bar /g)!.length, 3);
  const of = (...all: Bar[]) =>
    barChart({ ...bars, span: "zero", groups: [{ name: "x", bars: all }] }, "b");
  assert.match(of({ value: -2 }), /<rect class="bar f0 s0" x="18" y="59" width="324"/);
  assert.doesNotMatch(of({ value: 1, low: 1, high: 1 }), /whisker/, "a point is no interval");
  assert.doesNotMatch(of({ value: 1, low: NaN, high: NaN }), /whisker/);
  assert.match(barTable(bars), /<td>held-out<\/td><td>0.25<\/td><td>1 \(0.9 to 1\)<\/td>/);
});

/** Contrast of two colours as #rrggbb or #rgb: WCAG 2.2. */
function contrast(a: string, b: string): number {
  const [light, dark] = [a, b].map((text) => {
    const digits = text.length === 4
      ? [...text.slice(1)].map((d) => d + d).join("")
      : text.slice(1);
    const [r, g, b] = [0, 2, 4].map((i) => parseInt(digits.slice(i, i + 2), 16) / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }).sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

Deno.test("an interval is seen on its bar and beside it, by day and by night", () => {
  const [day, night] = STYLE.split("prefers-color-scheme:dark");
  const colour = (scheme: string, name: string) =>
    RegExp(`--${name}:(#[0-9a-f]+)`).exec(scheme)![1];
  for (const scheme of [day, night]) {
    const [ink, paper] = [colour(scheme, "ink"), colour(scheme, "paper")];
    assert.ok(contrast(ink, paper) > 12, "the whisker in its seam, and on the page");
    for (let tone = 0; tone < TONES; tone++) {
      const ofBar = contrast(paper, colour(scheme, `tone-${tone}`));
      assert.ok(ofBar > 4.5, `the seam on tone ${tone}: ${ofBar}`);
    }
  }
  const width = (kind: string) =>
    Number(RegExp(`\\.${kind}\\{[^}]*stroke-width:([\\d.]+)`).exec(STYLE)![1]);
  assert.match(STYLE, /\.seam\{[^}]*stroke:var\(--paper\)/);
  assert.match(STYLE, /\.whisker\{[^}]*stroke:var\(--ink\)/);
  assert.ok(width("seam") >= width("whisker") + 2, "a unit of it on both sides");
  const bar = { value: 2, low: 1, high: 3 };
  const svg = barChart({ ...chart(), series: ["x"], groups: [{ name: "x", bars: [bar] }] }, "a");
  const order = [...svg.matchAll(/class="(bar|seam|whisker)/g)].map(([, kind]) => kind);
  assert.deepEqual(order, ["bar", "seam", "whisker"], "each over the one before");
});

Deno.test("a group and a line have the tone that they are given, else that of their place", () => {
  const line = { steps: [1, 2], values: [1, 2] };
  const lines = [{ ...line, name: "x", tone: 4 }, { ...line, name: "y" }, {
    ...line,
    name: "z",
    tone: 7,
  }];
  const drawn = lineChart(chart({ lines }), "a");
  assert.deepEqual([...drawn.matchAll(/class="line s(\d)"/g)].map((m) => m[1]), ["4", "1", "1"]);
  assert.match(drawn, /<title>x<\/title><rect class="f4"/);
  const groups = [3, undefined, null].map((tone, i) => ({
    ...{ name: `g${i}`, tone, bars: [{ value: 1 }, { value: 2 }] },
  }));
  const bars = barChart({ ...chart(), series: ["before", "after"], groups }, "a");
  assert.deepEqual([...bars.matchAll(/class="bar ([^"]*)"/g)].map((m) => m[1]), [
    ...["f3 s3 pale", "f3 s3", "f0 s0 pale", "f0 s0", "fn sn pale", "fn sn"],
  ]);
  assert.match(bars, /<title>after<\/title><rect class="fn sn"/, "of no one tone");
});

Deno.test("names stand whole where they fit, in as many lines as they take", () => {
  const line = { steps: [1, 2], values: [1, 2] };
  const named = (names: string[]) =>
    lineChart(chart({ lines: names.map((name) => ({ ...line, name })) }), "a");
  const short = named(["policy loss", "KL"]);
  assert.match(short, /viewBox="0 0 360 224"/);
  assert.equal(short.match(/y="217" class="soft">/g)!.length, 2, "on one line");
  const long = ["A dr-grpo, reward exact", "B grpo, reward exact", "C grpo, reward semantic"];
  const tall = named(long);
  for (const name of long) assert.ok(tall.includes(`class="soft">${name}</text>`), name);
  assert.match(tall, /viewBox="0 0 360 240"/);
  const cut = named(["x", "y".repeat(90)]);
  assert.match(
    cut,
    /<title>y{90}<\/title>.*>y{47}…<\/text>/,
    "the whole is there to be pointed at",
  );
  const bars = barChart({
    ...{ ...chart(), series: ["x"] },
    groups: [{ name: "z".repeat(90), bars: [{ value: 1.5 }] }],
  }, "a");
  assert.match(bars, /<title>z{90}<\/title><text x="0" y="53">z{44}…<\/text>/);
});

Deno.test("a line of many steps keeps its peaks where it leaves points out", () => {
  const steps = Array.from({ length: 20_000 }, (_, i) => i);
  const values = steps.map((step) => step === 7_777 ? 5 : step === 12_345 ? -5 : 0);
  const svg = lineChart(chart({ span: "fit", lines: [{ name: "x", steps, values }] }), "a");
  const raw = svg.match(/class="raw s0" d="([^"]*)"/)![1].split(/[ML]/).slice(1);
  assert.ok(raw.length < 2_500, `${raw.length} points`);
  const heights = raw.map((point) => Number(point.split(" ")[1]));
  assert.deepEqual([Math.min(...heights), Math.max(...heights)], [52, 172]); // 5 and -5 of -6 to 6
});

Deno.test("a chart of 100,000 steps has few places to hover, and its table few rows", () => {
  const steps = Array.from({ length: 100_000 }, (_, i) => i + 1);
  const long = chart({ lines: [{ name: "x", steps, values: steps }] });
  const svg = lineChart(long, "a");
  assert.ok(svg.match(/class="hit"/g)!.length <= 61);
  assert.match(svg, /step 100000: 100,000/);
  assert.ok(svg.length < 100_000, `${svg.length} characters`);
  assert.ok(lineTable(long).match(/<tr>/g)!.length <= 52);
});

Deno.test("text from outside is only text, and what cannot be seen is spelled out", () => {
  const evil = `</title><script>alert(1)</script>"' onload=x \u0000\u202e` + "\ud800" +
    "\u{e0041}\ufeff";
  assert.equal(
    escape(evil),
    "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onload=x " +
      "\\u{0}\\u{202e}\\u{d800}\\u{e0041}\\u{feff}",
  );
  const svg = lineChart(
    chart({
      title: evil,
      unit: evil,
      description: evil,
      across: evil,
      lines: [
        { name: evil, steps: [1, 2], values: [1, 2] },
        { name: evil, steps: [1], values: [2] },
      ],
      marks: [{ step: 1, words: evil }],
    }),
    "a",
  );
  assert.doesNotMatch(svg, /<script|onload=x[^ ]*"|\u202e/);
  assert.equal(svg.match(/<svg/g)!.length, svg.match(/<\/svg>/g)!.length);
});

Deno.test("a sheet lays charts in rows, with one style", () => {
  const one = lineChart(chart(), "a"),
    two = lineChart(chart(), "b"),
    three = lineChart(chart(), "c");
  const svg = sheet([one, two, three], { title: "Run <1>" });
  assert.match(svg, /viewBox="0 0 792 520"/);
  assert.match(svg, /<svg x="24" y="272" /);
  assert.equal(svg.match(/<style>/g)!.length, 1);
  assert.match(svg, /<title>Run &lt;1&gt;<\/title>/);
  const bars = { value: 1 },
    groups = Array.from({ length: 9 }, () => ({ name: "x", bars: [bars] }));
  const high = barChart({ ...chart(), series: ["x"], groups }, "d");
  const height = Number(/viewBox="0 0 360 (\d+)"/.exec(high)![1]);
  assert.ok(height > 300, `${height}`);
  const rows = sheet([one, high, two]);
  assert.ok(rows.includes(`<svg x="24" y="${24 + height + 24}" `), "below the highest of its row");
  assert.match(rows, RegExp(`viewBox="0 0 792 ${24 + height + 24 + 224 + 24}"`));
});
