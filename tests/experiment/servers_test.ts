/**
 * Whole runs whose rewards and parents ask a server. `deno task test:servers` takes 10,000 ratings in place
 * of 250.
 */
import assert from "node:assert/strict";
import { readRun } from "../../experiment/folder/run_data.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { hostsIn, trainCommand } from "../../experiment/servers.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { withFolder } from "../_folder.ts";
import { FakeServer, type Fault, FAULTS } from "../rewards/_server.ts";
import { Recorder, stopAndResume, writeSmallModel } from "./_model.ts";

const RATINGS = Number(Deno.env.get("PLAINRL_RATINGS") ?? 250);
const FAULT_SHARE = 0.2, AT_ONCE = 64;

/** What a completion deserves: 0 to 10 in halves. */
function deserved(text: string): number {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = (31 * hash + text.charCodeAt(i)) >>> 0;
  return (hash % 21) / 2;
}

// deno-lint-ignore no-explicit-any -- a body as it was sent
const rate = ({ body }: { body: any }): string =>
  String(deserved(JSON.parse(body.messages[1].content).reply));

/** A request for a small run, with what `more` changes. */
async function requestIn(
  folder: string,
  { url }: FakeServer,
  settings: TrainRequest["settings"] = {},
  more: Partial<TrainRequest> = {},
): Promise<TrainRequest> {
  await Deno.mkdir(`${folder}/model`, { recursive: true });
  await writeSmallModel(`${folder}/model`);
  return {
    ...{ task: "colors", model: `${folder}/model`, steps: 4, seed: 2, device: "cpu" },
    reward: "judge_soft",
    settings: {
      ...{ batchSize: 6, epochs: 1, judgeServer: url, judgeModel: "m", serverPause: 0.001 },
      ...settings,
    },
    ...more,
  };
}

/** Every score that a run gave is what its own completion deserves; gives how many have none. */
function unscored(rows: Recorder["completions"]): number {
  let none = 0;
  for (const { completion, reward, scores } of rows) {
    assert.equal(reward, scores.judge_soft);
    if (reward === null) none++;
    else assert.equal(reward, deserved(completion) / 5, JSON.stringify(completion));
  }
  return none;
}

Deno.test(`${RATINGS} ratings, of which one in five goes wrong, up to ${AT_ONCE} at once: training goes on, and no completion has another's score`, () =>
  withFolder(async (folder) => {
    const met: Partial<Record<Fault, number>> = {};
    let x = 1, next = 0;
    const random = () => (x = (1103515245 * x + 12345) & 0x7fffffff) / 2 ** 31;
    await using fake = await FakeServer.open({
      chat: rate,
      delay: () => 20 * random(),
      fault() {
        if (random() >= FAULT_SHARE) return undefined;
        const fault = FAULTS[next++ % FAULTS.length];
        met[fault] = (met[fault] ?? 0) + 1;
        return fault;
      },
    });
    const steps = Math.ceil(RATINGS / AT_ONCE);
    const settings = {
      ...{ batchSize: AT_ONCE, maxNewTokens: 8, learningRate: 1e-4 },
      ...{ serverRequests: AT_ONCE, serverRetries: 2, serverTimeout: 1.5 }, // long for a good answer
    };
    const run = new Recorder(folder);
    await trainTask(await requestIn(folder, fake, settings, { steps }), run);

    assert.equal(run.rows.length, steps);
    const drawn = run.completions.filter(({ phase }) => phase === "train");
    assert.equal(drawn.length, steps * AT_ONCE);
    const none = unscored(drawn),
      counted = run.rows.map((row) => row["rewards/judge_soft/fallbacks"]);
    assert.equal(counted.reduce((sum, n) => sum + n), none);
    assert.ok(none > 0 && none < 0.2 * drawn.length, `${none} of ${drawn.length} have no score`);
    unscored(run.completions);
    for (const row of run.rows) {
      assert.equal(row["optimizer/skipped_updates"], 0);
      assert.ok(Number.isFinite(row["loss/total"]));
    }
    const faults = Object.values(met).reduce((sum, n) => sum + n);
    assert.ok(fake.seen.length >= RATINGS, `only ${fake.seen.length} requests`);
    assert.equal(Object.keys(met).length, FAULTS.length, "every fault came up");
    assert.ok(fake.most > AT_ONCE / 2 && fake.most <= AT_ONCE, `${fake.most} at once`);
    assert.deepEqual(fake.strange, []);
    const said = run.said.filter((text) => text.includes("was sent"));
    assert.match(
      said[0],
      /^note: http:\S+ was sent \d+ requests, \d+ of them again; \d+ had no usable/,
    );
    if (RATINGS > 250) {
      console.log({
        requests: fake.seen.length,
        faults,
        most: fake.most,
        drawn: drawn.length,
        none,
      });
    }
  }));

/** A server that answers until it is told to fail; `at` is asked before each answer. */
const failing = (isDown: () => boolean) =>
  FakeServer.open({ chat: rate, fault: () => isDown() ? "trouble" : undefined });

Deno.test("a server that is gone stops the run with a checkpoint of all that was trained, to go on from", () =>
  withFolder(async (folder) => {
    let down = false;
    await using fake = await failing(() => down);
    const limits = { serverOutage: 5, serverRetries: 1, serverRequests: 2 };
    const request = await requestIn(folder, fake, limits);
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(request, whole);
    const first = new Recorder(`${folder}/first`, (step) => down = step === 2);
    await assert.rejects(trainTask(request, first), (error) => {
      assert.ok(error instanceof Error);
      assert.match(
        error.message,
        /^Cannot score by the reward judge_soft: Cannot ask \S+ as it has trouble \(500: overheated\)\. So ended 5/,
      );
      return true;
    });
    assert.deepEqual(first.checkpoints.map((path) => path.split("-").at(-1)), ["0", "2"]);
    down = false;
    const second = new Recorder(`${folder}/second`);
    await trainTask({ ...request, resume: first.checkpoints.at(-1) }, second);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
    // What is saved already is not saved again; before the first step there is nothing to save.
    const every = new Recorder(`${folder}/every`, (step) => down = step === 2);
    await assert.rejects(trainTask({ ...request, saveEvery: 1 }, every), /So ended 5 requests/);
    assert.deepEqual(every.checkpoints.map((path) => path.split("-").at(-1)), ["0", "1", "2"]);
    const never = new Recorder(`${folder}/never`);
    await assert.rejects(trainTask(request, never), /So ended 5 requests/);
    assert.deepEqual([never.info?.task, never.checkpoints, never.rows], ["colors", [], []]);
  }));

Deno.test("who stops a run that waits for a server waits for neither; it goes on as if nothing had been", () =>
  withFolder(async (folder) => {
    let slow = false;
    await using fake = await FakeServer.open({ chat: rate, delay: () => slow ? 20_000 : 0 });
    const request = await requestIn(folder, fake);
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(request, whole);
    const stopper = new AbortController(), reason = new Error("enough");
    const first = new Recorder(`${folder}/first`, (step) => slow = step === 2);
    const running = trainTask(request, first, { signal: stopper.signal });
    const from = fake.seen.length;
    while (!slow) await new Promise((done) => setTimeout(done, 2));
    const sent = fake.seen.length;
    while (fake.seen.length === sent) await new Promise((done) => setTimeout(done, 2));
    const at = performance.now();
    stopper.abort(reason);
    await assert.rejects(running, (error) => error === reason);
    assert.ok(performance.now() - at < 3000, "it waited"); // 20 s, and then further tries
    assert.ok(from < sent);
    assert.equal(first.checkpoints.at(-1)?.split("-").at(-1), "2");
    slow = false;
    const second = new Recorder(`${folder}/second`);
    await trainTask({ ...request, resume: first.checkpoints.at(-1) }, second);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);

    slow = true; // amid the answers before the first step
    const early = new AbortController(),
      count = fake.seen.length,
      run = new Recorder(`${folder}/early`);
    const begun = trainTask(request, run, { signal: early.signal });
    while (fake.seen.length === count) await new Promise((done) => setTimeout(done, 2));
    early.abort(reason);
    await assert.rejects(begun, (error) => error === reason);
    assert.deepEqual(run.checkpoints, []);
  }));

Deno.test("a stop between steps takes effect as ever", () =>
  withFolder(async (folder) => {
    await using fake = await failing(() => false);
    const request = await requestIn(folder, fake);
    const whole = new Recorder(`${folder}/whole`);
    await trainTask(request, whole);
    const { first, second } = await stopAndResume(request, folder);
    assert.deepEqual([...first.rows, ...second.rows], whole.rows);
  }));

Deno.test("fallbacks of greedy answers are said, those of a step are a column of metrics.csv", () =>
  withFolder(async (folder) => {
    let odd = false;
    await using fake = await FakeServer.open({
      chat: rate,
      fault: (_, count) => odd && count % 3 === 0 ? "eleven" : undefined,
    });
    odd = true;
    const out = `${folder}/run`, request = await requestIn(folder, fake, { serverRequests: 1 });
    const said: string[] = [], run = new RunFolder({ out, command: "", request: {} });
    Object.assign(run, { notice: (text: string) => said.push(text) });
    await trainTask(request, run);
    const { names, metrics } = await readRun(out);
    const column = (name: string) => metrics.map((row) => row[names.indexOf(name) + 1]);
    assert.ok(column("rewards/judge_soft/fallbacks").some((count) => count > 0));
    assert.match(
      said.find((text) => text.includes("fallbacks")) ?? "",
      /^note: judge_soft\/fallbacks is \d+ of \d+ answers, before:train$/,
    );
    // Half a standard of 5 does not come up silently.
    const parity = new Recorder(`${folder}/parity`);
    await trainTask(
      { ...request, settings: { ...request.settings, judgeFallback: "parity" } },
      parity,
    );
    const count = parity.rows.reduce((sum, row) => sum + row["rewards/judge_soft/fallbacks"], 0);
    const fives = parity.completions.filter(({ phase, completion, reward }) =>
      phase === "train" && reward === 1 && deserved(completion) !== 5
    );
    assert.ok(count > 0 && fives.length > 0 && fives.length <= count);
  }));

Deno.test("a server may be the parent, and its space the one that answers are compared in", () =>
  withFolder(async (folder) => {
    await using fake = await FakeServer.open({
      chat: ({ body }) =>
        JSON.stringify({ OUTPUT: body.messages.at(-1).content.length % 2 ? "red" : "blue" }),
      embeddings: (texts) => ({
        data: texts.map((text, index) => ({
          index,
          embedding: [text.length, text.includes("e") ? 1 : -1],
        })),
      }),
    });
    const settings = {
      ...{
        parent: fake.url,
        parentModel: "p",
        semanticEmbedder: fake.url,
        semanticEmbeddingModel: "e",
      },
      serverCache: `${folder}/answers.jsonl`,
    };
    const base = await requestIn(folder, fake, {}, { reward: "semantic", steps: 1 });
    const { judgeServer: _s, judgeModel: _m, ...rest } = base.settings!;
    const request = { ...base, settings: { ...rest, ...settings } };
    const run = new Recorder(`${folder}/one`);
    await trainTask(request, run);
    const asked = fake.seen.length;
    const prompts = fake.seen.filter(({ path }) => path.endsWith("/chat/completions"));
    assert.equal(
      new Set(prompts.map(({ body }) => body.messages.at(-1).content)).size,
      prompts.length,
    );
    assert.equal(prompts.length, 90, "each prompt once");
    assert.ok(run.completions.every(({ reward }) => reward !== null));
    assert.equal(run.info?.config.parent, fake.url);
    assert.equal(run.info?.config.serverRequests, 8);
    const again = new Recorder(`${folder}/two`); // the same answers, from the file alone
    await trainTask(request, again);
    assert.equal(fake.seen.length, asked);
    assert.deepEqual(again.rows, run.rows);
    const table = new Recorder(`${folder}/table`);
    const { parent: _p, parentModel: _n, ...own } = request.settings;
    await trainTask({ ...request, settings: own }, table);
    assert.notDeepEqual(table.rows, run.rows);
    assert.equal(table.info?.config.parent, undefined);
  }));

Deno.test("settings of servers, and of judges, that change nothing are said; an address is checked at once", () => {
  const told = (settings: object, reward = "semantic") =>
    resolveRequest({ task: "colors", reward, settings } as TrainRequest).notices;
  const none = "is not among the run's rewards by name";
  assert.deepEqual(told({ judgeModel: "m" }), [
    `judgeModel=m changes nothing as judge_hard or judge_soft ${none}`,
  ]);
  assert.deepEqual(
    told({ judgeThreshold: 8, judgeServer: "https://a/v1", judgeModel: "m" }, "judge_soft"),
    [
      "judge_soft says little about colors: rewards that make sense for it are semantic, exact, " +
      "first_word",
      `judgeThreshold=8 changes nothing as judge_hard ${none}`,
      "judge_soft sends every prompt and completion to https://a/v1, where m rates it",
    ],
  );
  assert.deepEqual(told({ serverRetries: 1 }), [
    "serverRetries=1 changes nothing as the run asks no server",
  ]);
  assert.deepEqual(told({ parentModel: "m" }), ["parentModel=m changes nothing as parent=table"]);
  assert.deepEqual(told({ parent: "https://a/v1", parentModel: "m", serverRetries: 1 }), [
    "https://a/v1 is sent every prompt, for m to give the parent's answer",
  ]);
  assert.deepEqual(told({ semanticEmbedder: "https://a/v1", semanticEmbeddingModel: "m" }), [
    "semantic sends every completion to https://a/v1, where m embeds it",
  ]);
  assert.match(
    told({}, "judge_hard,judge_soft").join("\n"),
    /judge_hard rates by a rubric.*\njudge_soft rates by a rubric/,
  );
  const secret = "https://user:secret@a.example/v1";
  for (
    const [settings, setting] of [
      [{ judgeServer: secret }, "judgeServer"],
      [{ semanticEmbedder: secret }, "semanticEmbedder"],
      [{ parent: secret }, "parent"],
    ] as const
  ) {
    assert.throws(() => told(settings, "judge_soft,semantic"), (error) => {
      assert.match(
        String(error),
        new RegExp(`^TypeError: Cannot use ${setting} as its address must be host and`),
      );
      return !String(error).includes("secret");
    });
  }
});

Deno.test("the command of a run that asks servers names their hosts", () => {
  const settings = {
    judgeServer: "http://127.0.0.1:8080/v1",
    parent: "https://api.example.com/v1",
    x: 1,
  };
  assert.deepEqual(hostsIn(settings), ["127.0.0.1:8080", "api.example.com"]);
  assert.equal(
    trainCommand(hostsIn(settings)),
    "PLAINRL_HOST=127.0.0.1:8080,api.example.com deno task train:net",
  );
  assert.equal(trainCommand(hostsIn({ parent: "table" })), "deno task train");
});
