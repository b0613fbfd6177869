import assert from "node:assert/strict";
import { run, runWords } from "./_terminal.ts";
import { RunLock } from "../../experiment/folder/lock.ts";
import { isLocked } from "../../experiment/folder/run_state.ts";
import { writeSweep } from "../../experiment/folder/sweep_file.ts";
import { inTemporary } from "../_folder.ts";
import { makeRun } from "./compare/_runs.ts";

const event = { step: 4, time: "2026-11-27T08:00:00Z" };

/** One run in each state, a sweep of two, and what is none. */
async function makeAll(place: string): Promise<void> {
  const at = (minute: number) => `2026-11-27T08:${String(minute).padStart(2, "0")}:00Z`;
  await makeRun(`${place}/old`, { started: at(1), heldout: [0.9, 0.5] });
  await makeRun(`${place}/diverged`, {
    ...{ started: at(2), done: 4, algorithm: "grpo", weights: { exact: 1, semantic: 0.5 } },
    history: [{ ...event, kind: "diverged", cause: "KL is NaN" }],
  });
  await makeRun(`${place}/failed`, {
    ...{ started: at(3), done: 4 },
    history: [{ ...event, kind: "failed", cause: "the device is lost" }],
  });
  await makeRun(`${place}/killed`, { started: at(4), done: 2 });
  await makeRun(`${place}/running`, { started: at(5), done: 3, seed: 7 });
  const cells = ["1-a", "2-b", "3-c"].map((folder) => ({
    ...{ folder, values: {}, words: ["colors", "--seed", folder[0]] },
  }));
  await Deno.mkdir(`${place}/sweep`);
  await writeSweep(`${place}/sweep`, {
    ...{ task: "colors", command: "c", started: at(6), versions: {}, cells },
    axes: [{ name: "seed", values: ["1", "2", "3"] }],
  });
  await makeRun(`${place}/sweep/1-a`, { started: at(6), seed: 1 });
  await makeRun(`${place}/sweep/2-b`, { started: at(7), seed: 2, done: 1 });
  await makeRun(`${place}/results/nested`, { started: at(0) });
  for (const name of ["broken", "model", "cut", "empty", "odd", "table"]) {
    await Deno.mkdir(`${place}/${name}`);
  }
  await Deno.writeTextFile(`${place}/broken/config.json`, '{"task": \n3');
  await Deno.writeTextFile(`${place}/model/config.json`, '{"model_type": "gpt2"}');
  await Deno.writeTextFile(`${place}/cut/sweep.json`, "{");
  await Deno.mkdir(`${place}/odd/config.json`);
  await makeRun(`${place}/table`, { started: at(8) });
  await Deno.writeTextFile(`${place}/table/summary.json`, '{"steps": "many"}');
}

inTemporary(
  "runs are listed with their states, the newest first, and what is broken is a line",
  async (place) => {
    await makeAll(place);
    using _lock = await RunLock.take(`${place}/running`);
    const { code, out, err } = await run(`runs ${place} --json`);
    assert.deepEqual([code, err], [0, ""]);
    type One = { folder: string; kind: string; [name: string]: unknown };
    const all: One[] = JSON.parse(out).runs;
    const name = ({ folder }: One) => folder.slice(place.length + 1);
    assert.deepEqual(
      all.filter(({ kind }) => kind === "run").map((one) => [name(one), one.state, one.done]),
      [
        ["running", "running", 3],
        ["killed", "stopped", 2],
        ["failed", "failed", 4],
        ["diverged", "diverged", 4],
        ["old", "finished", 10],
        ["results/nested", "finished", 10],
      ],
    );
    assert.deepEqual(all.find(({ kind }) => kind === "sweep")!.states, {
      ...{ finished: 1, stopped: 1, waiting: 1 },
    });
    assert.deepEqual(all.filter(({ kind }) => kind === "broken").map(name).sort(), [
      ...["broken", "cut", "odd", "table"],
    ]);
    assert.deepEqual(all.filter(({ kind }) => kind === "model").map(name), ["model"]);
    const old = all.find((one) => name(one) === "old")!;
    assert.deepEqual(old.best, { exact: 0.9, reward: 0.9, step: 0 }, "training made it worse");
    assert.equal(all.find((one) => name(one) === "failed")!.cause, "the device is lost");
  },
);

inTemporary(
  "a list fits into 40 and 80 columns, and into one line a run where there is room",
  async (place) => {
    await Deno.mkdir(`${place}/runs`);
    await makeAll(`${place}/runs`);
    const before = Deno.cwd();
    Deno.chdir(place);
    try {
      for (const columns of [40, 80]) {
        const { out } = await run("runs", columns);
        const wide = out.split("\n").filter((line) => [...line].length > columns);
        assert.deepEqual(wide, [], `at ${columns}`);
        assert.match(out, /runs\/diverged\n {2}diverged {2}colors {2}grpo\s+exact,semantic:0\.5 /);
        assert.match(out, /exact 0\.900 at 0/);
        assert.match(out, /runs\/broken\n {2}broken: /);
      }
      const { out } = await run("runs", 200);
      const old = out.split("\n").find((line) => line.endsWith("runs/old"))!;
      assert.match(old, /finished +colors +ppo +exact +tiny +1 +10 +exact 0\.900 at 0 +runs\/old$/);
      assert.equal((await run("runs state=failed", 200)).out.trimEnd().split("\n").length, 2);
    } finally {
      Deno.chdir(before);
    }
  },
);

inTemporary(
  "filters leave runs by what they are and how they were set, also in sweeps",
  async (place) => {
    await makeAll(place);
    const found = async (filters: string) => {
      const { runs } = JSON.parse((await run(`runs ${place} ${filters} --json`)).out);
      return runs.map(({ folder }: { folder: string }) => folder.slice(place.length + 1)).sort();
    };
    assert.deepEqual(await found("algorithm=grpo"), ["diverged"]);
    assert.deepEqual(await found("seed=2,7"), ["running", "sweep/2-b"]);
    assert.deepEqual(await found("reward=exact,semantic:0.5"), ["diverged"]);
    assert.deepEqual(await found("reward=exact,semantic:0.5|semantic"), ["diverged"]);
    assert.deepEqual(await found("state=failed,diverged learningRate=0.0001"), [
      "diverged",
      "failed",
    ]);
    assert.deepEqual(await found("task=opposites"), []);
    const { code, err } = await run(`runs ${place} learnRate=1`);
    assert.equal(code, 2);
    assert.match(err, /no run has a setting "learnRate"\. Did you mean "learningRate"\?/);
  },
);

inTemporary(
  "folders, globs and sweeps stand for the runs in them; one that is not there is said",
  async (place) => {
    await makeAll(place);
    const found = async (words: string) => {
      const { runs } = JSON.parse((await run(`runs ${words} --json`)).out);
      return runs.map(({ folder }: { folder: string }) => folder.slice(place.length + 1)).sort();
    };
    assert.deepEqual(await found(`${place}/sweep`), ["sweep/1-a", "sweep/2-b"]);
    assert.deepEqual(await found(`${place}/*led ${place}/old/ ${place}/old`), [
      "failed",
      "killed",
      "old",
    ]);
    assert.deepEqual(await found(`${place}/?ld`), ["old"]);
    assert.deepEqual(await found(`${place}/*/nested`), ["results/nested"]);
    for (const word of ["nothing", "nothing*", "[old]"]) {
      const { code, err } = await run(`runs ${place}/${word}`);
      assert.equal(code, 2);
      assert.match(err, /no run folder "/);
    }
  },
);

inTemporary("whether a run is under way is asked without touching it", async (place) => {
  await makeRun(`${place}/a`);
  assert.equal(await isLocked(`${place}/a`), false);
  const lock = await RunLock.take(`${place}/a`);
  assert.equal(await isLocked(`${place}/a`), true);
  lock[Symbol.dispose]();
  await Deno.writeTextFile(`${place}/a/run.lock`, "1 host 2026\n"); // of a process that was killed
  assert.equal(await isLocked(`${place}/a`), false);
  assert.equal(await Deno.readTextFile(`${place}/a/run.lock`), "1 host 2026\n");
});

inTemporary(
  "compare writes page, sheet and tables of what it is told, and names what it passed over",
  async (place) => {
    await makeAll(place);
    const { code, out, err } = await run(
      `compare ${place}/old ${place}/diverged ${place}/sweep ${place}/broken --out ${place}/cmp --json`,
    );
    assert.equal(code, 0, err);
    assert.match(err, /^passed over \S+\/broken: /m);
    const said = JSON.parse(out);
    assert.match(said.notices.join("\n"), /^passed over \S+\/broken: /m);
    assert.deepEqual(said.differing, ["algorithm", "reward"]);
    assert.equal(said.groups.length, 2);
    assert.deepEqual(
      said.groups[0].runs.length,
      1,
      "one seed of three, and one that was cut short",
    );
    const names = (await Array.fromAsync(Deno.readDir(`${place}/cmp`), ({ name }) => name)).sort();
    assert.deepEqual(names, ["compare.csv", "compare.html", "compare.json", "compare.svg"]);
    const { page: _, ...rest } = said;
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${place}/cmp/compare.json`)), rest);
    const again = await run(`compare ${place}/old state=diverged --out ${place}/cmp`);
    assert.equal(again.code, 2);
    assert.match(again.err, /no runs are left to compare/);
    assert.equal((await run("compare")).code, 2);
  },
);

inTemporary(
  "a damaged copy of a finished run is named on page and terminal, and displaces nothing",
  async (place) => {
    const good = await makeRun(`${place}/good`);
    const later = { started: "2026-11-28T08:00:00Z" };
    const damages: Record<string, (text: string) => string> = {
      short: (text) => text.split("\n").slice(0, 5).join("\n") + "\n",
      gone: () => "",
      twice: (text) => text.replace("exact/mean", "other").replace("kl/reference", "score/mean"),
      beyond: (text) => text.replace(",0.5,", ",1.5,"),
    };
    const metrics = {
      "score/mean": (step: number) => step / 10,
      "rewards/exact/mean": () => 0.5,
      "kl/reference": () => 1,
    };
    for (const [name, damage] of Object.entries(damages)) {
      const folder = await makeRun(`${place}/${name}`, { ...later, metrics });
      const path = `${folder}/metrics.csv`;
      await Deno.writeTextFile(path, damage(await Deno.readTextFile(path)));
    }
    const names = Object.keys(damages);
    const all = names.map((name) => `${place}/${name}`).join(" ");
    const { code, out, err } = await run(`compare ${good} ${all} --out ${place}/cmp --json`, 400);
    assert.equal(code, 0, err);
    const { groups, notices } = JSON.parse(out);
    assert.deepEqual(groups.map(({ runs }: { runs: { folder: string }[] }) => runs[0].folder), [
      good,
    ]);
    const page = await Deno.readTextFile(`${place}/cmp/compare.html`);
    for (const name of names) {
      const line = `passed over ${place}/${name}: Cannot read ${place}/${name}/metrics.csv as `;
      assert.ok(notices.some((notice: string) => notice.startsWith(line)), name);
      assert.ok(err.includes(line) && page.includes(line), name);
    }
    const none = await run(`compare ${all} --out ${place}/none`);
    assert.equal(none.code, 2);
    assert.match(none.err, /no runs are left to compare \(.*short: Cannot read .* 10 steps by its/);
  },
);

inTemporary(
  "of a sweep it is said what has not begun, with the line that goes on",
  async (place) => {
    const cells = ["1-a", "2-b"].map((folder) => ({ folder, values: {}, words: ["colors"] }));
    const sweep = {
      ...{ task: "colors", command: "deno task train colors", versions: {}, cells },
      ...{ started: "2026-11-27T08:00:00Z", axes: [{ name: "seed", values: ["1", "2"] }] },
    };
    const folder = `${place}/sweep`;
    await Deno.mkdir(folder);
    await writeSweep(folder, sweep);
    const { code, out, err } = await run(`runs ${folder}`, 200);
    assert.equal(code, 0);
    assert.match(out, /sweep +colors +2 waiting/);
    const next = `deno task train --resume ${folder}`;
    assert.equal(err, `${folder}: it is a sweep of 2 runs, none begun. Begin: ${next}\n`);
    const { runs } = JSON.parse((await run(`runs ${folder} --json`)).out);
    assert.deepEqual(runs.map(({ kind }: { kind: string }) => kind), ["sweep"]);
    const compared = await run(`compare ${folder} --out ${place}/cmp`);
    assert.equal(compared.code, 2);
    assert.match(compared.err, /it is a sweep of 2 runs, none begun\. Begin: deno task train/);
    await makeRun(`${folder}/1-a`);
    const some = await run(`runs ${folder}`, 200);
    assert.match(some.out, /1-a$/m);
    assert.equal(some.err, `1 of 2 runs not begun. Go on: ${next}\n`);
    await makeRun(`${place}/other`);
    assert.equal((await run(`runs ${place}`)).err, "", "in a list its states say so");
    // A study's line writes its page too; one that somebody put there is not shown.
    for (
      const [command, line] of [
        [
          "deno task study imdb --quick --seeds 1,2",
          `study imdb --quick --seeds 1,2 --out ${folder}`,
        ],
        ["deno task study imdb; echo", `train --resume ${folder}`],
      ]
    ) {
      await writeSweep(folder, { ...sweep, command });
      assert.ok((await run(`runs ${folder}`, 200)).err.endsWith(`deno task ${line}\n`), command);
    }
  },
);

inTemporary(
  "a name with line feeds and escapes is one word of one line, wherever it stands",
  async (place) => {
    const odd = "a\nfinished\u001b[2J\rb";
    await Deno.mkdir(`${place}/runs`);
    await makeRun(`${place}/runs/${odd}`, { settings: { note: odd } });
    await makeRun(`${place}/runs/whole`);
    await Deno.mkdir(`${place}/runs/${odd}bad`);
    await Deno.writeTextFile(`${place}/runs/${odd}bad/config.json`, '{"task": \n3');
    const before = Deno.cwd();
    Deno.chdir(place);
    try {
      const lines = [
        ["runs"],
        ["runs", `runs/${odd}`],
        ["runs", `runs/${odd}none`],
        ["compare", "runs"],
        ["compare", `runs/${odd}bad`],
        ["compare", `runs/${odd}none/`],
        ["eval", `runs/${odd}none`],
        ["eval", `runs/${odd}`, "colors"],
        ["train", "--resume", `runs/${odd}`],
        ["generate", "x", "--model", `runs/${odd}`],
        ["export", `runs/${odd}`],
        ["generate", "x", "--model", "./runs"],
      ];
      for (const words of lines) {
        for (const columns of [40, 300]) {
          const { out, err } = await runWords(words, columns);
          // deno-lint-ignore no-control-regex -- they must be gone
          assert.doesNotMatch(out + err, /[\u001b\r]|^finished/m, words.join(" "));
          assert.match(out + err, /a\\nfinished\\u\{1b\}\[2J\\rb/, words.join(" "));
        }
      }
      // What is wrong with it is said whole, though its name has a line of its own.
      const { out } = await runWords(["runs"], 300);
      assert.match(out, /broken: Cannot use .*bad\/config\.json/);
    } finally {
      Deno.chdir(before);
    }
  },
);
