import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ECHO_MS } from "../../cli/interrupt.ts";
import { listFolder } from "../../experiment/folder/files.ts";
import { inTemporary } from "../_folder.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the command line with made-up commands in an empty folder, as a task would. */
async function command(
  place: string,
  line: string,
  { interrupt = 0, apart = 1 }: {
    /** So often is it sent SIGINT, once the first log line is out. */
    interrupt?: number;
    /** Milliseconds between them. */
    apart?: number;
  } = {},
): Promise<{ code: number; out: string; err: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      `--config=${root}deno.json`,
      "--allow-read",
      "--allow-write=runs,exports",
      `${root}tests/cli/_fake.ts`,
      ...line.split(" ").filter((word) => word !== ""),
    ],
    cwd: place,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const read = async (stream: ReadableStream<Uint8Array>, watch: boolean) => {
    let text = "", sent = 0;
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      while (watch && sent < interrupt && / {5}[1-9]/.test(text)) {
        child.kill("SIGINT");
        sent++;
        if (sent < interrupt) await new Promise((done) => setTimeout(done, apart));
      }
    }
    return text;
  };
  const [out, err, { code }] = await Promise.all([
    read(child.stdout, false),
    read(child.stderr, true),
    child.status,
  ]);
  return { code, out, err };
}

inTemporary("a finished run exits 0, and its last line of output is the summary", async (place) => {
  const { code, out } = await command(place, "train colors --steps 3 --json");
  assert.equal(code, 0);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, 1); // all words go to standard error
  const summary = JSON.parse(lines[0]);
  assert.deepEqual(Object.keys(summary), [
    "task",
    "algorithm",
    "rewards",
    "model",
    "seed",
    "steps",
    "device",
    "seconds",
    "tokensPerSecond",
    "train",
    "heldout",
    "folder",
    "report",
    "weights",
  ]);
  const [run] = await listFolder(`${place}/runs`);
  assert.match(run, /^colors-ppo-1-\d{4}-\d\d-\d\d-\d{6}$/);
  const { folder, report, weights, ...rest } = summary;
  assert.deepEqual(JSON.parse(await Deno.readTextFile(`${place}/${folder}/summary.json`)), rest);
  assert.deepEqual([folder, report, weights], [
    `runs/${run}`,
    `runs/${run}/report.html`,
    `runs/${run}/checkpoints/step-3`,
  ]);
  for (const path of [report, `${weights}/model.safetensors`]) {
    assert.ok((await Deno.stat(`${place}/${path}`)).isFile);
  }
});

inTemporary("the same seed twice gives the same metrics, byte for byte", async (place) => {
  for (const name of ["a", "b"]) {
    const { code } = await command(place, `train colors --steps 4 --quiet --out runs/${name}`);
    assert.equal(code, 0);
  }
  const read = (name: string, file: string) => Deno.readTextFile(`${place}/runs/${name}/${file}`);
  for (const file of ["metrics.csv", "completions.csv", "curves.svg"]) {
    assert.equal(await read("a", file), await read("b", file), file);
  }
});

inTemporary(
  "progress and closing table are plain ASCII lines where nobody watches",
  async (place) => {
    const { out, err } = await command(place, "train hostile --steps 4");
    // completions keep their own letters; everything else is ASCII
    const plain = /^[\x20-\x7e\n＝]*$/;
    assert.match(out, plain);
    assert.match(err, plain);
    assert.match(err, /^ {2}step {3}reward +KL +entropy +clipped +tok\/s +left$/m);
    assert.match(err, /^ {5}4 /m);
    assert.match(out, /^held-out +0\.100 +0\.600 +0\.200 +0\.700$/m);
    assert.match(out, /^report {2}runs\/hostile-ppo-1-.*\/report\.html$/m);
  },
);

inTemporary("wrong usage exits 2 with one short line", async (place) => {
  for (
    const [line, said] of [
      ["train colrs", /^error: no task "colrs"\. Did you mean "colors"\? {2}Tasks: colors, /],
      ["train colors clipLo=1", /^error: unknown setting clipLo\. Did you mean clipLow=/],
      ["train colors --resume", /^error: Cannot|^error: no unfinished run/],
      ["train --resume runs/none", /^error: no run folder "runs\/none"/],
      ["", /^Usage: deno task/],
    ] as const
  ) {
    const { code, out, err } = await command(place, line);
    assert.equal(code, 2, line);
    assert.equal(out, "");
    assert.match(err, said);
    if (line !== "") assert.equal(err.trimEnd().split("\n").length, 1, err);
  }
  assert.deepEqual(await listFolder(place), []);
});

inTemporary(
  "a failure exits 1 without a stack; --debug shows it; escapes do not reach the terminal",
  async (place) => {
    const { code, err } = await command(place, "train broken");
    assert.equal(code, 1);
    assert.equal(err, "error: the model is broken\\u{1b}[2J\n(--debug shows where)\n");
    const { err: more } = await command(place, "train broken --debug");
    assert.match(more, /_fake\.ts:\d+/);
  },
);

inTemporary("a run that fails says with --json where it lies and what is saved", async (place) => {
  const { code, out } = await command(place, "train late --save-every 1 --out runs/a --json");
  assert.equal(code, 1);
  assert.deepEqual(JSON.parse(out), {
    error: { code: 1, message: "the device is lost" },
    folder: "runs/a",
    report: "runs/a/report.html",
    weights: "runs/a/checkpoints/step-2",
  });
  const early = await command(place, "train broken --out runs/b --json");
  assert.deepEqual(JSON.parse(early.out), {
    error: { code: 1, message: "the model is broken\\u{1b}[2J" },
  });
});

inTemporary(
  "a folder that may not be written is named, with the permission that it needs",
  async (place) => {
    const { code, err } = await command(place, `train colors --out ${place}/elsewhere`);
    assert.equal(code, 1);
    assert.match(
      err,
      /elsewhere as this command may write only inside runs\. Name a folder inside runs \(.*or allow the other one: deno run --allow-read --allow-env=XDG_RUNTIME_DIR,HOME --allow-write=runs,/,
    );
  },
);

inTemporary(
  "Ctrl-C saves, exits 130 and prints the line that resumes; the rest is as if uncut",
  async (place) => {
    const cut = await command(place, "train slow --steps 30 --out runs/cut", { interrupt: 3 });
    assert.equal(cut.code, 130);
    assert.match(cut.err, /stopping after this step/);
    const [, line] = /Continue: {2}deno task (train --resume runs\/cut)\n/.exec(cut.err)!;
    assert.ok((await listFolder(`${place}/runs/cut`)).includes("report.html"));
    const resumed = await command(place, `${line} --quiet`);
    assert.equal(resumed.code, 0, resumed.err);
    await command(place, "train slow --steps 30 --out runs/whole --quiet");
    const read = (name: string, file: string) => Deno.readTextFile(`${place}/runs/${name}/${file}`);
    for (const file of ["metrics.csv", "completions.csv", "summary.json"]) {
      assert.equal(await read("cut", file), await read("whole", file), file);
    }
    const again = await command(place, line);
    assert.equal(again.code, 2);
    assert.match(again.err, /Cannot resume runs\/cut as the run is finished/);
    const changed = await command(place, `${line} --seed 2 clipLow=0.1`);
    assert.equal(changed.code, 2);
    assert.match(changed.err, /Cannot change --seed, clipLow on --resume/);
  },
);

inTemporary(
  "without a folder, --resume takes the newest unfinished run of the task",
  async (place) => {
    await command(place, "train slow --steps 400 --out runs/slow-old", { interrupt: 1 });
    await command(place, "train slow --steps 4 --out runs/slow-done --quiet");
    const stale = await command(place, "train colors --resume");
    assert.equal(stale.code, 2);
    const { code, out, err } = await command(place, "train slow --resume --json", { interrupt: 1 });
    assert.equal(code, 130);
    const { error, folder, report, weights } = JSON.parse(out);
    assert.equal(error.code, 130);
    assert.match(error.message, /^stopped at step \d+, saved$/);
    assert.deepEqual([folder, report], ["runs/slow-old", "runs/slow-old/report.html"]);
    assert.match(weights, /^runs\/slow-old\/checkpoints\/step-\d+$/);
    assert.match(err, /Continue: {2}deno task train --resume runs\/slow-old/);
  },
);

inTemporary("a second Ctrl-C ends at once", async (place) => {
  const { code, err } = await command(place, "train stuck --steps 400", {
    interrupt: 2,
    apart: 3 * ECHO_MS, // it needs a turn after ECHO_MS
  });
  assert.equal(code, 130);
  assert.match(err, /stopping after this step/);
  assert.doesNotMatch(err, /Continue/);
});

inTemporary("--list, generate and pretrain print what they are given", async (place) => {
  const list = await command(place, "train --list");
  assert.match(list.out, /^tasks:\n {2}colors +colors task\n +--model tiny /);
  const json = await command(place, "train --list --json");
  assert.equal(JSON.parse(json.out).algorithms[0].name, "ppo");
  const text = await command(place, "generate red --samples 2 --temperature 1");
  assert.equal(text.out, "red purple\\u{1b}[31m 0\nred purple\\u{1b}[31m 1\n");
  const streamed = await command(place, "generate red");
  assert.equal(streamed.out, "red purple\\u{1b}[31m \n0\n");
  const odd = await command(place, "generate red --top-p 0.9");
  assert.equal(odd.code, 2);
  assert.match(
    odd.err,
    /^error: Cannot use --top-p as nothing is drawn: --temperature is 0; set it/,
  );
  for (const line of ["--samples 3", "--samples 3 --json"]) {
    const same = await command(place, `generate red ${line}`);
    assert.equal(same.code, 2);
    assert.doesNotMatch(same.out, /purple/);
    assert.match(
      same.err,
      /^error: Cannot use --samples 3 as nothing is drawn: --temperature is 0;/,
    );
  }
  const full = await command(
    place,
    "generate red --json --temperature 1 --top-k 5 --top-p 0.9 --min-p 0.1 --repetition-penalty 1.2 --stop .",
  );
  const { topK, topP, minP, repetitionPenalty, stop } = JSON.parse(full.out);
  assert.deepEqual([topK, topP, minP, repetitionPenalty, stop], [5, 0.9, 0.1, 1.2, "."]);
  const texts = await command(place, "generate red --json");
  assert.deepEqual(JSON.parse(texts.out).completions, [" purple\u001b[31m 0"]);
  const made = await command(place, "pretrain --steps 3 --json");
  const { folder, weights, lastLoss } = JSON.parse(made.out);
  assert.deepEqual([folder, weights, lastLoss], ["runs/tiny", "runs/tiny", 5 / 3]);
  const rows = await command(place, "pretrain --steps 3");
  assert.match(rows.out, /^folder +runs\/tiny\n/);
  assert.match(rows.out, /^last loss +1\.667 nats per token\nmean of last 3 +3\.000 nats/m);
  assert.doesNotMatch(rows.out, /^ +all/m);
  assert.match(rows.out, /^time +0:02 with corpus and evaluation$/m);
  const second = await command(place, "pretrain --recipe small --steps 3");
  assert.match(second.out, /^folder +runs\/small\n/);
  assert.match(
    second.out,
    /^held-out loss +4\.000 nats per token, after update 3\n +colors +2\.000 nats per token\n +moods +6/m,
  );
  const cut = await command(place, "pretrain --steps 900 --seed 4", { interrupt: 1 });
  assert.equal(cut.code, 130);
  assert.match(cut.err, /Continue: {2}deno task pretrain --resume --steps 900 --seed 4\n/);
});

inTemporary("fetch says which files come, and at the end what came from where", async (place) => {
  const { code, out, err } = await command(place, "fetch someone/small");
  assert.equal(code, 0);
  assert.equal(out, "someone/small from https://hub.test\n");
  assert.equal(err, "asking https://hub.test for someone/small\nmodel.safetensors, 3.0 MB\n");
  const json = await command(place, "fetch someone/small --json --quiet");
  assert.equal(json.err, "");
  assert.equal(JSON.parse(json.out).commit, "c".repeat(40));
  assert.equal(JSON.parse(json.out).model, "someone/small");
  const data = await command(place, "fetch --dataset someone/sums --files main --json --quiet");
  const { dataset, files, model } = JSON.parse(data.out);
  assert.deepEqual([dataset, files, model], ["someone/sums", "main", undefined]);
  const lost = await command(place, "fetch someone/small --files main");
  assert.equal(lost.code, 2);
  assert.match(lost.err, /--files is of a data set: add --dataset, or leave it out/);
  const wrong = await command(place, "fetch small");
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /Cannot fetch "small" as a model of the hub is owner\/name/);
  const bare = await command(place, "fetch");
  assert.equal(bare.code, 2);
  assert.match(bare.err, /fetch needs <name>\. {2}Example: deno task fetch openai-community/);
});

inTemporary("--plan prints a table, says what fits, and writes nothing", async (place) => {
  const fits = await command(place, "train colors --plan");
  assert.equal(fits.code, 0);
  assert.deepEqual(fits.out.split("\n"), [
    "colors, tiny, fake processor (cpu, software)",
    "48 completions of 20 + 2 tokens, 48 rows per pass",
    "",
    "MiB          policy   total",
    "weights      1024.0  1024.0",
    "gradients         -       -",
    "moments           -       -",
    "activations       -       -",
    "logits            -       -",
    "cache           1.5     1.5",
    "other           0.0     0.0",
    "together     1025.5  1025.5",
    "",
    "1.00 GiB; what the device has is not known (--memory GIB states it)",
    "",
  ]);
  const large = await command(place, "train colors --plan --memory 2");
  assert.match(large.out, /\n1\.00 GiB of 2\.00 GiB: it fits\n$/);
  const small = await command(place, "train colors --plan --memory 0.5");
  assert.equal(small.code, 1);
  assert.match(
    small.out,
    /\n1\.00 GiB of 512\.0 MiB: it does not fit\nit fits with one of these:\n {2}microbatchRows=4 {2}512\.0 MiB\n$/,
  );
  const json = await command(place, "train colors --plan --json --memory 0.5");
  assert.equal(json.code, 1);
  const { fits: fit, total, suggestions } = JSON.parse(json.out);
  assert.deepEqual(
    [fit, total, suggestions],
    [false, 1075315712, [{ settings: { microbatchRows: 4 }, bytes: 2 ** 29 }]],
  );
  assert.equal((await command(place, "train colors --plan --memory 0")).code, 2);
  await Deno.mkdir(`${place}/elsewhere`);
  await Deno.writeTextFile(`${place}/elsewhere/mine.txt`, "");
  for (
    const [words, message] of [
      [`--out ${place}/elsewhere`, /as this command may write only inside runs/],
      ["--out runs/a serverCache=runs/a/answers.jsonl", /must lie elsewhere .*: runs\/a\/answers/],
    ] as const
  ) {
    const [plan, run] = await Promise.all(
      ["--plan", ""].map((plan) => command(place, `train colors ${words} ${plan}`)),
    );
    assert.match(plan.err, message);
    assert.deepEqual([plan.code, plan.err], [run.code, run.err], "a run refuses the same");
  }
  assert.deepEqual(await listFolder(`${place}/runs`), []);
});

inTemporary(
  "--memory is kept with the run, and may be changed when it continues",
  async (place) => {
    const line = "train slow --steps 300 --save-every 5 --out runs/a --memory 3";
    assert.equal((await command(place, line, { interrupt: 1 })).code, 130);
    const config = JSON.parse(await Deno.readTextFile(`${place}/runs/a/config.json`));
    assert.equal(config.request.memory, 3);
    assert.match(config.command, / --memory 3$/);
    const again = await command(place, "train --resume runs/a --memory 4", { interrupt: 1 });
    assert.equal(again.code, 130, again.err);
  },
);

inTemporary("export writes below exports, by the run's name, and nowhere else", async (place) => {
  await command(place, "train colors --steps 2 --save-every 1 --out runs/first --quiet");
  const { code, out, err } = await command(place, "export runs/first");
  assert.equal(code, 0, err);
  assert.equal(err, "");
  assert.match(
    out,
    /^from +runs\/first, step 2\nweights +1,234 in F32, 0\.1 MB\nfolder +exports\/first\n/,
  );
  assert.deepEqual(await listFolder(`${place}/exports/first`), [
    "README.md",
    "model.safetensors",
    "plainrl.json",
  ]);
  const earlier = await command(place, "export runs/first/checkpoints/step-1 --dtype f16 --json");
  const { folder, step, dtype } = JSON.parse(earlier.out);
  assert.deepEqual([folder, step, dtype], ["exports/first-step-1", 1, "F16"]);
  const outside = await command(place, `export tiny --out ${place}/elsewhere`);
  assert.equal(outside.code, 1);
  assert.match(
    outside.err,
    /elsewhere as this command may write only inside exports\. Name a folder inside exports, or .*: deno run .*--allow-write=exports,/,
  );
  const bare = await command(place, "export");
  assert.match(bare.err, /^error: export needs <run\|model>\./);
  assert.deepEqual(await listFolder(place), ["exports", "runs"]);
});
