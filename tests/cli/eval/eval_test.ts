/** `deno task eval` from the command line: what it prints, writes, refuses, and leaves when it is stopped. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { evalCommand } from "../../../cli/commands/eval.ts";
import { command } from "../../../cli/commands/eval.ts";
import { main } from "../../../cli/main.ts";
import type { EvalSummary } from "../../../experiment/eval/eval.ts";
import { readCsv } from "../../../experiment/folder/csv.ts";
import { listFolder } from "../../../experiment/folder/files.ts";
import { inTemporary } from "../../_folder.ts";
import { writeSmallModel } from "../../experiment/_model.ts";
import { run } from "../_terminal.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A run of one step on colors with a random model; gives its folder. */
async function train(place: string, words = ""): Promise<string> {
  await Deno.mkdir(`${place}/model`, { recursive: true });
  await writeSmallModel(`${place}/model`);
  const small = "--device cpu --seed 2 --steps 2 --save-every 1 batchSize=6 epochs=1 minibatches=1";
  const line = `train colors --model ${place}/model ${small} --skip-players --out ${place}/run`;
  const { code, err } = await run(`${line} ${words}`.trim());
  assert.equal(code, 0, err);
  return `${place}/run`;
}

inTemporary("a run is compared, told at 40 and 80 columns, and written whole", async (place) => {
  const folder = await train(place), out = `${place}/evals/e`;
  const words = `eval ${folder} --samples 2 --device cpu`;
  const { code, out: said, err } = await run(`${words} --out ${out} --json`, 80);
  assert.equal(code, 0, err);
  const { folder: told, table, ...summary } = JSON.parse(said) as EvalSummary & {
    folder: string;
    table: string;
  };
  assert.deepEqual([told, table], [out, `${out}/eval_results.csv`]);
  assert.deepEqual(summary, JSON.parse(await Deno.readTextFile(`${out}/summary.json`)));
  assert.deepEqual([summary.task, summary.prompts, summary.tuned.run!.step], ["colors", 18, 2]);
  assert.deepEqual(await listFolder(`${place}/evals`), ["e"]);
  const [header, ...rows] = readCsv(await Deno.readTextFile(table));
  assert.equal(rows.length, 18 * 3);
  const column = (name: string) => rows.map((cells) => cells[header.indexOf(name)]);
  assert.deepEqual([...new Set(column("draw"))], ["greedy", "1", "2"]);
  const mean = column("tuned_reward").slice(0, 18).reduce((sum, x) => sum + Number(x), 0) / 18;
  assert.ok(Math.abs(mean - summary.greedy.reward.tuned.mean) < 1e-12);
  assert.match(
    err.replaceAll("\n", " "),
    / tuned: \S*run, step 2 of 2 \(its last\); base: \S*model; 18 held-out prompts of colors reward: semantic /,
  );
  assert.match(err, /^ +base +tuned +difference$/m);
  assert.match(err, /54 of 108 answers\n[^]*108 of 108 answers/);

  const narrow = await run(`${words} --step 1 --out ${place}/evals/f --quiet`, 40);
  assert.equal(narrow.code, 0, narrow.err);
  assert.equal(narrow.err, "");
  for (const line of narrow.out.split("\n")) {
    assert.ok([...line].length <= 40 || line.includes(place), line);
  }
  assert.match(narrow.out, /^perplexity\n {2}base +[\d.]+ \[.*\]\n {2}tuned .*\n {2}diff .*$/m);
  assert.ok(
    narrow.out.endsWith(`${place}/evals/f/eval_results.csv\n${place}/evals/f/summary.json\n`),
  );

  const again = await run(`${words} --out ${out}`);
  assert.equal(again.code, 2);
  assert.match(again.err, /e as it is not empty\. Choose another folder with --out/);
  for (
    const [line, message] of [
      [`eval ${folder} colors semanticPowr=2`, /unknown setting semanticPowr\. Did you mean sem/],
      [`eval ${folder} colors level=2`, /Cannot set level as it is a setting of the task math/],
      [`eval ${folder} --step 7`, /no checkpoint of step 7 in .*run\. {2}Steps: 0, 1, 2/],
      [`eval ${folder} --base ${place}/none`, /no run or model/],
      [`eval ${folder} --reward exat`, /Cannot find the reward "exat"/],
      [`eval ${folder}@best`, /the best checkpoint of .* this one did not/],
    ] as const
  ) {
    const refused = await run(`${line} --out ${place}/evals/g`);
    assert.equal(refused.code, 2, refused.err);
    assert.match(refused.err, message);
  }
  assert.deepEqual(await listFolder(`${place}/evals`), ["e", "f"]);
});

/** Another byte in the middle of a file. */
async function flip(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length >> 1] ^= 1;
  await Deno.writeFile(path, bytes);
}

inTemporary("a checkpoint that is not what the run saved is used by nothing", async (place) => {
  const folder = await train(place), steps = `${folder}/checkpoints`;
  const words = `eval ${folder} --samples 0 --prompts 2 --device cpu --quiet --out ${place}`;
  await Deno.remove(`${steps}/step-2/optimizer.safetensors`); // which nobody needs who only asks
  await Deno.remove(`${steps}/step-2/trainer.json`);
  const sound = await run(`${words}/a`);
  assert.equal(sound.code, 0, sound.err);
  await flip(`${steps}/step-2/model.safetensors`);
  const why =
    "as model.safetensors does not hold what was written: its hash differs. Put the file " +
    `back as it was, or name another checkpoint of the run: ${steps}/step-0, ${steps}/step-1`;
  const small = "--device cpu --quiet --skip-players --steps 1 batchSize=6";
  const uses: [line: string, action: string][] = [
    [`${words}/b`, "evaluate"],
    [`${words.replace(folder, `${steps}/step-2`)}/b`, "evaluate"],
    [`eval ${folder} --step 1 --base ${folder} --device cpu --out ${place}/b`, "compare with"],
    [`eval tiny colors --base ${folder} --device cpu --out ${place}/b`, "compare with"],
    [`export ${folder} --out ${place}/b`, "export"],
    [`generate x --model ${folder} --device cpu`, "complete with"],
    [`train colors --model ${folder} --out ${place}/b ${small}`, "start from"],
  ];
  for (const [line, action] of uses) {
    const { code, err } = await run(line, 1000);
    assert.equal(code, 1, line);
    assert.ok(err.includes(`Cannot ${action} ${steps}/step-2 ${why}\n`), `${line}: ${err}`);
  }
  await Deno.remove(`${place}/b`, { recursive: true }).catch(() => {});
  const other = await run(`${words}/b --step 1`);
  assert.equal(other.code, 0, other.err);
  const config = `${folder}/config.json`, text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace('"seed": 2', '"seed": 3'));
  const edited = await run(`${words}/c --step 1`, 1000);
  assert.equal(edited.code, 1);
  assert.match(
    edited.err,
    /Cannot evaluate \S+step-1 as the run's config\.json is not of it: the seed/,
  );
});

inTemporary("how a run ended is told with the figures of its checkpoint", async (place) => {
  const folder = await train(place);
  await Deno.remove(`${folder}/summary.json`);
  const event = { step: 2, time: "2026-11-27T08:00:00Z", kind: "diverged" };
  const history = [{ ...event, cause: "KL is NaN.", from: 1 }];
  await Deno.writeTextFile(`${folder}/history.json`, JSON.stringify(history));
  const words = `eval ${folder} --samples 0 --prompts 2 --device cpu --quiet --out ${place}`;
  const last = await run(`${words}/a`, 300);
  assert.equal(last.code, 0, last.err);
  assert.match(last.out, /^tuned: \S+run, step 2 of 2 \(its last\); base: /);
  assert.match(
    last.out,
    /\n\S+run diverged \(KL is NaN\): step 2 may be from after it went astray, the last that is good is step 1\.\n/,
  );
  const { tuned } = JSON.parse(await Deno.readTextFile(`${place}/a/summary.json`));
  assert.deepEqual(tuned.run, {
    ...{ folder, step: 2, which: "last", state: "diverged", of: 2, cause: "KL is NaN.", good: 1 },
  });
  const good = await run(`${words}/b --step 1`, 300);
  assert.match(good.out, /run diverged \(KL is NaN\): step 1 is from before it went astray\./);
  const base = await run(
    `eval tiny colors --base ${folder} --samples 0 --prompts 2 --device cpu --out ${place}/c`,
    300,
  );
  assert.match(
    base.out,
    /; base: \S+run, step 2 of 2 \(its last\); [^]*run diverged \(KL is NaN\)/,
  );
});

inTemporary("a task in a file, and a model that is no run", async (place) => {
  await writeSmallModel(`${place}/a`, 96, 3);
  await writeSmallModel(`${place}/b`, 96, 4);
  await Deno.writeTextFile(`${place}/p.csv`, "prompt,answer\nsky,blue\ngrass,green\nsnow,white\n");
  await Deno.writeTextFile(`${place}/short.ts`, "export default (text: string) => -text.length;");
  const words = `eval ${place}/a ${place}/p.csv --base ${place}/b --device cpu --samples 0 --json`;
  const { code, out, err } = await run(
    `${words} --reward ${place}/short.ts --split train --prompts 2 maxNewTokens=3 --out ${place}/e`,
  );
  assert.equal(code, 0, err);
  const { weights, prompts, of, maxNewTokens, sampled, greedy } = JSON.parse(out);
  assert.deepEqual([weights, maxNewTokens, sampled], [{ short: 1 }, 3, undefined]);
  assert.ok(prompts === 2 && of >= 2, `${prompts} of ${of}`);
  assert.ok(greedy.reward.tuned.mean <= 0);
  assert.match(err, /2 of \d training prompts of p|2 training prompts of p/);
});

inTemporary("deno task eval writes inside evals and nowhere else", async (place) => {
  const folder = await train(place);
  await Deno.rename(folder, `${place}/first`);
  const { tasks: { eval: { command } } } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const line = command.replace("cli/bin.ts", `${ROOT}cli/bin.ts`)
    .replace("--no-prompt", `--no-prompt --config=${ROOT}deno.json`);
  const start = async (words: string) => {
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `${line} ${words} --device cpu --samples 1 --quiet`],
      cwd: place,
      env: { NO_COLOR: "1" },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out, err };
  };
  const outside = await start(`first --out ${place}/elsewhere`);
  assert.equal(outside.code, 1);
  assert.match(
    outside.err,
    /elsewhere as this command may write only inside evals\. Name a folder/,
  );
  const judge = "judgeServer=http://127.0.0.1:9/v1 judgeModel=m";
  const alone = await start(`first --reward judge_soft ${judge}`);
  assert.equal(alone.code, 2);
  assert.match(
    alone.err,
    /In place of "deno task eval", .*: PLAINRL_HOST=127\.0\.0\.1:9 deno task eval:net$/m,
  );
  const { code, out, err } = await start("first --json");
  assert.equal(code, 0, err);
  const { folder: written } = JSON.parse(out.trim().split("\n").at(-1)!);
  assert.match(written, /^evals\/first-colors-\d{4}-\d\d-\d\d-\d{6}$/);
  assert.deepEqual(await listFolder(`${place}/${written}`), ["eval_results.csv", "summary.json"]);
  assert.deepEqual(await listFolder(place), ["evals", "first", "model"]);
});

Deno.test("stopped, it leaves nothing, says so, and ends with 130", async () => {
  const out: string[] = [], err: string[] = [];
  const terminal = {
    out: (line: string) => out.push(line),
    write: (text: string) => out.push(text),
    err: (line: string) => err.push(line),
    fancy: false,
    columns: 80,
  };
  const stopped: typeof command = {
    spec: command.spec,
    run: (parsed, terminal) =>
      evalCommand(
        parsed as Parameters<typeof evalCommand>[0],
        terminal,
        async (_request, { signal, progress }) => {
          progress!(1, 10);
          Deno.kill(Deno.pid, "SIGTERM");
          while (!signal!.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
          throw signal!.reason;
        },
      ),
  };
  const words = ["eval", "tiny", "colors", "--json"];
  assert.equal(await main(words, { commands: [stopped], terminal }), 130);
  assert.deepEqual(err.slice(-2), [
    "stopping after this batch; once more to stop at once",
    "stopped; nothing was written",
  ]);
  assert.deepEqual(out, ['{"error":{"code":130,"message":"interrupted"}}']);
});
