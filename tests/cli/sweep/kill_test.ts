/** A sweep whose process is killed, workers and all, and resumed, beside one that never was. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readIfThere } from "../../../model/files/deno_folder.ts";
import { inTemporary } from "../../_folder.ts";
import { writeSmallModel } from "../../experiment/_model.ts";

// deno task test:sweep makes it 2 x 2 x 3.
const LONG = Deno.env.get("PLAINRL_SWEEP") !== undefined;
const root = fileURLToPath(new URL("../../../", import.meta.url));
const GRID = LONG
  ? ["batchSize=6,12", "learningRate=1e-4,1e-3", "--seed", "1,2,3"]
  : ["batchSize=6,12", "--seed", "1,2"];
const RUNS = LONG ? 12 : 4;
const TABLES = ["metrics.csv", "completions.csv", "evaluations.csv"];

/** The command of the task `train`, with the permissions that it has. */
async function trainIn(place: string): Promise<(args: string[]) => Deno.Command> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const [program, ...words] = tasks.train.command.split(" ");
  assert.equal(program, "deno");
  assert.doesNotMatch(tasks.train.command, /allow-(run|all|net)|-A\b/, "a sweep starts no process");
  const before = words.map((word: string) => word === "cli/bin.ts" ? `${root}cli/bin.ts` : word);
  before.splice(1, 0, "--no-check", `--config=${root}deno.json`);
  const fixed = ["--model", "model", "--device", "cpu", "--steps", "2"];
  return (args) =>
    new Deno.Command(Deno.execPath(), {
      args: [...before, ...args, ...(args.includes("--resume") ? [] : fixed)],
      cwd: place,
      stdout: "piped",
      stderr: "null",
    });
}

const tableOf = async (folder: string): Promise<string> =>
  await readIfThere(`${folder}/sweep.csv`) ?? "";
const finished = (table: string): number => table.split(",finished,").length - 1;

inTemporary(
  `a sweep of ${RUNS} runs that is killed half way ends with the same table`,
  async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const train = await trainIn(place), sweep = ["colors", ...GRID, "--jobs", "2", "--quiet"];
    const whole = await train([...sweep, "--out", "runs/whole"]).output();
    const said = new TextDecoder().decode(whole.stdout);
    assert.equal(whole.code, 0, said);

    const cut = train([...sweep, "--out", "runs/cut"]).spawn();
    const half = RUNS / 2 - (LONG ? 0 : 1);
    let isOver = false;
    const over = cut.output().finally(() => isOver = true);
    while (!isOver && finished(await tableOf(`${place}/runs/cut`)) < half) {
      await new Promise((done) => setTimeout(done, 5));
    }
    cut.kill("SIGKILL");
    await over;
    const left = await tableOf(`${place}/runs/cut`);
    assert.ok(finished(left) < RUNS, "it was over before it was killed");
    const kept = await Deno.stat(
      `${place}/runs/cut/${/^\S+?(?=,.*,finished,)/m.exec(left)![0]}/summary.json`,
    );

    const { code, stdout } = await train(["--resume", "runs/cut", "--json"]).output();
    const { runs } = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
    assert.equal(code, 0, JSON.stringify(runs));
    assert.equal(await tableOf(`${place}/runs/cut`), await tableOf(`${place}/runs/whole`));
    assert.equal(finished(await tableOf(`${place}/runs/cut`)), RUNS);
    for (const { folder } of runs) {
      for (const name of TABLES) {
        const [one, other] = await Promise.all(
          [folder, folder.replace("runs/cut", "runs/whole")].map((run) =>
            Deno.readTextFile(`${place}/${run}/${name}`)
          ),
        );
        assert.equal(one, other, `${name} of ${folder}`);
      }
    }
    const again = await Deno.stat(
      `${place}/runs/cut/${/^\S+?(?=,.*,finished,)/m.exec(left)![0]}/summary.json`,
    );
    assert.deepEqual(again.mtime, kept.mtime, "what was finished is kept");
    const names = await Array.fromAsync(Deno.readDir(`${place}/runs/cut`), ({ name }) => name);
    assert.deepEqual(names.filter((name) => /tmp|lock/.test(name)), []);
  },
);
