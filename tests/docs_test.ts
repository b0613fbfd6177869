/** Runs every example of docs/, README.md and mod.ts, and checks that what the pages name is there. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { metricsPage, rewardMetrics } from "../cli/report/metrics_page.ts";
import { rewardsPage } from "../cli/report/rewards_page.ts";
import { listRewards } from "../rewards/registry.ts";
import { ppo } from "../rl/algorithms/ppo.ts";
import { trainTask } from "../experiment/train.ts";
import { agrees, type Example, examplesOf, moduleOf, printed, run } from "./_examples.ts";
import { Recorder, writeSmallModel } from "./experiment/_model.ts";

const ROOT = new URL("../", import.meta.url);
const FILE =
  /`((?:base|kernels|model|rl|rewards|tasks|experiment|cli|tests|assets|scripts|bench)\/[\w/-]*(?:\.\w+|\/))`/g;

/** The pages, as paths from the root; the two that others make from tables have no examples. */
async function pages(folder = "docs"): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) found.push(...await pages(`${folder}/${name}`));
    else if (name.endsWith(".md")) found.push(`${folder}/${name}`);
  }
  return found.sort();
}

const examples: Example[] = [];
for (const page of [...await pages(), "README.md", "mod.ts"]) {
  const text = await Deno.readTextFile(new URL(page, ROOT));
  // A module's example stands in a comment.
  examples.push(...examplesOf(page, page.endsWith(".ts") ? text.replaceAll(/^ \* ?/gm, "") : text));
}

Deno.test("every example has right types", async () => {
  assert.ok(examples.length >= 20, `found ${examples.length} examples`);
  const folder = await Deno.makeTempDir();
  try {
    const files = await Promise.all(examples.map(async (example, i) => {
      await Deno.writeTextFile(`${folder}/${i}.ts`, `// ${example.name}\n${moduleOf(example)}`);
      return `${folder}/${i}.ts`;
    }));
    const config = fileURLToPath(new URL("deno.json", ROOT));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", config, ...files],
      env: { NO_COLOR: "1" },
    }).output();
    const names = files.map((file, i) => `${file}: ${examples[i].name}`).join("\n");
    assert.ok(success, `${new TextDecoder().decode(stderr)}\n${names}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const example of examples) {
  Deno.test(`${example.name}, prints what it says`, async () => {
    assert.ok(example.prints.length > 0, "an example that prints nothing shows nothing");
    const lines = await run(example);
    const rest = lines.slice(example.prints.length), { prints } = example;
    const same = rest.length === 0 && prints.every((want, i) => agrees(lines[i] ?? "", want));
    assert.ok(same, `it prints\n${lines.join("\n")}\nand says\n${prints.join("\n")}`);
  });
}

Deno.test("an example whose output differs is found", async () => {
  assert.ok(agrees("kind: cpu", "kind: …"));
  assert.ok(!agrees("kind: cpu", "kind: webgpu"));
  assert.ok(!agrees("1.5", "1x5") && !agrees("105", "1.5"));
  assert.deepEqual(await printed(() => Promise.resolve(console.log([1], "a"))), ["[ 1 ] a"]);
  const [example] = examplesOf("p.md", "text\n```ts\nlog(1); // => 1\n```\n```sh\n# => 2\n```\n");
  assert.deepEqual(example.prints, ["1"]);
  const hidden = examplesOf(
    "p.md",
    "```ts\nlog(1);\n```\nb\n```text seen\n1\n 2\n```\n```ts\nlog(2); // => 2\n```\n",
  );
  assert.deepEqual(hidden.map(({ prints }) => prints), [["1", " 2"], ["2"]]);
});

Deno.test("every file, link, task and test that a page names is there", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const wrong: string[] = [];
  let cited = 0;
  for (
    const page of [...await pages(), "README.md", "assets/tiny/README.md", "assets/small/README.md"]
  ) {
    const text = (await Deno.readTextFile(new URL(page, ROOT))).replaceAll(
      /^```[\s\S]*?^```$/gm,
      "",
    );
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      if (!await isThere(new URL(link, new URL(page, ROOT)))) wrong.push(`${page}: link ${link}`);
    }
    for (const [, path] of text.matchAll(FILE)) {
      if (!await isThere(new URL(path, ROOT))) wrong.push(`${page}: file ${path}`);
    }
    for (const [, task] of text.matchAll(/deno task ([\w:]+)/g)) {
      if (!(task in tasks)) wrong.push(`${page}: deno task ${task}`);
    }
    for (const [, quoted, file] of text.matchAll(/"([^"]+)"\s+in\s+`(tests\/[\w./]+)`/g)) {
      const source = await Deno.readTextFile(new URL(file, ROOT)).catch(() => "");
      const name = quoted.replaceAll(/\s+/g, " ");
      if (!source.includes(name)) wrong.push(`${page}: test "${name}" in ${file}`);
      cited++;
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(cited >= 20, `read only ${cited} names of tests`);
});

Deno.test("docs/metrics.md is what the table makes, with a remedy for each metric", async () => {
  for (const { name, remedy } of [...ppo.metrics, ...rewardMetrics()]) assert.ok(remedy, name);
  const page = await Deno.readTextFile(new URL("docs/metrics.md", ROOT));
  assert.equal(page, metricsPage(), "run: deno task docs");
});

Deno.test("docs/rewards.md is what the definitions make, with formula and range of each", async () => {
  for (const { name, formula, range, players } of listRewards()) {
    assert.ok(formula && range && players, `${name} lacks its formula, range or players`);
  }
  const page = await Deno.readTextFile(new URL("docs/rewards.md", ROOT));
  assert.equal(page, rewardsPage(), "run: deno task docs");
});

Deno.test("docs/metrics.md names every column of a run", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeSmallModel(`${folder}/model`);
    const recorder = new Recorder(folder), settings = { batchSize: 2 };
    const request = { task: "colors", model: `${folder}/model`, steps: 1, settings };
    await trainTask({ ...request, device: "cpu" }, recorder);
    const known = rewardMetrics().map(({ name }) => name.replace("NAME", "semantic"))
      .filter((name) => /^rewards\/(?:exact|semantic)\//.test(name));
    const names = [...ppo.metrics.map(({ name }) => name), ...known];
    assert.deepEqual(Object.keys(recorder.rows[0]), ["step", ...names]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const isThere = (url: URL): Promise<boolean> => Deno.stat(url).then(() => true, () => false);
