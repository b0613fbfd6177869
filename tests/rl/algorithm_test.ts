/** The seam of algorithms: one written here, of no value head and no reference, and what the loop asks of it. */
import assert from "node:assert/strict";
import { defineOptions } from "../../base/options.ts";
import type { Algorithm, ScoredRollout } from "../../rl/algorithm.ts";
import { alignResponses, gridOfRows, keepRows, takeRows } from "../../rl/batch.ts";
import { described } from "../../base/excerpt.ts";
import { tokenMean } from "../../rl/loss/normalise.ts";
import { metricTable, PLAIN_METRICS } from "../../rl/metrics.ts";
import type { Evaluation, EvaluationGradient, Rollout, TokenBatch } from "../../rl/policy.ts";
import { Trainer } from "../../rl/trainer.ts";
import { assertClose } from "../_close.ts";
import { policyGradientLoss } from "./_policy_gradient.ts";
import { TablePolicy } from "./_table_policy.ts";

/** Score less the group's mean (or a running mean where groups have one member), times log-probability. */
function reinforce(groupSize: number, seen: ScoredRollout[] = []): Algorithm<{ keep: number }> {
  return {
    name: "reinforce",
    summary: "score less a baseline, times the gradient of the log-probability",
    paper: "Williams 1992",
    options: defineOptions("REINFORCE", {
      keep: { kind: "number", default: 0.5, min: 0, max: 1, doc: "of the baseline", group: "Loss" },
    }),
    trainerDefaults: { epochs: 1 },
    metrics: metricTable([
      ...PLAIN_METRICS,
      ["loss/policy", "", "any", "any", "-A l", "none", ""],
      ["score/baseline", "reward", "any", "rises", "running mean of the scores", "none", ""],
    ]),
    needs: () => ({ value: false, reference: false, groupSize }),
    start: () => ({ baseline: -0.5 }),
    next: ({ config: { keep }, state: { baseline }, experience: { score } }) => ({
      baseline: keep * baseline + (1 - keep) * score.reduce((a, b) => a + b) / score.length,
    }),
    advantages(rollout, { state }) {
      seen.push(rollout);
      const { grid: { T, mask }, score } = rollout;
      const baseline = (b: number) => {
        const from = b - b % groupSize, group = score.slice(from, from + groupSize);
        return groupSize === 1 ? state.baseline : group.reduce((x, y) => x + y) / groupSize;
      };
      const at = (b: number) => score[b] - baseline(b);
      return { advantage: Float32Array.from(mask, (m, i) => m ? at(Math.floor(i / T)) : 0) };
    },
    loss: policyGradientLoss,
    total: (means) => means["loss/policy"],
    report: ({ state }) => ({ "score/baseline": state.baseline }),
  };
}

/** A policy of neither value head nor reference. */
class Bare extends TablePolicy {
  override reference = undefined as never;
  override async evaluate(batch: TokenBatch): Promise<Evaluation> {
    const { logprob, entropy } = await super.evaluate(batch);
    return { logprob, entropy };
  }
}

const V = 6;
const FAST = { learningRate: 0.1, maxNewTokens: 3 };
const PROMPTS = Array.from({ length: 20 }, (_, i) => Int32Array.of(1 + i % 5));
/** 1 where the first token is the prompt's successor, else 0. */
const successor = ({ prompts, responses }: Rollout) =>
  Promise.resolve(prompts.map((p, b) => responses[b][0] === 1 + p[0] % 5 ? 1 : 0));

for (const groupSize of [1, 2]) {
  Deno.test(`an algorithm of thirty lines trains a policy of one head, in groups of ${groupSize}`, async () => {
    const trainer = new Trainer(new Bare(V), FAST, reinforce(groupSize));
    assert.equal(trainer.config.epochs, 1);
    assert.equal(trainer.needs.groupSize, groupSize);
    const first = await trainer.step(PROMPTS, successor);
    let last = first;
    for (let i = 0; i < 59; i++) last = await trainer.step(PROMPTS, successor);
    assert.ok(first.metrics["score/mean"] < 0.4, `before ${first.metrics["score/mean"]}`);
    assert.ok(last.metrics["score/mean"] > 0.9, `after ${last.metrics["score/mean"]}`);
    assert.deepEqual(Object.keys(last.metrics), trainer.algorithm.metrics.map(({ name }) => name));
    for (const [name, value] of Object.entries(last.metrics)) {
      assert.ok(Number.isFinite(value), name);
    }
    assert.equal(first.metrics["score/baseline"], -0.5);
    assert.equal(last.experience.reference, undefined);
    assert.deepEqual(Object.keys(last.experience.old), ["logprob", "entropy"]);
    const { generate, score, evaluate, update } = last.timings;
    for (const seconds of [generate, score, evaluate, update]) assert.ok(seconds >= 0);
  });
}

Deno.test("a group is a repeated prompt, whose draws differ", async () => {
  const seen: ScoredRollout[] = [], asked: Int32Array[][] = [];
  const trainer = new Trainer(new Bare(V), FAST, reinforce(3, seen));
  const prompts = PROMPTS.slice(0, 4);
  const { rollout, scores } = await trainer.step(prompts, (drawn) => {
    asked.push(drawn.prompts);
    return successor(drawn);
  });
  assert.deepEqual(rollout.prompts, prompts.flatMap((prompt) => [prompt, prompt, prompt]));
  assert.deepEqual(asked, [rollout.prompts]);
  assert.equal(scores.length, 12);
  assert.deepEqual(seen[0].score.length, 12);
  const groups = prompts.map((_, g) => rollout.responses.slice(3 * g, 3 * g + 3).map(String));
  assert.ok(groups.every((group) => new Set(group).size > 1), "draws of a group differ");
  const fewer = new Trainer(new Bare(V), { ...FAST, minibatches: 7 }, reinforce(3));
  await assert.rejects(fewer.step(PROMPTS.slice(0, 2), successor), /minibatches: it has 6$/);
});

Deno.test("an algorithm's state is saved and read back, negative numbers too", async () => {
  const trainer = new Trainer(new Bare(V), { ...FAST, keep: 0.25 }, reinforce(1));
  assert.deepEqual(trainer.state(), { step: 0, faults: 0, algorithm: { baseline: -0.5 } });
  const { scores } = await trainer.step(PROMPTS, successor);
  const mean = scores.reduce((sum: number, score) => sum + score!, 0) / scores.length;
  const state = trainer.state();
  assert.ok(Math.abs(state.algorithm.baseline - (0.25 * -0.5 + 0.75 * mean)) < 1e-12);
  const other = new Trainer(new Bare(V), FAST, reinforce(1));
  other.restore(JSON.parse(JSON.stringify({ ...state, algorithm: { baseline: -2 } })));
  assert.deepEqual(other.state(), { step: 1, faults: 0, algorithm: { baseline: -2 } });
  const { metrics } = await other.step(PROMPTS, successor);
  assert.equal(metrics["score/baseline"], -2);
  assert.throws(() => other.restore({ ...state, algorithm: { baseline: NaN } }), {
    name: "TypeError",
    message: "Cannot restore the trainer as baseline must be a number: it is NaN",
  });
});

Deno.test("a state that a resumed run would not have is refused when it comes up", async () => {
  const step = (change: Partial<Algorithm<{ keep: number }>>) =>
    new Trainer(new Bare(V), FAST, { ...reinforce(1), ...change }).step(PROMPTS, successor);
  const cannot = "Cannot keep the state of reinforce as ";
  for (
    const [next, rule] of [
      [
        () => ({ baseline: 0, seen: 1 }),
        "its fields must stay those of start(): seen is a new one",
      ],
      [() => ({}), "its fields must stay those of start(): baseline is gone"],
      [() => ({ baseline: NaN }), "baseline must be a finite number: it is NaN"],
    ] as const
  ) await assert.rejects(step({ next }), { name: "TypeError", message: cannot + rule });
});

Deno.test("arrays of an algorithm that do not fit the rollout are refused", async () => {
  const plain = reinforce(1);
  const step = (change: Partial<Algorithm<{ keep: number }>>) =>
    new Trainer(new Bare(V), { ...FAST, maxNewTokens: 1 }, { ...plain, ...change })
      .step(PROMPTS, successor);
  const few = new Float32Array(2), rule = "as it must be (20, 1), 20 numbers: it has 2";
  const changes: [string, Partial<Algorithm<{ keep: number }>>][] = [
    ["advantage", { advantages: () => ({ advantage: few }) }],
    ["returns", { advantages: () => ({ advantage: new Float32Array(20), returns: few }) }],
    ["weights", { weights: () => new Float64Array(2) }],
    ["dlogprob", {
      loss: (...given) => ({ ...plain.loss(...given), gradient: { dlogprob: few } }),
    }],
  ];
  for (const [name, change] of changes) {
    const message = `Cannot use the ${name} of reinforce ${rule}`;
    await assert.rejects(step(change), { name: "RangeError", message });
  }
});

Deno.test("a policy that lacks what the algorithm needs is refused", async () => {
  const cannot = "Cannot train with ppo as it compares the policy with a frozen reference: " +
    "this policy has none; give it one, or choose an algorithm or settings (klCoefficient=0) without";
  assert.throws(() => new Trainer(new Bare(V)), { name: "TypeError", message: cannot });
  class Valueless extends TablePolicy {
    override async evaluate(batch: TokenBatch): Promise<Evaluation> {
      const { logprob, entropy } = await super.evaluate(batch);
      return { logprob, entropy };
    }
  }
  const trainer = new Trainer(new Valueless(V), { ...FAST, maxNewTokens: 1 });
  await assert.rejects(trainer.step(PROMPTS, successor), {
    name: "RangeError",
    message: "Cannot use the policy's value as it must be (20, 1), 20 numbers: it has 0",
  });
  class Headless extends TablePolicy {
    readonly hasValues = false;
  }
  assert.throws(() => new Trainer(new Headless(V)), {
    name: "TypeError",
    message:
      "Cannot train with ppo as it trains a value head: this policy has none; give it one, " +
      "or choose an algorithm without",
  });
  assert.ok(new Trainer(new Headless(V), FAST, reinforce(1)));
  assert.throws(() => new Trainer(new Bare(V), {}, "reinforc"), /^TypeError: Cannot find the algo/);
  assert.throws(
    () => new Trainer(new Bare(V), { klCoefficient: 1 }, reinforce(1)),
    /^TypeError: Cannot configure REINFORCE as it has no setting "klCoefficient"/,
  );
});

Deno.test("what is no algorithm, no policy or no state is refused in a sentence", () => {
  const make = (algorithm: unknown, policy: unknown = new Bare(V)) =>
    new Trainer(policy as Bare, {}, algorithm as Algorithm);
  const cannot = "Cannot train as an algorithm is a name, or an object as rl/algorithm.ts says: ";
  for (const given of [null, 7]) {
    assert.throws(() => make(given), { name: "TypeError", message: `${cannot}it is ${given}` });
  }
  const { needs: _needs, loss: _loss, ...some } = reinforce(1);
  const message = `${cannot}this object lacks needs, loss`;
  assert.throws(() => make(some), { name: "TypeError", message });
  assert.throws(() => make({ ...reinforce(1), options: null }), /this object lacks options$/);
  assert.throws(() => make({ ...reinforce(1), needs: () => {} }), /its groupSize is undefined$/);
  for (const policy of [null, 0]) {
    const message = `Cannot train with reinforce as there is no policy: it is ${policy}`;
    assert.throws(() => make(reinforce(1), policy), { name: "TypeError", message });
  }
  for (const state of [null, undefined, "step 3"]) {
    assert.throws(() => make(reinforce(1)).restore(state as never), {
      name: "TypeError",
      message: `Cannot restore the trainer as its state is what state() gave: it is ${
        described(state)
      }`,
    });
  }
});

Deno.test("an algorithm that gives nothing where something is due is refused by name", async () => {
  const step = (change: object) =>
    new Trainer(new Bare(V), FAST, { ...reinforce(1), ...change }).step(PROMPTS, successor);
  const cannot = "Cannot learn by reinforce as its advantages() must give { advantage }: it gave ";
  const refused = { name: "TypeError", message: `${cannot}undefined` };
  await assert.rejects(step({ advantages: () => {} }), refused);
  await assert.rejects(step({ advantages: () => ({ returns: [] }) }), {
    name: "TypeError",
    message: `${cannot}an object with returns`,
  });
});

Deno.test("an algorithm reports what its table has, no more and no less", async () => {
  const plain = reinforce(1);
  const silent = { ...plain, report: undefined }, loud = { ...plain, report: () => ({ luck: 1 }) };
  const step = (algorithm: typeof silent) =>
    new Trainer(new Bare(V), FAST, algorithm).step(PROMPTS, successor);
  await assert.rejects(step(silent), /Cannot report a step as "score\/baseline" is missing/);
  const both = { ...plain, report: () => ({ "score/baseline": 0, "score/luck": 1 }) };
  await assert.rejects(step(both as never), /"score\/luck" is not in the table of metrics/);
  await assert.rejects(step(loud as never), /Cannot report a step as/);
});

Deno.test("the mean over tokens weighs every token of a batch alike, and takes no notice of others", () => {
  const grid = keepRows(alignResponses([[1, 2, 3], [4], [5, 6]]), [true, false, true]);
  const weight = tokenMean(grid);
  assert.deepEqual([...weight], [1, 1, 1, 0, 0, 0, 1, 1, 0].map((m) => m / 5));
  assert.ok(tokenMean(keepRows(grid, [false, false, false])).every((w) => w === 0));
  // Rows taken out of a batch keep its weights: they do not become a batch of their own.
  const rows = [2, 1], part = gridOfRows(grid, rows), taken = takeRows(weight, grid, rows);
  assert.ok(taken instanceof Float64Array);
  assert.deepEqual([...taken], [1 / 5, 1 / 5, 0, 0]);
  assert.notDeepEqual([...taken], [...tokenMean(part)]);
});

Deno.test("no size of the pieces changes the gradient, by whatever weights", async () => {
  /** Half the batch's loss to each row, however long it is. */
  const sequenceMean: Algorithm<{ keep: number }>["weights"] = ({ grid: { B, T, mask, length } }) =>
    Float64Array.from(mask, (m, i) => m ? 1 / (B * length[Math.floor(i / T)]) : 0);
  const gradientOf = async (microbatchRows: number, weights?: typeof sequenceMean) => {
    const seen: EvaluationGradient[] = [];
    class Watched extends Bare {
      override step(): void { // the gradient of the whole batch, before it moves anything
        seen.push({ dlogprob: Float32Array.from(this.dlogits) });
        this.zeroGradient();
      }
    }
    const policy = new Watched(V, (i) => Math.sin(3 * i));
    const algorithm = { ...reinforce(1), weights };
    const settings = { ...FAST, maxNewTokens: 5, microbatchRows };
    await new Trainer(policy, settings, algorithm).step(PROMPTS, successor);
    return seen[0].dlogprob;
  };
  const [token, sequence] = [await gradientOf(0), await gradientOf(0, sequenceMean)];
  assert.ok(token.some((g, i) => Math.abs(g - sequence[i]) > 1e-3), "the two means differ");
  for (const size of [1, 3, 7, 20]) {
    assertClose(await gradientOf(size), token, `token mean, pieces of ${size}`, 1e-7);
    const got = await gradientOf(size, sequenceMean);
    assertClose(got, sequence, `sequence mean, pieces of ${size}`, 1e-7);
  }
});

/** Folders whose code may name no algorithm, and what in them may. */
const FOLDERS = ["rl", "tasks", "rewards", "model", "kernels", "base", "experiment", "cli"];
/**
 * Its own folder, presets, studies, the reader of checkpoints whose field an algorithm had given its name, and what other
 * libraries call their settings.
 */
const ALLOWED = [
  "rl/algorithms/",
  "experiment/presets/",
  "experiment/studies/",
  "experiment/folder/checkpoint.ts",
  "cli/synonyms.ts",
];
/** An algorithm's own name, or an identifier that begins with it. */
const NAMED = /\bppo\b|\bPpo[A-Z]|\bPPO_|\bppo[A-Z]/;

/** Code without comments, and without the names that columns have in TRL: `ppo/...` in quotes. */
const codeOf = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$/gm, "").replaceAll(/"ppo\/[\w/]+"/g, '""');

Deno.test("no file outside rl/algorithms names an algorithm", async () => {
  const found: string[] = [];
  let files = 0;
  const look = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await look(path);
      else if (path.endsWith(".ts") && !ALLOWED.some((start) => path.startsWith(start))) {
        files++;
        const lines = codeOf(await Deno.readTextFile(path)).split("\n");
        found.push(...lines.filter((line) => NAMED.test(line)).map((line) => `${path}: ${line}`));
      }
    }
  };
  for (const folder of FOLDERS) await look(folder);
  assert.deepEqual(found, []);
  assert.ok(files > 100, `read only ${files} files`);
});

Deno.test("a name of an algorithm is found in code, and not in a comment or a column's alias", () => {
  for (const code of ['find("ppo")', "new PpoTrainer()", "PPO_OPTIONS.rows", "ppoLoss(x)"]) {
    assert.ok(NAMED.test(codeOf(code)), code);
  }
  for (const text of ["// as ppo does", "/** PPO_X\n * ppo */", 'row("ppo/loss/policy")']) {
    assert.ok(!NAMED.test(codeOf(text)), text);
  }
});
