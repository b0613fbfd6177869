import assert from "node:assert/strict";
import { datasetLine, type DatasetOptions, fetchDataset } from "../../../model/hub/dataset.ts";
import { cachedDataset } from "../../../model/hub/dataset.ts";
import { HubError, type HubErrorCode } from "../../../model/hub/errors.ts";
import { inTemporary } from "../../_folder.ts";
import {
  COMMIT,
  cut,
  datasetFiles,
  FakeHub,
  gitSha,
  type Mischief,
  noise,
  rangeOf,
  sha256,
} from "./_hub.ts";

const SET = "someone/sums", TOKEN = "hf_canary";
const TRAIN = "main/train-00000-of-00001.parquet", TEST = "main/test-00000-of-00001.parquet";

const options = (hub: { endpoint: string }, cache: string, more: DatasetOptions = {}) => ({
  ...{
    endpoint: hub.endpoint,
    cache,
    token: "",
    offline: false,
    tries: 3,
    pause: 1,
    timeout: 5000,
  },
  ...more,
});
const names = (hub: FakeHub, kind: string) =>
  hub.seen.filter((one) => one.kind === kind).map(({ name }) => name);
const homeOf = (cache: string) => `${cache}/datasets--someone--sums`;
const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

inTemporary(
  "the default config of a data set comes, both splits, in the layout of Python's library",
  async (cache) => {
    await using hub = new FakeHub(datasetFiles());
    const steps: string[] = [];
    const fetched = await fetchDataset(
      SET,
      options(hub, cache, { onStep: (line) => steps.push(line) }),
    );
    assert.deepEqual(hub.seen[0].path, "/api/datasets/someone/sums/revision/main");
    const files = ["README.md", TRAIN, TEST];
    assert.deepEqual(names(hub, "head"), files);
    assert.deepEqual(
      hub.seen.filter(({ kind }) => kind === "head" || kind === "get").map(({ path }) => path),
      ["README.md", "README.md", TRAIN, TEST, TRAIN, TEST]
        .map((name) => `/datasets/someone/sums/resolve/${COMMIT}/${name}`),
    );
    const home = homeOf(cache), bytes = files.map((name) => hub.files.get(name)!);
    assert.equal(await Deno.readTextFile(`${home}/refs/main`), COMMIT);
    for (const [i, name] of files.entries()) {
      const path = `${home}/snapshots/${COMMIT}/${name}`;
      assert.deepEqual(await Deno.readFile(path), bytes[i]);
      const hash = i === 0 ? gitSha(bytes[i]) : sha256(bytes[i]);
      const up = i === 0 ? "../.." : "../../..";
      assert.equal(await Deno.readLink(path), `${up}/blobs/${hash}`);
    }
    assert.equal((await Array.fromAsync(Deno.readDir(`${home}/blobs`))).length, 3);
    assert.deepEqual(fetched.data, [{ path: TRAIN, split: "train" }, {
      path: TEST,
      split: "heldout",
    }]);
    assert.equal(fetched.config, "main");
    assert.deepEqual(steps, [
      `asking ${hub.endpoint} for someone/sums@main`,
      `someone/sums@main, config main: 2 files of 0.0 MB: ${TRAIN} (train), ${TEST} (heldout)`,
    ]);
    assert.equal(
      datasetLine(fetched),
      `someone/sums@main (commit ${COMMIT}) from ${hub.endpoint}: 3 files of 0.0 MB, 0.0 MB of it ` +
        `downloaded now, in ${home}/snapshots/${COMMIT}; for a task: data=someone/sums`,
    );
    const before = hub.count("get") + hub.count("cdn");
    const again = await fetchDataset(SET, options(hub, cache));
    assert.deepEqual(again.files.map(({ arrived }) => arrived), [0, 0, 0]);
    assert.equal(hub.count("get") + hub.count("cdn"), before);
    const kept = await fetchDataset(SET, options(hub, cache, { offline: true }));
    assert.deepEqual(kept.data, fetched.data);
  },
);

inTemporary(
  "a config, a file or a pattern is fetched alone, and joins what is there",
  async (cache) => {
    await using hub = new FakeHub(datasetFiles());
    const fetch = (which: string) => fetchDataset(SET, options(hub, cache, { which }));
    const socratic = await fetch("socratic");
    assert.deepEqual(
      socratic.data.map(({ path }) => path),
      [TRAIN, TEST].map((one) => one.replace("main", "socratic")),
    );
    assert.match(datasetLine(socratic), /data=someone\/sums\/socratic$/);
    const there = async (which?: string) =>
      (await cachedDataset(SET, { cache, which }))!.data.map(({ path }) => path);
    assert.deepEqual(await there(), socratic.data.map(({ path }) => path)); // the only one that is here
    assert.deepEqual((await fetch(TEST)).data, [{ path: TEST }]);
    assert.deepEqual(await there(), [TEST]); // of main, all that is here
    assert.deepEqual((await fetch("*/train-*")).data.map(({ path }) => path), [
      TRAIN,
      TRAIN.replace("main", "socratic"),
    ]);
    assert.deepEqual(await there(), [TRAIN, TEST]);
    assert.deepEqual(await there("socratic/test-*"), [TEST.replace("main", "socratic")]);
    await assert.rejects(
      there("main/x"),
      /as it must be a config, a file, .* its configs are main, socratic; /,
    );
  },
);

inTemporary(
  "a download cut half way goes on where it was, in this process and in the next",
  async (cache) => {
    const size = 20_000;
    const mischief: Mischief = ({ kind, name, count, hub, headers }) => {
      if (kind !== "cdn" || name !== TRAIN || count > 3) return undefined;
      return cut(
        rangeOf(hub.files.get(TRAIN)!, headers, { etag: '"one"' }),
        count === 1 ? size / 2 : 0,
      );
    };
    await using hub = new FakeHub(datasetFiles(), mischief);
    await assert.rejects(
      fetchDataset(SET, options(hub, cache)),
      {
        code: "unreachable",
        message: /Cannot fetch the rest of main\/train-.*, from byte 10000 of 20000/,
      },
    );
    const ranges = () =>
      hub.seen.filter((one) => one.kind === "cdn" && one.name === TRAIN)
        .map(({ headers }) => headers.get("range"));
    assert.deepEqual(ranges(), [null, "bytes=10000-", "bytes=10000-"]);
    assert.ok(!await isThere(`${homeOf(cache)}/refs/main`));
    assert.equal(await cachedDataset(SET, { cache }), undefined);
    const { files } = await fetchDataset(SET, options(hub, cache));
    assert.equal(ranges().at(-1), "bytes=10000-");
    assert.deepEqual(files.map(({ name, arrived }) => [name, arrived]).slice(1), [[TRAIN, 10_000], [
      TEST,
      20_001,
    ]]);
    assert.deepEqual(
      await Deno.readFile(`${homeOf(cache)}/snapshots/${COMMIT}/${TRAIN}`),
      hub.files.get(TRAIN),
    );
  },
);

inTemporary("an abort ends it with its reason, and what has come is kept", async (cache) => {
  const stop = new AbortController();
  await using hub = new FakeHub(datasetFiles({ [TRAIN]: noise(300_000) }));
  const onProgress = ({ file, done }: { file: string; done: number }) => {
    if (file === TRAIN && done > 50_000) stop.abort(new Error("Ctrl-C"));
  };
  await assert.rejects(
    fetchDataset(SET, options(hub, cache, { signal: stop.signal, onProgress })),
    /Ctrl-C/,
  );
  const left = (await Array.fromAsync(Deno.readDir(`${homeOf(cache)}/blobs`)))
    .filter(({ name }) => name.endsWith(".incomplete"));
  assert.equal(left.length, 1);
  const { files } = await fetchDataset(SET, options(hub, cache));
  const { arrived } = files.find(({ name }) => name === TRAIN)!;
  assert.ok(arrived < 300_000 && arrived > 0, `${arrived}`);
  const names = await Array.fromAsync(Deno.readDir(`${homeOf(cache)}/blobs`), ({ name }) => name);
  assert.deepEqual(names.filter((name) => name.endsWith(".incomplete")), []);
});

const status = (code: number, error?: string) =>
  new Response(null, { status: code, headers: error ? { "x-error-code": error } : {} });
const listing = (...paths: string[]): Mischief => ({ kind }) =>
  kind === "api"
    ? Response.json({ sha: COMMIT, siblings: paths.map((rfilename) => ({ rfilename })) })
    : undefined;
const large: Mischief = ({ kind, name }) =>
  kind === "head" && name === TEST
    ? new Response(null, {
      headers: {
        "x-repo-commit": COMMIT,
        "x-linked-etag": `"${"a".repeat(64)}"`,
        "x-linked-size": "1073741825",
      },
    })
    : undefined;
const FAULTS: [what: string, Mischief, HubErrorCode, RegExp, DatasetOptions?][] = [
  [
    "wrong bytes",
    ({ kind, name }) =>
      kind === "cdn" && name === TRAIN ? new Response(noise(20_000, 99)) : undefined,
    "damaged",
    /Cannot use main\/train-.* hash [0-9a-f]{12}….*twice/,
  ],
  [
    "no such data set, as the hub says it",
    ({ kind }) => kind === "api" ? status(401, "RepoNotFound") : undefined,
    "refused",
    /\(401\): none such, or private\. Check the name; for a private data set set HF_TOKEN$/,
  ],
  [
    "no such data set",
    ({ kind }) => kind === "api" ? status(404) : undefined,
    "missing",
    /127\.0\.0\.1:\d+ has no such data set or file \(404\): check the name$/,
  ],
  [
    "no such revision",
    ({ kind }) => kind === "api" ? status(404, "RevisionNotFound") : undefined,
    "missing",
    /no such revision/,
  ],
  [
    "a gated one",
    ({ kind }) => kind === "head" ? status(403, "GatedRepo") : undefined,
    "refused",
    /accept their terms at http:\/\/127\.0\.0\.1:\d+\/datasets\/someone\/sums, then set HF_TOKEN/,
  ],
  [
    "no data that can be read",
    listing("a.arrow", "sums.py"),
    "unsupported",
    /Cannot use someone\/sums as it has no data file that can be read \(parquet, JSONL, CSV, JSON\): it has a\.arrow, sums\.py\. .*someone\/sums@refs\/convert\/parquet$/,
  ],
  [
    "a path to a folder above",
    listing("../../x.csv"),
    "answer",
    /its list of files has a path that leads out of it/,
  ],
  ["a path from the root", listing("/etc/x.csv"), "answer", /a path that leads out of it/],
  ["a path with a backslash", listing("a\\..\\..\\x.csv"), "answer", /a path that leads out of it/],
  ["a path with an escape", listing("a\u001b[2J.csv"), "answer", /a path that leads out of it/],
  [
    "no such config",
    () => undefined,
    "missing",
    /its configs are main, socratic; .*Did you mean "socratic"\?$/,
    { which: "socratik" },
  ],
  [
    "more than a gibibyte",
    large,
    "unsupported",
    /^Cannot fetch someone\/sums@main, config main as at most 1073\.7 MB are fetched unless files are named: it has 1073\.8 MB\. Name a part: --files 'main\/train-\*-of-00001\.parquet', or one file$/,
  ],
  [
    "more than a thousand files",
    listing(...Array.from({ length: 1001 }, (_, i) => `${i}.csv`)),
    "unsupported",
    /at most 1000 files are fetched at once: it has 1001\. Name a part: --files '\*\.csv'/,
  ],
  [
    "a page in place of a file",
    ({ kind, name }) =>
      kind === "cdn" && name === TEST
        ? new Response("<html>", { headers: { "content-type": "text/html" } })
        : undefined,
    "answer",
    /a page came in its place/,
  ],
];
for (const [what, mischief, code, message, more] of FAULTS) {
  inTemporary(
    `a hub of data sets with ${what} ends in a clear error, and nothing counts as fetched`,
    async (cache) => {
      await using hub = new FakeHub(datasetFiles(), mischief);
      await assert.rejects(fetchDataset(SET, options(hub, cache, more)), (error) => {
        assert.ok(error instanceof HubError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      });
      assert.ok(!await isThere(`${homeOf(cache)}/refs`));
      assert.deepEqual(
        await Array.fromAsync(Deno.readDir(cache)).then((all) => all.map(({ name }) => name)).then((
          all,
        ) => all.filter((name) => name !== "datasets--someone--sums")),
        [],
      );
    },
  );
}

inTemporary("files that are named may be of any size, and as many as are named", async (cache) => {
  await using hub = new FakeHub(datasetFiles(), large);
  const most: string[] = [];
  const stop = new AbortController();
  const onStep = (line: string) => {
    most.push(line);
    if (line.includes("MB")) stop.abort(new Error("enough"));
  };
  await assert.rejects(
    fetchDataset(SET, options(hub, cache, { which: TEST, onStep, signal: stop.signal })),
    /enough/,
  );
  assert.equal(most[1], `someone/sums@main: 1 files of 1073.7 MB: ${TEST}`);
});

inTemporary("a broken card is passed over, and said to be", async (cache) => {
  await using hub = new FakeHub(datasetFiles({ "README.md": "---\nconfigs: [\n---\n" }));
  const steps: string[] = [];
  const { data } = await fetchDataset(
    SET,
    options(hub, cache, { onStep: (line) => steps.push(line) }),
  );
  assert.deepEqual(data.map(({ path }) => path), [TRAIN, TEST]); // by the folder main
  assert.match(
    steps[1],
    /^README\.md is passed over, and files are told by their names: its head is not YAML: /,
  );
});

inTemporary("a card of more than 16 MiB is not fetched, and said not to be", async (cache) => {
  await using hub = new FakeHub(
    datasetFiles(),
    ({ kind, name }) =>
      kind === "head" && name === "README.md"
        ? new Response(null, {
          headers: {
            "x-repo-commit": COMMIT,
            "x-linked-etag": `"${"a".repeat(64)}"`,
            "x-linked-size": "16777217",
          },
        })
        : undefined,
  );
  const steps: string[] = [];
  const { files } = await fetchDataset(
    SET,
    options(hub, cache, { onStep: (line) => steps.push(line) }),
  );
  assert.deepEqual(files.map(({ name }) => name), [TRAIN, TEST]);
  assert.match(steps[1], /^README\.md is passed over, .*: it has 16\.8 MB$/);
});

inTemporary("the token reaches the hub alone, with data sets too", async (cache) => {
  await using hub = new FakeHub(datasetFiles());
  await fetchDataset(SET, options(hub, cache, { token: TOKEN }));
  for (const { kind, headers } of hub.seen) {
    assert.equal(headers.get("authorization"), kind === "cdn" ? null : `Bearer ${TOKEN}`, kind);
  }
  assert.ok(hub.count("cdn") === 2);
});

inTemporary("a revision with slashes, an old name, and names that are none", async (cache) => {
  await using hub = new FakeHub(datasetFiles());
  const convert = await fetchDataset(`${SET}@refs/convert/parquet`, options(hub, cache));
  assert.equal(hub.seen[0].path, "/api/datasets/someone/sums/revision/refs%2Fconvert%2Fparquet");
  assert.equal(await Deno.readTextFile(`${homeOf(cache)}/refs/refs/convert/parquet`), COMMIT);
  assert.equal(convert.revision, "refs/convert/parquet");
  const old = await fetchDataset("gsm8k", options(hub, cache));
  assert.equal(old.id, "openai/gsm8k");
  assert.match(datasetLine(old), /^gsm8k is now openai\/gsm8k: openai\/gsm8k@main/);
  const asked = hub.seen.length;
  for (const name of ["", "a", "gpt2", "a/b/c", "../b", "a/b@", "a--b/c"]) {
    await assert.rejects(fetchDataset(name, options(hub, cache)), {
      code: "name",
      message:
        /^Cannot fetch .* as a data set of the hub is owner\/name or owner\/name@revision, e\.g\. openai\/gsm8k$/,
    });
  }
  await assert.rejects(fetchDataset("a/b", options(hub, cache, { offline: true })), {
    code: "offline",
    message:
      `Cannot fetch a/b as HF_HUB_OFFLINE is set and ${cache}/datasets--a--b does not have it: unset it`,
  });
  assert.equal(hub.seen.length, asked);
});
