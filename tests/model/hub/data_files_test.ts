import assert from "node:assert/strict";
import { readCard } from "../../../model/hub/data_card.ts";
import { chooseFiles, missingShard } from "../../../model/hub/data_files.ts";
import { HubError } from "../../../model/hub/errors.ts";

const name = "someone/data";
const head = (yaml: string) => `---\n${yaml}\n---\ntext`;

/** What is chosen: `train: a b | heldout: c`, or the bare paths; then config and what is left out. */
async function chosen(paths: string[], yaml = "", which?: string): Promise<string> {
  const card = await readCard(head(yaml));
  const { files, config, several, left } = chooseFiles(paths, { name, card, which });
  const of = (split?: string) => files.filter((one) => one.split === split).map(({ path }) => path);
  const parts = [...of(), of("train").length > 0 ? `train: ${of("train").join(" ")}` : ""].concat(
    of("heldout").length > 0 ? `heldout: ${of("heldout").join(" ")}` : "",
  ).filter((part) => part !== "").join(" | ");
  return [
    parts,
    config !== undefined ? `config ${config}` : "",
    several ? `several ${several.join(" ")}` : "",
    left.length > 0 ? `left ${left.join(" ")}` : "",
  ].filter((part) => part !== "").join("; ");
}

const TWO = `configs:
- config_name: plain
  data_files:
  - split: train
    path: [plain/train-*, more/*.parquet]
  - split: test
    path: plain/test-*
  - split: unsupervised
    path: plain/unsupervised-*
- config_name: other
  data_files: "other/*.csv"`;
const PLAIN = [
  "plain/train-0.parquet",
  "plain/test-0.parquet",
  "plain/unsupervised-0.parquet",
  "more/1.parquet",
];

Deno.test("a card says which files a config has, and what each is for", async () => {
  const paths = [...PLAIN, "other/a.csv", "other/b.csv"];
  const plain =
    "train: more/1.parquet plain/train-0.parquet | heldout: plain/test-0.parquet; config plain; left unsupervised";
  assert.equal(await chosen(PLAIN, TWO), plain);
  assert.equal(await chosen(paths, TWO, "plain"), plain);
  assert.equal(await chosen(paths, TWO, "other"), "other/a.csv | other/b.csv; config other");
  assert.equal(
    await chosen(paths, TWO.replace("name: other", "name: other\n  default: true")),
    "other/a.csv | other/b.csv; config other",
  );
  assert.equal(await chosen(paths, TWO.replace("name: other", "name: main")).then(last), "main");
  assert.equal(
    await chosen(paths, TWO.replace("name: other", "name: default")).then(last),
    "default",
  );
  assert.equal(
    await chosen(["other/a.csv", "plain/test-0.parquet", "plain/train-0.parquet"], TWO),
    "train: other/a.csv plain/train-0.parquet | heldout: plain/test-0.parquet; several plain other",
  );
});
const last = (text: string) => text.split("; config ")[1];

Deno.test("data_dir is where a config's files are, with patterns and without", async () => {
  const paths = ["en/train.csv", "en/dev.csv", "fr/train.csv", "train.csv"];
  const card = (more: string) => `configs:\n- config_name: en\n  data_dir: ./en/${more}`;
  const en = "train: en/train.csv | heldout: en/dev.csv; config en";
  assert.equal(await chosen(paths, card("")), en);
  const files =
    "\n  data_files:\n  - split: train\n    path: t*.csv\n  - split: dev\n    path: dev.csv";
  assert.equal(await chosen(paths, card(files)), en);
});

Deno.test("a file that a card has in both splits is trained on, not held out", async () => {
  const yaml = "configs:\n- config_name: a\n  data_files:\n  - {split: train, path: a.csv}\n" +
    "  - {split: test, path: '*.csv'}";
  assert.equal(
    await chosen(["a.csv", "b.csv"], yaml),
    "train: a.csv | heldout: b.csv; config a",
  );
});

Deno.test("without a card, names of files and folders tell training from test", async () => {
  const cases: [string[], string][] = [
    [["data/train-00000-of-00001-a09b.parquet"], "data/train-00000-of-00001-a09b.parquet"],
    [
      ["train.jsonl", "test.jsonl", "validation.jsonl"],
      "train: train.jsonl | heldout: test.jsonl; left validation",
    ],
    [["train.csv", "val.csv"], "train: train.csv | heldout: val.csv"],
    [
      ["my_train_set.csv", "evaluation-1.csv"],
      "train: my_train_set.csv | heldout: evaluation-1.csv",
    ],
    [["a/training/0.csv", "a/dev/0.csv"], "train: a/training/0.csv | heldout: a/dev/0.csv"],
    // The file's own name comes first, and a word within a word is none.
    [["test/train.csv", "test/test.csv"], "train: test/train.csv | heldout: test/test.csv"],
    [["latest.csv", "trains.csv"], "latest.csv | trains.csv"],
    [["data.csv", "test.csv"], "train: data.csv | heldout: test.csv"],
    [
      ["train.csv", "test.csv", "extra.csv"],
      "train: train.csv | heldout: test.csv; left extra.csv",
    ],
    [["test.csv", "validation.csv"], "test.csv; left validation"],
    [["train-1.csv", "TRAIN-0.CSV"], "TRAIN-0.CSV | train-1.csv"],
    // One format, and no JSON about the data.
    [["data/train.parquet", "all.json", "a.jsonl"], "data/train.parquet"],
    [["dataset_infos.json", "a.csv"], "a.csv"],
    [["b.json", "config.json", ".cache/a.json", "_old/c.json"], "b.json"],
    // A folder main, and what the hub writes itself.
    [["main/train-0.parquet", "extra/train-0.parquet"], "main/train-0.parquet; config main"],
    [
      ["one/train/0000.parquet", "one/test/0000.parquet"],
      "train: one/train/0000.parquet | heldout: one/test/0000.parquet; config one",
    ],
    [
      ["one/train/0000.parquet", "two/train/0000.parquet"],
      "one/train/0000.parquet | two/train/0000.parquet; several one two",
    ],
  ];
  for (const [paths, want] of cases) assert.equal(await chosen(paths), want, paths.join(" "));
});

Deno.test("a file, a folder and a pattern may be named; of a pattern nothing is left out", async () => {
  const paths = [
    ...PLAIN,
    "other/a.csv",
    "x/train-1.json",
    "x/test-1.json",
    "x/dev-1.json",
    "x/y.json",
  ];
  const cases: [string, string][] = [
    ["plain/test-0.parquet", "plain/test-0.parquet"],
    ["x", "train: x/train-1.json | heldout: x/test-1.json; left val x/y.json"],
    ["x/", "train: x/train-1.json | heldout: x/test-1.json; left val x/y.json"],
    ["x/*", "train: x/train-1.json x/y.json | heldout: x/dev-1.json x/test-1.json"],
    ["**/train-*", "plain/train-0.parquet | x/train-1.json"],
  ];
  for (const [which, want] of cases) {
    assert.equal(await chosen(paths, TWO, which), want.replace("left val", "left dev"), which);
  }
  assert.ok(chooseFiles(paths, { name, card: [], which: "x/*" }).named);
  assert.ok(!chooseFiles(paths, { name, card: [], which: "x" }).named);
});

Deno.test("what is not there is refused with what is, and the nearest", async () => {
  const refused = async (code: string, message: string, ...args: Parameters<typeof chosen>) =>
    await assert.rejects(chosen(...args), (error) => {
      assert.ok(error instanceof HubError);
      assert.deepEqual([error.code, error.message], [code, message]);
      return true;
    });
  await refused(
    "missing",
    "Cannot use othr of someone/data as it must be a config, a file, a folder or a pattern of it: its " +
      "configs are plain, other; its files are more/1.parquet, other/a.csv, plain/test-0.parquet, " +
      'plain/train-0.parquet, plain/unsupervised-0.parquet. Did you mean "other"?',
    [...PLAIN, "other/a.csv"],
    TWO,
    "othr",
  );
  const none =
    "Cannot use someone/data as it has no data file that can be read (parquet, JSONL, CSV, JSON): it has ";
  await refused(
    "unsupported",
    `${none}a.arrow, b.jsonl.gz. Of many data sets the hub keeps parquet: someone/data@refs/convert/parquet`,
    ["b.jsonl.gz", "a.arrow"],
  );
  await refused(
    "unsupported",
    `${none}data.py. Of many data sets, made by a program, the hub keeps parquet: someone/data@refs/convert/parquet`,
    ["data.py"],
  );
  await refused(
    "unsupported",
    `${none}no files. Of many data sets the hub keeps parquet: someone/data@refs/convert/parquet`,
    [],
  );
  assert.throws(
    () => chooseFiles([], { name: "a/b@refs/convert/parquet", card: [] }),
    /it has no files$/,
  );
});

Deno.test("a card whose patterns would take for ever is refused", async () => {
  const many = Array.from({ length: 2000 }, (_, i) => `${i}/*`);
  const yaml = `configs:\n- config_name: a\n  data_files: ${JSON.stringify(many)}`;
  const paths = Array.from({ length: 6000 }, (_, i) => `${i}.csv`);
  await assert.rejects(
    chosen(paths, yaml),
    /at most 10000000 pairs .*: it has 6000 files and 2000 patterns$/,
  );
});

Deno.test("a card is read as YAML, and a broken one is said to be so", async () => {
  assert.deepEqual(await readCard("# no head\nconfigs:\n- a"), []);
  assert.deepEqual(await readCard(head("license: mit")), []);
  assert.deepEqual(await readCard(head("configs:")), []);
  assert.deepEqual(await readCard(head("license: [\nconfig: 3")), []); // nothing of it is wanted
  const one = [{
    name: "2024",
    isDefault: true,
    folder: "",
    splits: [{ split: "train", patterns: ["a"] }],
  }];
  const yaml = "configs:\n- config_name: 2024\n  default: true\n  data_files: a";
  assert.deepEqual(await readCard(head(yaml)), one);
  assert.deepEqual(await readCard(`\uFEFF${head(yaml).replaceAll("\n", "\r\n")}`), one);
  for (
    const [yaml, message] of [
      ["configs: [", /^SyntaxError: its head is not YAML: /],
      [`a: ${"x".repeat(2 ** 20)}`, /its head may have 1048576 characters: it has more/],
      ["configs: 3", /^SyntaxError: its configs is not what it must be: /],
      ["configs:\n- config_name: [a]", /its configs\.0\.config_name is not what it must be/],
      ["configs:\n- data_files: a", /its configs\.0\.config_name/],
      [`configs:\n- ${"[".repeat(20_000)}`, /its (head|configs)/],
      [
        `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [${"*a,".repeat(40)}]\nc: &c [${
          "*b,".repeat(40)
        }]\nconfigs: [${"*c,".repeat(40)}]`,
        /its head is not YAML: Excessive alias count/,
      ],
    ] as const
  ) {
    await assert.rejects(readCard(head(yaml)), message);
  }
});

Deno.test("a shard that is not there is named", () => {
  const shard = (...paths: string[]) => missingShard(paths.map((path) => ({ path })));
  assert.equal(
    shard("a.csv", "t-00000-of-00002-x.parquet", "t-00001-of-00002-y.parquet"),
    undefined,
  );
  assert.equal(
    shard("t-00000-of-00003.parquet", "t-00002-of-00003.parquet"),
    "part 2 of 3 of t is not there",
  );
  assert.equal(
    shard("a/t-00001-of-00002.parquet", "b/t-00000-of-00002.parquet"),
    "part 1 of 2 of a/t is not there",
  );
});
