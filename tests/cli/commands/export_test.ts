import { saveAdapter } from "../../../model/files/lora_save.ts";
import { loadModel } from "../../../model/hub/load.ts";
import assert from "node:assert/strict";
import { metadata, origin } from "../../../cli/report/card_words.ts";
import { listFolder } from "../../../experiment/folder/files.ts";
import { main } from "../../../cli/main.ts";
import { cell, code, fence, markdown, scalar } from "../../../cli/report/markdown.ts";
import { RunFolder } from "../../../experiment/folder/run_folder.ts";
import type { CompletionRow, RunInfo } from "../../../experiment/observer.ts";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { command } from "../../../cli/commands/export.ts";
import { parsePhase } from "../../../experiment/observer.ts";
import { writeSmallModel } from "../../experiment/_model.ts";
import { inTemporary } from "../../_folder.ts";
import { HOSTILE } from "../_fake.ts";
import { completion, info, snapshot, summary, timings } from "../_folders.ts";

/** Runs the command with the real program; gives the exit code and what was printed. */
async function run(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [], err: string[] = [];
  const code = await main(
    ["export", ...words],
    {
      commands: [command],
      terminal: {
        out: (line) => out.push(line),
        write: (text) => out.push(text),
        err: (line) => err.push(line),
        fancy: false,
        columns: 100,
      },
    },
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}

interface RunOptions {
  about?: Partial<RunInfo>;
  steps?: number;
  text?: (i: number) => string;
  ends?: boolean;
}

/** Writes a run of 3 steps with a checkpoint after each of `steps`. */
async function writeRun(
  folder: string,
  { about = {}, steps = 3, text = (i) => `blue ${i}`, ends = true }: RunOptions = {},
): Promise<string> {
  const run = new RunFolder({ out: folder, command: "deno task train colors", request: {} });
  const rows = (step: number, phase: string, n: number): CompletionRow[] =>
    Array.from({ length: n }, (_, i) => ({
      ...completion(step, phase, text(i)),
      id: `${i}`,
      reward: step / 10,
      prompt: i === 0 ? "red and blue make" : text(i),
    }));
  await run.start({
    ...info(),
    steps: 3,
    rewards: ["exact", "semantic"],
    weights: { exact: 1, semantic: 0.5 },
    config: { seed: 1, totalSteps: 3, batchSize: 8, gamma: 0.9, temperature: 0.7, maxNewTokens: 4 },
    ...about,
  });
  await run.evaluation(parsePhase("before:train"), rows(0, "before:train", 5));
  await run.evaluation(parsePhase("before:heldout"), rows(0, "before:heldout", HOSTILE.length));
  for (let step = 1; step <= steps; step++) {
    const metrics = { "score/mean": step / 10, "kl/reference": step / 5 };
    const completions = rows(step, "train", HOSTILE.length);
    await run.step({ step, metrics, completions, timings });
    await run.checkpoint(step, async (to) => {
      await writeSmallModel(to, 96, step);
      await Deno.writeTextFile(`${to}/trainer.json`, "{}");
    });
  }
  if (!ends) return folder;
  await run.evaluation(parsePhase("after:train"), rows(3, "after:train", 5));
  await run.evaluation(parsePhase("after:heldout"), rows(3, "after:heldout", HOSTILE.length));
  await run.end({
    ...summary,
    steps: 3,
    heldout: { ...summary.heldout, after: { exact: 0.25, reward: 0.5 } },
  });
  return folder;
}

const card = (folder: string) => Deno.readTextFile(`${folder}/README.md`);
const has = (text: string, ...parts: (string | RegExp)[]) => {
  for (const part of parts) {
    const found = typeof part === "string" ? text.includes(part) : part.test(text);
    assert.ok(found, `${part} is missing in\n${text}`);
  }
};

inTemporary(
  "a run of an adapter: the card says what was trained, on what, and that it is merged",
  async (place) => {
    const base = `${place}/base`, checkpoint = `${place}/colors-1/checkpoints/step-3`;
    await writeSmallModel(base);
    const config = { loraRank: 3, loraAlpha: 6, loraTargets: "c_attn,mlp.c_proj" };
    const chosen = {
      ...config,
      frozenDtype: "f16",
      recompute: true,
      maxNewTokens: 4,
      temperature: 1,
    };
    const source = {
      kind: "folder",
      path: base,
      sha256: { "model.safetensors": "cd".repeat(32) },
    } as const;
    const folder = await writeRun(`${place}/colors-1`, {
      about: { config: chosen, model: base, source },
    });
    await Deno.remove(checkpoint, { recursive: true });
    using device = new CpuDevice();
    const lora = { rank: 3, alpha: 6, targets: ["c_attn", "mlp.c_proj"] };
    using model = await loadModel(device, base, { lora, valueHead: true });
    await saveAdapter(model, checkpoint, { tokenizer: `${base}/tokenizer.json` });
    const out = `${place}/out`;
    assert.equal((await run(folder, "--out", out)).code, 0);
    const text = await card(out);
    has(
      text,
      `PlainRL fine-tuned the model in a folder named \`base\` (\`model.safetensors\` with SHA-256 \`${
        "cd".repeat(32)
      }\`)`,
      "Trained was a low-rank adapter (LoRA; rank 3, alpha 6, on `c_attn`, `mlp.c_proj`), while the " +
        "weights themselves stayed. It is merged into the weights here, which load as a plain model",
      "| `loraRank` | 3 | 0 |",
      "| `loraTargets` | c_attn,mlp.c_proj | auto |",
      "| `frozenDtype` | f16 | f32 |",
      "| `recompute` | true | false |",
      "- The adapter learned beside weights that were rounded to f16",
    );
    const mark = JSON.parse(await Deno.readTextFile(`${out}/plainrl.json`));
    assert.deepEqual(mark.adapter, { rank: 3, alpha: 6, rslora: false, targets: lora.targets });
    assert.deepEqual([mark.source.path, mark.source.base.path], ["step-3", "base"]);
    assert.ok(
      mark.files.includes("model.safetensors") && !mark.files.includes("adapter_config.json"),
    );
    for (const file of ["README.md", "plainrl.json"]) {
      assert.ok(
        !(await Deno.readTextFile(`${out}/${file}`)).includes(place),
        `${file} tells a folder`,
      );
    }

    assert.equal((await run(checkpoint, "--out", `${place}/one`)).code, 0);
    await Deno.rename(checkpoint, `${place}/adapter`);
    assert.equal((await run(`${place}/adapter`, "--out", `${place}/alone`)).code, 0);
    has(
      await card(`${place}/alone`),
      /`adapter` \(`adapter_model.safetensors` with SHA-256 `[0-9a-f]{64}`\), an adapter on the model in a folder named `base`/,
      "A low-rank adapter (LoRA; rank 3, alpha 6, on `c_attn`, `mlp.c_proj`) was read with them. It is merged",
    );
    const plain = await writeRun(`${place}/plain`, {
      about: { config: { ...chosen, loraRank: 0 } },
    });
    assert.equal((await run(plain, "--out", `${place}/not`)).code, 0);
    const prose = (await card(`${place}/not`)).replace(/^\|.*$/gm, "");
    assert.doesNotMatch(prose, /adapter|LoRA/);

    const hub = { kind: "hub", id: "a/b", revision: "main", commit: "0".repeat(40) } as const;
    for (const known of [hub, { ...source, base: hub }]) {
      assert.match(metadata(known, []), /\nbase_model: "a\/b"\n/);
    }
    assert.doesNotMatch(metadata({ ...source, base: source }, []), /base_model/);
  },
);

Deno.test("a card says of what ships with the project that it does, and of a folder its name", () => {
  const sha256 = { "model.safetensors": "ab" }, sum = "(`model.safetensors` with SHA-256 `ab`)";
  const of = (path: string) => origin({ kind: "folder", path, sha256 }, path);
  assert.equal(of("tiny"), `\`tiny\`, the default model of PlainRL ${sum}`);
  assert.equal(of("small"), `\`small\`, a model of PlainRL ${sum}`);
  assert.equal(of("at/small"), `the model in a folder named \`at/small\` ${sum}`);
});

inTemporary("a finished run becomes a folder whose card says how it was trained", async (place) => {
  const folder = await writeRun(`${place}/colors-1`), out = `${place}/deep/down/out`;
  const { code, out: said, err } = await run(folder, "--out", out);
  assert.deepEqual([code, err], [0, ""]);
  has(
    said,
    `from     ${folder}, step 3`,
    /^weights {2}[\d,]+ in F32, 0\.\d MB$/m,
    `${out}/README.md`,
  );
  assert.deepEqual(await listFolder(`${place}/deep/down`), ["out"]);
  assert.deepEqual(
    await Deno.readFile(`${out}/model.safetensors`),
    await Deno.readFile(`${folder}/checkpoints/step-3/model.safetensors`),
  );
  const text = await card(out);
  has(
    text,
    /^---\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- "plainrl"\n- "reinforcement-learning"\n- "ppo"\n---\n\n# tiny trained on colors with PPO\n/,
    `default model of PlainRL (\`model.safetensors\` with SHA-256 \`${"ab".repeat(32)}\`)`,
    "after step 3 of 3, the end of the run.",
    "| rewards | `exact`, weight 1; `semantic`, weight 0.5 |",
    "| seed | 1 |",
    "| device | fake (cpu, software) |",
    /\| begun \| 20\d\d-\d\d-\d\dT[\d:.]+Z \|/,
    /\| versions \| plainrl \d+\.\d+\.\d+, deno /,
    "| `gamma` | 0.9 | 1 | ", // one that differs from its default
    "| `batchSize` | 8 |  | completions per step |", // one that has none
    "| prompts | exact before | exact after | reward before | reward after |\n| --- | --- | --- | --- | --- |\n" +
      "| training | 0.000 | 1.000 | 0.000 | 1.000 |\n| held-out | 0.000 | 0.250 | 0.000 | 0.500 |\n",
    "The mean reward of sampled completions ",
    "Greedy answers to the first 6 held-out prompts:",
    "| red and blue make | blue 0 | blue 0 | purple |",
    'inputs = tokenizer("red and blue make", return_tensors="pt")',
    "deno task generate --model out 'red and blue make'",
    `5 training and ${HOSTILE.length} held-out prompts`,
    "Training prompts are answered better than held-out ones by 0.75",
    "Licence and languages are not stated",
  );
  assert.doesNotMatch(text, /`klCoefficient`|totalSteps|license:|base_model/); // default, said above, unknown
  assert.ok(!text.includes(place), "the machine's folders are in the card");
  const settings = JSON.parse(await Deno.readTextFile(`${out}/generation_config.json`));
  assert.deepEqual([settings.temperature, settings.max_new_tokens, settings.top_k], [0.7, 4, 0]);
  const mark = JSON.parse(await Deno.readTextFile(`${out}/plainrl.json`));
  assert.deepEqual([mark.run, mark.step, mark.base], ["colors-1", 3, info().source]);
  assert.deepEqual(mark.files.sort(), await listFolder(out));
  assert.ok(!JSON.stringify(mark).includes(place));
});

inTemporary("the card of an earlier checkpoint claims nothing of the end", async (place) => {
  const folder = await writeRun(`${place}/run`), out = `${place}/out`;
  for (const words of [[folder, "--checkpoint", "2"], [`${folder}/checkpoints/step-2/`]]) {
    const { code } = await run(...words, "--out", out, "--dtype", "f16", "--force");
    assert.equal(code, 0);
    const text = await card(out);
    has(
      text,
      "after step 2 of 3, before the end of the run.",
      "There is no comparison of before and after",
      "sampled completions rose from 0.1 to 0.2 ", // and not to 0.3, of step 3
      "The first 6 sampled in step 2:",
      "| red and blue make | blue 0 | purple | 0.2 |",
      "parameters in F16",
      "The weights here are rounded to F16; every figure is of F32.",
    );
    assert.doesNotMatch(text, /exact before|from 0 to 0\.25|answered better/);
  }
});

inTemporary(
  "an unfinished run gets a card that says so, and goes by its last checkpoint",
  async (place) => {
    const folder = await writeRun(`${place}/run`, { steps: 2, ends: false }), out = `${place}/out`;
    const { code, out: said } = await run(folder, "--out", out, "--json");
    assert.equal(code, 0);
    const { run: from, step, folder: to, dtype } = JSON.parse(said);
    assert.deepEqual([from, step, to, dtype], [folder, 2, out, "F32"]);
    const text = await card(out);
    has(text, "after step 2 of 3, and the run had not reached its end when they were written.");
    has(text, "There is no comparison of before and after", "The first 6 sampled in step 2:");
    assert.doesNotMatch(text, /exact before|time of the whole run/);
  },
);

inTemporary("a model without a run gets a short card that claims no training", async (place) => {
  await writeSmallModel(`${place}/my model`);
  const out = `${place}/out`;
  assert.equal((await run(`${place}/my model`, "--out", out)).code, 0);
  const text = await card(out);
  has(
    text,
    /\n# my model\n\nThe weights of the model in a folder named my model \(`model\.safetensors` with SHA-256 `[0-9a-f]{64}`\), as PlainRL read them/,
    "PlainRL did not train them further, or the run that did is not known here",
    "Nothing was measured of this model here.",
    "max_new_tokens=32",
  );
  assert.doesNotMatch(text, /How it was trained|Results|reinforcement|base_model|license/);
  assert.ok(!text.includes(place));
});

inTemporary("a model of the hub is named with its commit, as base model too", async (place) => {
  const commit = "c".repeat(40), home = `${place}/models--someone--small`;
  await writeSmallModel(`${home}/snapshots/${commit}`);
  await Deno.mkdir(`${home}/refs`);
  await Deno.writeTextFile(`${home}/refs/main`, commit);
  const before = Deno.env.get("HF_HUB_CACHE");
  Deno.env.set("HF_HUB_CACHE", place);
  try {
    assert.equal((await run("someone/small", "--out", `${place}/a`)).code, 0);
  } finally {
    if (before === undefined) Deno.env.delete("HF_HUB_CACHE");
    else Deno.env.set("HF_HUB_CACHE", before);
  }
  const words =
    `\`someone/small\` of the Hugging Face hub, revision \`main\`, commit \`${commit}\``;
  has(await card(`${place}/a`), '\nbase_model: "someone/small"\n', `The weights of ${words}, as`);
  const source = { kind: "hub" as const, id: "someone/small", revision: "main", commit };
  const folder = await writeRun(`${place}/run`, { about: { source, model: "someone/small" } });
  await run(folder, "--out", `${place}/b`);
  const text = await card(`${place}/b`);
  has(
    text,
    '\nbase_model: "someone/small"\n',
    `PlainRL fine-tuned ${words} with`,
    "# someone/small trained",
  );
});

inTemporary("no text of a prompt, completion, name or setting acts in the card", async (place) => {
  const names = HOSTILE.map((text) => text.slice(0, 200));
  const folder = await writeRun(`${place}/run`, {
    about: {
      task: names[0],
      algorithm: names[1],
      rewards: [names[2]],
      model: names[3],
      weights: {},
      device: { kind: "cpu", name: "| a | b |\n\n# c <b>", software: false },
      source: { kind: "folder", path: "`x`](http://evil)", sha256: { "a|b.safetensors": "<i>" } },
      config: { [names[2]]: names[4], semanticEmbedder: "/home/somebody/secret/bert", x: "a|b" },
    },
    text: (i) => `${HOSTILE[i]} | ![x](http://evil) www.evil.org **b** $$x$$ @user \\| \`a\` #1`,
  });
  await Deno.writeTextFile(
    `${folder}/config.json`,
    (await Deno.readTextFile(`${folder}/config.json`)).replace(
      "deno task train colors",
      "deno task train --model /home/somebody/gpt2 ```\\n```\\n<img>",
    ),
  );
  for (const words of [[], ["--checkpoint", "2"]]) {
    await run(folder, "--out", `${place}/out`, "--force", ...words);
    const text = await card(`${place}/out`);
    const fences = /^(`{3,})\w*\n[\s\S]*?\n\1$/gm;
    const blocks = [...text.matchAll(fences)].map(([block]) => block);
    assert.equal(blocks.length, 3);
    const prose = text.replaceAll(fences, "").replace(/^---\n[\s\S]*?\n---\n/, "")
      .replace("`model.generate(**inputs)`", "");
    assert.doesNotMatch(prose, /[<>$~]|!\[|\]\(|:\/\/|www\.|\*|(?<!`)@/);
    assert.doesNotMatch(prose, /\\/);
    for (const [line] of prose.matchAll(/^\|.*$/gm)) {
      assert.ok([3, 5, 6].includes(line.split("|").length - 1), line); // columns of the tables
    }
    assert.equal(prose.match(/^#+ /gm)?.length, 6);
    // deno-lint-ignore no-control-regex -- they must be gone
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
    assert.doesNotMatch(text, control);
    assert.ok(text.isWellFormed());
    has(text, "\n````sh\n", "```\n```\n<img>\n````", "| …/bert |", "--model …/gpt2");
    assert.ok(!text.includes("somebody"));
    const front = /^---\n([\s\S]*?)\n---\n/.exec(text)![1].split("\n");
    assert.equal(front.length, 6);
    assert.equal(JSON.parse(front[5].slice(2)), names[1].replaceAll("\u0000", ""));
  }
});

inTemporary(
  "what is not there is said with the nearest, before anything is written",
  async (place) => {
    const folder = await writeRun(`${place}/run`, { steps: 0, ends: false });
    const whole = await writeRun(`${place}/whole`);
    await writeSmallModel(`${place}/model`);
    const out = `${place}/out`;
    for (
      const [words, code, message] of [
        [["runs/none"], 2, /^error: no run or model "runs\/none" in \//],
        [
          ["tinny"],
          2,
          /no run or model "tinny" in .* Did you mean "tiny"\? {2}It takes a run folder, tiny, small, a model folder, or/,
        ],
        [["someone/none@refs/pr/1"], 1, /deno task fetch someone\/none@refs\/pr\/1/],
        [[folder], 2, /Cannot export .*\/run as it has no checkpoint yet/],
        [
          [whole, "--checkpoint", "7"],
          2,
          /no checkpoint of step 7 in .*whole\. {2}Steps: 1, 2, 3$/,
        ],
        [[`${whole}/checkpoints/step-2`, "--checkpoint", "3"], 2, /as it is step 2$/],
        [[`${place}/model`, "--checkpoint", "3"], 2, /as it is a model, not a run$/],
        [[`${place}/model`, "--value-head"], 1, /Cannot keep the value head/],
        [[place], 2, /it is a folder of runs\. Name one: .*\/run, .*\/whole$/],
      ] as const
    ) {
      const said = await run(...words, "--out", out);
      assert.equal(said.code, code, said.err);
      assert.match(said.err.split("\n")[0], message);
      assert.deepEqual(await listFolder(place), ["model", "run", "whole"], words.join(" "));
    }
  },
);

inTemporary(
  "a weight that F16 cannot hold leaves nothing behind, and what was there as it was",
  async (place) => {
    const folder = await writeRun(`${place}/run`), out = `${place}/new/out`;
    const path = `${folder}/checkpoints/step-3/model.safetensors`;
    const bytes = await Deno.readFile(path);
    const at = bytes.length - 4; // the last weight of the file
    const broken = bytes.slice();
    new DataView(broken.buffer).setFloat32(at, 1e6, true);
    await Deno.writeFile(path, broken);
    await Deno.remove(`${folder}/checkpoints/step-3/manifest.json`); // which knows other weights
    const refused = await run(folder, "--out", out, "--dtype", "f16");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /must be finite in F16: element \d+ is 1000000\. Export it as f32/);
    assert.deepEqual(await listFolder(place), ["run"]);
    assert.equal((await run(folder, "--out", out)).code, 0);
    const before = await snapshot(out);
    await run(folder, "--out", out, "--dtype", "f16", "--force");
    assert.deepEqual(await snapshot(out), before);
    assert.deepEqual(await listFolder(`${place}/new`), ["out"]);
  },
);

inTemporary(
  "a folder is written over only where export wrote it, all of it, and is told to",
  async (place) => {
    const folder = await writeRun(`${place}/run`), out = `${place}/out`;
    await Deno.mkdir(out); // empty
    assert.equal((await run(folder, "--out", out)).code, 0);
    const first = await snapshot(out);
    const again = await run(folder, "--out", out);
    assert.equal(again.code, 2);
    assert.match(again.err, /out as it holds an export already\. Replace it with --force, or/);
    assert.deepEqual(await snapshot(out), first);
    await run(folder, "--out", `${out}/`, "--force", "--checkpoint", "1");
    has(await card(out), "after step 1 of 3");
    await run(folder, "--out", out, "--force");
    assert.deepEqual(await snapshot(out), first); // the same run, the same bytes
    await Deno.writeTextFile(`${out}/thesis.txt`, "years of work");
    const strange = await run(folder, "--out", out, "--force");
    assert.match(strange.err, /files that export did not write: thesis\.txt\. Move them away/);
    await Deno.remove(`${out}/plainrl.json`);
    const unmarked = await run(folder, "--out", out, "--force");
    assert.match(unmarked.err, /out as it is not empty\. Choose another folder with --out/);
    const self = await run(folder, "--out", folder, "--force");
    assert.match(self.err, /run as it is not empty/);
    const file = await run(folder, "--out", `${out}/thesis.txt`);
    assert.match(file.err, /there is a file of that name/);
    const below = await run(folder, "--out", `${out}/thesis.txt/x`);
    assert.match(below.err, /a part of the path is a file/);
    assert.equal(await Deno.readTextFile(`${out}/thesis.txt`), "years of work");
  },
);

Deno.test("Markdown, code, fences and YAML show a text and do nothing else", () => {
  assert.equal(markdown("a_b _c_ <b>&amp;</b>"), "a_b &#95;c&#95; &lt;b&gt;&amp;amp;&lt;/b&gt;");
  assert.equal(markdown("1 | 2\\|\n`x`: 3"), "1 &#124; 2&#92;&#124;&#92;n&#96;x&#96;: 3");
  assert.equal(markdown("http://a WWW.b [c](d)"), "http&#58;//a WWW&#46;b &#91;c&#93;(d)");
  assert.equal(
    markdown("\u202egnp.exe\u001b[2J"),
    "&#92;u&#123;202e&#125;gnp.exe&#92;u&#123;1b&#125;&#91;2J",
  );
  assert.equal(cell(" "), "(nothing)");
  assert.equal(cell("|".repeat(200)).length, 119 * "&#124;".length + 1); // cut, then escaped
  assert.deepEqual([code("a/b@c:1"), code("a b|`")], ["`a/b@c:1`", "a b&#124;&#96;"]);
  assert.equal(fence("sh", "a ``` b\n````\u202e"), "`````sh\na ``` b\n````\\u{202e}\n`````");
  assert.equal(scalar('a: "b"\n---\u202e'), '"a: \\"b\\"\\\\n---\\\\u{202e}"');
});
