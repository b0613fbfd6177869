/** The pages of a run as a browser shows them. @module */
import assert from "node:assert/strict";
import { madeUpRun } from "../../../bench/report.ts";
import { htmlPage, shown } from "../../../cli/report/html.ts";
import { curves, lossCurve } from "../../../cli/report/plots.ts";
import { report } from "../../../cli/report/report.ts";
import { lineChart } from "../../../web/view/lines.ts";
import { barChart } from "../../../web/view/bars.ts";
import { sheet } from "../../../web/view/sheet.ts";
import { testInBrowser } from "../../_browser.ts";
import { withFolder } from "../../_folder.ts";
import { rootName } from "../../_in_page.js";
import { faults, show, textsOf, VIEWS } from "../../_page_checks.ts";
import { MARKUP, PAYLOADS } from "../../_payloads.ts";
import { hostile, PAGES } from "./_pages.ts";

testInBrowser(
  "a run's page is readable on a phone and a desk, by day and by night, and asks for nothing",
  async (tab) => {
    await withFolder(async (folder) => {
      for (const [name, run] of Object.entries(PAGES)) {
        await Deno.writeTextFile(`${folder}/${name}.html`, await report(run));
        await tab.open(`${folder}/${name}.html`);
        for (const view of VIEWS) {
          await show(tab.page, view);
          assert.deepEqual(await faults(tab.page), [], `${name}, ${view.width} px, ${view.scheme}`);
        }
        assert.deepEqual([tab.requests, tab.said], [[], []], name);
      }
    });
  },
);

testInBrowser("what is looked for on a page is found where it is", async (tab) => {
  const { page } = tab;
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/asks.html`, "<img src=x.png><script>throw 1</script>");
    await tab.open(`${folder}/asks.html`);
    assert.deepEqual(tab.requests, [`file://${folder}/x.png`]);
    assert.ok(tab.said.some((line) => line.includes("1")), tab.said.join());
  });
  await page.setContent(
    `<main style="background:#fff;color:#000"><p style="font-size:10px">small</p>
    <p style="color:#999">faint</p><p style="width:2000px">wide</p>
    <svg viewBox="0 0 200 20" width="100" height="10"><rect width="200" height="20" fill="#000"/>
    <text y="15" fill="#222" font-size="20">drawn</text></svg></main>`,
  );
  await show(page, { width: 390, scheme: "light" });
  const found = (await faults(page)).join("\n");
  for (
    const fault of [
      /"small" is 10\.0 px/,
      /"faint" has a contrast of 2\.8/,
      /HTML\. is \d+ px wide in 390/,
      /"drawn" is 10\.0 px/,
      /"drawn" has a contrast of 1\./,
    ]
  ) assert.match(found, fault);
});

testInBrowser(
  "completions are sorted by a click, and filtered by step, kind and words",
  async (tab) => {
    const { page } = tab;
    await withFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/report.html`, await report(PAGES.ended));
      await tab.open(`${folder}/report.html`);
      const column = (k: number) =>
        page.$$eval(
          "#completions tbody tr:not([hidden])",
          (rows, k) => rows.map((row) => row.children[k].textContent),
          k,
        );
      const count = () => page.$eval("#count", (element) => element.textContent);
      const all = await column(0);
      assert.deepEqual(all, [...all].sort((a, b) => Number(b) - Number(a)));
      assert.equal(await count(), "24 of 24");
      await page.click("#completions th button");
      await page.click("#completions th button");
      assert.deepEqual(await column(0), all.toReversed());
      await page.click("#completions th:nth-child(8) button"); // exact
      const scores = (await column(7)).map(Number);
      assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
      assert.equal(
        await page.$eval("#completions th:nth-child(8)", (head) => head.ariaSort),
        "descending",
      );
      await page.select("#step", "20");
      assert.deepEqual(new Set(await column(0)), new Set(["20"]));
      await page.select("#phase", "after:heldout"); // shows all its steps
      assert.equal(await count(), "6 of 24");
      await page.type("#words", "3 IS");
      assert.equal(await count(), "1 of 24");

      await Deno.writeTextFile(`${folder}/long.html`, await report(madeUpRun(10, 400)));
      await tab.open(`${folder}/long.html`);
      assert.equal(await count(), "the first 250 of 600");
      assert.equal((await column(0)).length, 250);
      await page.click("#completions th button");
      await page.click("#completions th button"); // the first step first
      assert.deepEqual(new Set(await column(0)), new Set(["0", "1", "2", "3", "4"]));
      await page.select("#phase", "train");
      assert.equal(await count(), "the first 250 of 400 that fit, of 600");
      await page.select("#phase", "");
      await page.click("#more");
      assert.equal((await column(0)).length, 600);
      assert.equal(await count(), "600 of 600");
      assert.equal(await page.$eval("#more", (button) => button.hasAttribute("hidden")), true);
    });
  },
);

/** A page that shows texts as no page may. */
const careless = (texts: readonly string[]): string =>
  `<!doctype html><table><tr><td>${texts.join("</td></tr><tr><td>")}</td></tr></table>`;

testInBrowser(
  "of sixty payloads none runs in any page or drawing, and each is there to be read",
  async (tab) => {
    assert.ok(new Set(PAYLOADS).size >= 60);
    await withFolder(async (folder) => {
      const said = async (name: string, text: string): Promise<string[]> => {
        await Deno.writeTextFile(`${folder}/${name}`, text);
        await tab.open(`${folder}/${name}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return [...tab.said, ...tab.requests];
      };
      // That a payload which runs is seen: several do, where nobody escapes.
      for (const text of MARKUP.slice(0, 8)) {
        const heard = await said("careless.html", careless([text]));
        assert.ok(heard.some((line) => line.startsWith("alert")), text);
      }

      assert.deepEqual(await said("report.html", await report(hostile)), []);
      for (const label of ["completion", "prompt", "wanted"]) {
        const texts = await textsOf(tab.page, `#completions td[data-label="${label}"]`);
        assert.deepEqual(texts, [...PAYLOADS, ...PAYLOADS], label);
      }
      const values = await textsOf(tab.page, `td[data-label="value"]`);
      assert.deepEqual(new Set(values), new Set(PAYLOADS));
      const [command] = await textsOf(tab.page, "pre");
      assert.equal(command, PAYLOADS.join(" "));

      const body = `<ul>${PAYLOADS.map((text) => `<li>${shown(text)}</li>`).join("")}</ul>`;
      const page = await htmlPage({ title: PAYLOADS.join(" "), body, style: "" });
      assert.deepEqual(await said("page.html", page), []);
      assert.deepEqual(await textsOf(tab.page, "li"), [...PAYLOADS]);

      for (const [name, svg] of Object.entries(drawings())) {
        assert.deepEqual(await said(name, svg), [], name);
        const root = await tab.page.evaluate(rootName);
        assert.equal(root, "svg", `${name} is whole XML`);
      }
    });
  },
);

/** Every drawing, with every payload wherever a text may stand. */
function drawings(): Record<string, string> {
  const all = PAYLOADS.join(" ");
  const frame = { title: all, unit: all, description: all, span: "fit" as const };
  const lines = PAYLOADS.map((name) => ({ name, steps: [1, 2], values: [1, 2] }));
  const marks = PAYLOADS.map((words) => ({ step: 1, words }));
  const groups = PAYLOADS.map((name) => ({ name, bars: [{ value: 1 }] }));
  return {
    "curves.svg": curves(hostile),
    "loss.svg": lossCurve([3, 2, 1]),
    "sheet.svg": sheet([
      lineChart({ ...frame, across: all, lines, marks }, "a"),
      barChart({ ...frame, series: [all], groups }, "b"),
    ], { title: all }),
  };
}
