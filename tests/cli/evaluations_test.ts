/** `train --evaluate-every` and `--patience`: what is said, drawn and kept, and how such a run goes on. @module */
import assert from "node:assert/strict";
import { Progress } from "../../cli/progress.ts";
import { findings } from "../../cli/report/report_words.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary } from "../_folder.ts";
import { writeSmallModel } from "../experiment/_model.ts";
import { run } from "./_terminal.ts";

inTemporary(
  "a run that gets no better ends early, says so, and goes on when asked",
  async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const folder = `${place}/run`, small = "epochs=1 minibatches=1 batchSize=6";
    const still = `${small} learningRate=1e-30 --steps 9 --evaluate-every 1 --patience 2`;
    const model = `--model ${place}/model --device cpu --seed 2`;
    const { code, out, err } = await run(`train colors ${model} ${still} --out ${folder}`);
    assert.equal(code, 0, err);
    assert.match(err, /^ {5}1 held-out exact 0, reward -?[\d.e-]+$/m);
    assert.match(
      out,
      /^ended early, at step 2: 2 evaluations were no better than that of step 0$/m,
    );
    assert.ok(out.replaceAll("\n", " ").includes(`its checkpoint is ${folder}@best`));
    const data = await readRun(folder);
    assert.deepEqual([data.summary!.steps, data.summary!.stoppedAfter], [2, 2]);
    assert.match(data.config.command, / --evaluate-every 1 --patience 2 /);
    assert.deepEqual(findings(data).slice(-2).map((words) => words.slice(0, 40)), [
      "Held-out answers were best after step 0:",
      "The run ended early, as the last evaluat",
    ]);
    const page = await Deno.readTextFile(`${folder}/report.html`);
    for (const title of ["Exact answers to held-out", "Reward on held-out prompts"]) {
      assert.ok(page.includes(title), title);
      assert.ok((await Deno.readTextFile(`${folder}/curves.svg`)).includes(title), title);
    }

    for (const words of ["", "--steps 20", "--patience 1", "--patience 2 --steps 20"]) {
      const again = await run(`train --resume ${folder} ${words}`.trim());
      assert.equal(again.code, 2, words);
      assert.match(again.err, /with the same patience as it ended early, at step 2: its last 2 ev/);
    }
    const more = await run(`train --resume ${folder} --patience 3`);
    assert.equal(more.code, 0, more.err);
    assert.match(more.err, /from there on with --patience 3$/m);
    assert.equal((await readRun(folder)).summary!.steps, 3);
    const rest = await run(`train --resume ${folder} --patience 0 --evaluate-every 4 --steps 6`);
    assert.equal(rest.code, 0, rest.err);
    const { summary, evaluations, config } = await readRun(folder);
    assert.deepEqual([summary!.steps, config.steps, summary!.best!.step], [6, 6, 0]);
    assert.ok(!("stoppedAfter" in summary!));
    assert.deepEqual(
      evaluations!.filter(({ phase }) => phase === "during").map(({ step }) => step),
      [1, 2, 3, 4],
    );
    assert.ok((await checkpointSteps(folder)).includes(0), "the best is kept, however old");
    const wanted = await run(`generate --model ${folder}@best --device cpu --tokens 1 --json blue`);
    assert.ok(wanted.out.includes(`checkpoints/step-0`), wanted.err);
  },
);

Deno.test("held-out answers on the way fit into a narrow terminal", () => {
  for (const columns of [40, 80]) {
    const lines: string[] = [], nothing = () => {};
    const err = (line: string) => void lines.push(line);
    const terminal = { out: nothing, write: nothing, err, fancy: false, columns };
    const progress = new Progress(terminal, () => "runs/x");
    const report = { step: 1000, exact: 17 / 18, reward: -0.123456, tokens: 2, isBest: true };
    progress.evaluation({ phase: "during", split: "heldout" }, [], report);
    progress.evaluation({ phase: "during", split: "heldout" }, [], { ...report, isBest: false });
    progress.evaluation({ phase: "after", split: "heldout" }, [], report);
    assert.ok(lines.every((line) => line.length <= columns), lines.join("\n"));
    assert.ok(lines[0].startsWith("  1000 held-out exact 0.9444"), lines[0]);
    assert.equal(lines.join(" ").match(/the best so far/g)?.length, 1);
  }
});
