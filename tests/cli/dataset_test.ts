/** A data set from a hub to a trained step, as two processes of the command line. @module */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { readCsv } from "../../base/csv.ts";
import { inTemporary } from "../_folder.ts";
import { datasetFiles, FakeHub } from "../model/hub/_hub.ts";

const ROOT = new URL("../../", import.meta.url);
const fixture = (name: string) =>
  Deno.readFile(new URL(`tests/fixtures/parquet/${name}.parquet`, ROOT));

inTemporary(
  "a data set is fetched by one command, and trained on by another without a network",
  async (folder) => {
    const [train, test] = [await fixture("snappy"), await fixture("held_out")];
    await using hub = new FakeHub(datasetFiles({
      "main/train-00000-of-00001.parquet": train,
      "main/test-00000-of-00001.parquet": test,
    }));
    const env = {
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_CACHE: `${folder}/hub`,
      HF_TOKEN: "",
      HF_HUB_OFFLINE: "",
      TRANSFORMERS_OFFLINE: "",
    };
    const run = async (permissions: string[], ...words: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...[
            "run",
            "--no-prompt",
            "--quiet",
            "--no-check",
            "--allow-read",
            "--allow-env",
            "--allow-sys",
          ],
          ...permissions,
          fileURLToPath(new URL("cli/bin.ts", ROOT)),
          ...words,
        ],
        cwd: folder,
        env,
      }).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      return { code, out, err };
    };
    const words = ["train", "math", "data=openai/gsm8k", "--device", "cpu", "--model", "tiny"];
    const small = [
      "--steps",
      "1",
      "batchSize=8",
      "groupSize=4",
      "--out",
      "runs/a",
      "--skip-players",
      "--json",
    ];

    const early = await run([`--allow-write=${folder}/runs`], ...words, ...small);
    assert.equal(early.code, 1, early.err);
    assert.match(early.err, /This gets it from the hub: deno task fetch --dataset openai\/gsm8k$/m);
    const net = ["--allow-net=127.0.0.1", `--allow-write=${folder}/hub`];
    const unknown = await run(net, "fetch", "--dataset", "openai/gsm8k", "--files", "socratik");
    assert.deepEqual([unknown.code, unknown.out], [1, ""]);
    assert.match(unknown.err, /its configs are main, socratic; .*Did you mean "socratic"\?/);

    const fetched = await run(net, "fetch", "--dataset", "openai/gsm8k", "--json");
    assert.equal(fetched.code, 0, fetched.err);
    const { folder: snapshot, ...facts } = JSON.parse(fetched.out);
    assert.deepEqual(facts, {
      dataset: "openai/gsm8k",
      commit: "0123456789abcdef0123456789abcdef01234567",
      endpoint: hub.endpoint,
      data: "openai/gsm8k",
      config: "main",
      files: [
        { path: "main/train-00000-of-00001.parquet", split: "train" },
        { path: "main/test-00000-of-00001.parquet", split: "heldout" },
      ],
    });
    assert.ok(snapshot.startsWith(`${folder}/hub/datasets--openai--gsm8k/snapshots/`));
    assert.match(fetched.err, /^openai\/gsm8k@main, config main: 2 files of 0\.0 MB: /m);

    const asked = hub.seen.length;
    const trained = await run([`--allow-write=${folder}/runs`], ...words, ...small);
    assert.equal(trained.code, 0, trained.err);
    assert.equal(hub.seen.length, asked);
    const { task, steps } = JSON.parse(trained.out);
    assert.deepEqual([task, steps], ["math", 1]);
    const rows = readCsv(await Deno.readTextFile(`${folder}/runs/a/completions.csv`), {
      file: "completions.csv",
      columns: ["phase", "id", "prompt", "answer"],
    }).map(({ values }) => values);
    const of = (split: string) => rows.filter(({ phase }) => phase === `before:${split}`);
    assert.deepEqual([of("train").length, of("heldout").length], [40, 8]);
    assert.ok(of("train").every(({ id }) => id.startsWith("train-00000-of-00001.parquet row ")));
    assert.deepEqual(of("heldout")[0], {
      phase: "before:heldout",
      id: "test-00000-of-00001.parquet row 1",
      prompt: "Ben has 10 pears and gives 1 away. How many are left?\nAnswer:",
      answer: "9",
    });

    const { dataFiles } = JSON.parse(await Deno.readTextFile(`${folder}/runs/a/config.json`));
    const commit = "0123456789abcdef0123456789abcdef01234567", set = "openai/gsm8k";
    const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    assert.deepEqual(dataFiles, [
      ...[["train", train] as const, ["test", test] as const].map(([split, bytes]) => ({
        name: `${set}/main/${split}-00000-of-00001.parquet`,
        ...{ sha256: sum(bytes), set, commit },
      })),
    ]);
    // The data set has a later commit by now: the run keeps to its own, and names it where it is gone.
    const home = `${folder}/hub/datasets--openai--gsm8k`, later = "f".repeat(40);
    await Deno.writeTextFile(`${home}/refs/main`, later);
    await Deno.mkdir(`${home}/snapshots/${later}/main`, { recursive: true });
    await Deno.writeFile(`${home}/snapshots/${later}/main/train-00000-of-00001.parquet`, test);
    const resume = ["train", "--resume", "runs/a", "--steps", "2", "--quiet"];
    const resumed = await run([`--allow-write=${folder}/runs`], ...resume);
    assert.equal(resumed.code, 0, resumed.err);
    await Deno.rename(`${home}/snapshots/${commit}`, `${home}/gone`);
    resume[4] = "3";
    const gone = await run([`--allow-write=${folder}/runs`], ...resume);
    assert.equal(gone.code, 1);
    assert.match(
      gone.err,
      new RegExp(
        `This gets it from the hub: deno task fetch --dataset openai/gsm8k@${commit}$`,
        "m",
      ),
    );
  },
);
