/** What players that learn nothing earn: worked by hand, bounded, kept, and told again on a resume. @module */
import assert from "node:assert/strict";
import {
  boundsFor,
  boundsNotice,
  distinctAnswers,
  type Game,
  lastWord,
  play,
} from "../../experiment/players.ts";
import type { Players } from "../../experiment/observer.ts";
import { chooseRewards, openRewards } from "../../experiment/rewards.ts";
import { readRun } from "../../experiment/folder/run_data.ts";
import { trainTask } from "../../experiment/train.ts";
import { combine } from "../../rewards/combine.ts";
import { exact } from "../../rewards/exact.ts";
import { functionReward } from "../../rewards/own.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import type { Example, Reward } from "../../rewards/reward.ts";
import { csvTask } from "../../tasks/csv.ts";
import { withFolder } from "../_folder.ts";
import { resumeIn, runInto, smallRequest } from "./folder/_small_run.ts";
import { Recorder } from "./_model.ts";

/** Words as tokens: a text of three is cut to two where two are all that may be said. */
const words: string[] = [];
const tokenizer = {
  encode: (text: string) =>
    Int32Array.from([...text.match(/\s*\S+|\s+/g) ?? []], (word) => words.push(word) - 1),
  decode: (ids: ArrayLike<number>) => Array.from(ids, (id) => words[id]).join(""),
} as Game["tokenizer"];

const BOUNDS = { answers: 50, train: 200, heldout: 1000 };

/** Prompts with their answers: `hot cold` is the example of id hot. */
const examplesOf = (words: string): Example[] =>
  words.split(", ").map((pair) => pair.split(" ")).map(([word, answer]) => ({
    id: word,
    prompt: `The opposite of “${word}”:`,
    answer,
  }));

const game = (change: Partial<Game>): Game => ({
  examples: { train: [], heldout: [] },
  rewards: combine([{ reward: exact(), weight: 1 }]),
  ...{ tokenizer, maxNewTokens: 2, batchSize: 2, bounds: BOUNDS },
  ...change,
});

Deno.test("the last word of a prompt has no quotes and no punctuation around it", () => {
  const cases: [string, string][] = [
    ['What is the opposite of "hot"?', "hot"],
    ["red and blue is => ", "is"],
    ["The opposite of ‘früh’ …", "früh"],
    ["It isn't", "isn't"],
    ["12 + 7.5 =", "7.5"],
    ["e\u0301te\u0301!", "e\u0301te\u0301"],
    ["=> — ?", ""],
    ["", ""],
  ];
  for (const [text, want] of cases) assert.equal(lastWord(text), want, text);
});

Deno.test("answers are tried by how frequent they are, of equal ones the earlier first", () => {
  const train = examplesOf("a x, b y, c y, d z, e x, f w");
  assert.deepEqual(distinctAnswers([...train, { id: "g", prompt: "" }]), ["x", "y", "z", "w"]);
});

Deno.test("by exact, copying earns what equals its word, the constant its share, silence nothing", async () => {
  const train = examplesOf("hot cold, wet dry, damp dry, big small");
  const heldout = examplesOf("warm cold, dry dry, moist dry, humid dry, same same");
  assert.deepEqual(await play(game({ examples: { train, heldout } })), {
    prompts: 5,
    copy: { exact: 2 / 5, reward: 2 / 5 }, // dry and same
    constant: {
      answer: "dry",
      tried: { answers: 3, of: 3, prompts: 4 },
      ...{ exact: 3 / 5, reward: 3 / 5 },
    },
    nothing: { exact: 0, reward: 0 },
  });
});

Deno.test("the constant is the answer that earns most on training prompts, not the most frequent one", async () => {
  // 1, 2, 3 and 9 by length: "cat" and "dog" earn 3 where their length is wanted, less by what they miss.
  const near = functionReward(
    "near",
    (text: string, { answer = "" }: Example) => 3 - Math.abs(text.trim().length - answer.length),
  );
  const train = examplesOf("a b, b b, c nine-long, d six-1, e seven-1");
  const heldout = examplesOf("f abcd, g ab");
  const played = await play(
    game({ examples: { train, heldout }, rewards: combine([{ reward: near, weight: 2 }]) }),
  );
  // Lengths 1, 1, 9, 5, 7: of length 5 misses 4+4+4+0+2 = 14, of 7 16, of 9 22, of 1 18.
  assert.equal(played!.constant!.answer, "six-1");
  assert.equal(played!.constant!.reward, 2 * ((3 - 1) + (3 - 3)) / 2);
  assert.equal(played!.copy.reward, 2 * ((3 - 3) + (3 - 1)) / 2);
  assert.equal(played!.nothing.reward, 2 * ((3 - 4) + (3 - 2)) / 2);
});

Deno.test("in an embedding space copying an opposite's prompt earns much, though nothing is right", async () => {
  const heldout = examplesOf("hot cold, big small, open closed, early late, wet dry, full empty");
  const train = examplesOf("slow fast, old new");
  const parent = tableParent(
    new Map([...train, ...heldout].map(({ id, answer }) => [id, answer!])),
  );
  const rewards = await openRewards({ parent, defaultRewards: "semantic" });
  const played = await play(game({ examples: { train, heldout }, rewards }));
  // Cosines in GloVe's space of 50 dimensions; R = ((cos + 1) / 2)^4.
  const cosines = [0.80214, 0.69943, 0.711, 0.93283, 0.8692, 0.57226];
  const want = cosines.reduce((sum, c) => sum + ((c + 1) / 2) ** 4, 0) / 6;
  assert.equal(played!.copy.exact, 0);
  assert.ok(Math.abs(played!.copy.reward - want) < 1e-4, `${played!.copy.reward} for ${want}`);
  assert.ok(Math.abs(want - 0.6222) < 1e-3);
  assert.deepEqual(played!.nothing, { exact: 0, reward: 0 });
  const affine = await openRewards({ parent, defaultRewards: "" }, "semantic", {
    settings: { semanticPower: 1 },
  });
  const linear = await play(game({ examples: { train, heldout }, rewards: affine }));
  assert.ok(Math.abs(linear!.copy.reward - (1 + 4.58686 / 6) / 2) < 1e-4);
});

Deno.test("nobody says more than a policy may, and a prompt's own space is not doubled", async () => {
  const said: string[] = [];
  const spy: Reward = {
    name: "spy",
    score: (
      { completions },
    ) => (said.push(...completions), Promise.resolve(completions.map(() => 1))),
  };
  const train = [{ id: "a", prompt: "p", answer: "one two three" }];
  const heldout = [{ id: "b", prompt: "say hot " }, { id: "c", prompt: "say hot" }, {
    id: "d",
    prompt: "?",
  }];
  const played = await play(
    game({ examples: { train, heldout }, rewards: combine([{ reward: spy, weight: 1 }]) }),
  );
  assert.deepEqual(said, ["hot", " hot", " ", "one two", "one two", "one two", "", "", ""]);
  assert.equal(played!.constant!.answer, "one two three"); // one answer needs no search
  assert.ok(Number.isNaN(played!.copy.exact), "nothing to compare with");
});

Deno.test("without held-out prompts nobody plays, without answers nobody is constant", async () => {
  const train = examplesOf("a b, c d");
  assert.equal(await play(game({ examples: { train, heldout: [] } })), undefined);
  const bare = train.map(({ id, prompt }) => ({ id, prompt }));
  const played = await play(game({ examples: { train: bare, heldout: bare } }));
  assert.deepEqual(Object.keys(played!), ["prompts", "copy", "nothing"]);
});

Deno.test("a reward that may be slow is asked little, and it is said how little", async () => {
  const own: Reward = {
    name: "own",
    score: ({ prompts }) => Promise.resolve(prompts.map(() => 0)),
  };
  const chosen = (asked: Parameters<typeof chooseRewards>[0], settings = {}) =>
    boundsFor(chooseRewards(asked, settings));
  assert.deepEqual(chosen("exact,semantic"), { answers: 50, train: 200, heldout: 1000 });
  const slow = { answers: 5, train: 16, heldout: 32 };
  assert.deepEqual(chosen(["exact", own]), slow);
  assert.deepEqual(chosen("semantic", { semanticEmbedder: "someone/encoder" }), slow);
  const places: string[] = [];
  let asked = 0;
  const counted: Reward = {
    name: "counted",
    score: ({ prompts, completions }) => {
      asked += completions.length;
      if (completions[0] === "") places.push(...prompts);
      return Promise.resolve(completions.map((text) => text === "a7" ? 1 : 0));
    },
  };
  const many = Array.from(
    { length: 100 },
    (_, i) => ({ id: `${i}`, prompt: `p${i}`, answer: `a${i % 10}` }),
  );
  const bounded = game({
    examples: { train: many, heldout: many },
    ...{ rewards: combine([{ reward: counted, weight: 1 }]), bounds: slow },
  });
  const played = await play(bounded);
  assert.equal(asked, 5 * 16 + 3 * 32);
  assert.deepEqual(played!.constant!.tried, { answers: 5, of: 10, prompts: 16 });
  assert.equal(played!.constant!.answer, "a0"); // a7 is beyond the five
  assert.equal(played!.prompts, 32);
  assert.deepEqual(places.slice(0, 5), ["p0", "p3", "p6", "p9", "p12"]); // spread over all of them
  assert.equal(places.at(-1), "p96");
  assert.equal(
    boundsNotice(bounded),
    "players that learn nothing are scored on 32 of 100 held-out prompts; the constant one tries 5 of 10 answers " +
      "on 16 of 100 training prompts",
  );
  assert.equal(boundsNotice({ ...bounded, bounds: BOUNDS }), undefined);
  const bare = many.map(({ id, prompt }) => ({ id, prompt }));
  assert.equal(
    boundsNotice({ ...bounded, examples: { train: bare, heldout: bare.slice(0, 3) } }),
    "players that learn nothing are scored on all 3 held-out prompts",
  );
});

Deno.test("a run's summary has them; what rewards count for them is not in its metrics", () =>
  withFolder(async (place) => {
    const request = await smallRequest(place), calls: string[][] = [];
    let count = 0;
    const reward: Reward = {
      name: "counting",
      counts: ["asked"],
      score: ({ completions }) => {
        calls.push([...completions]);
        count += completions.length;
        return Promise.resolve(completions.map((text) => text === "" ? 0.25 : text.length));
      },
      takeCounts() {
        const asked = count;
        count = 0;
        return { asked };
      },
    };
    const run = new Recorder(`${place}/run`), told: Players[] = [];
    const watched = Object.assign(run, { players: (of: Players) => void told.push(of) });
    const summary = await trainTask({ ...request, steps: 2, reward }, watched);
    assert.equal(summary.players!.nothing.reward, 0.25);
    assert.equal(told.length, 1);
    assert.deepEqual(told[0], summary.players);
    const batch = run.info!.config.batchSize as number;
    assert.deepEqual(run.rows.map((row) => row["rewards/counting/asked"]), [batch, batch]);
    const none = await trainTask(
      { ...request, steps: 1, reward, players: false },
      new Recorder(`${place}/b`),
    );
    assert.ok(!("players" in none));
    // The run itself is the same, whoever plays before it.
    const quiet = new Recorder(`${place}/quiet`);
    await trainTask({ ...request, steps: 2, reward, players: false }, quiet);
    assert.deepEqual(quiet.rows, run.rows);
  }));

Deno.test("a resumed run restates what is stored, and asks nobody again", () =>
  withFolder(async (place) => {
    const request = { ...await smallRequest(place), task: table(), steps: 3 };
    await runInto(`${place}/whole`, request);
    const whole = (await readRun(`${place}/whole`)).summary!;
    assert.deepEqual(Object.keys(whole.players!), ["prompts", "copy", "constant", "nothing"]);
    const folder = `${place}/cut`;
    await runInto(folder, request, { stop: 1 });
    const asked: string[] = [];
    const spy: Reward = {
      name: "exact2",
      score: (
        { completions },
      ) => (asked.push(...completions), Promise.resolve(completions.map(() => 0))),
    };
    await resumeIn(folder, request);
    assert.deepEqual((await readRun(folder)).summary!.players, whole.players);
    // Also where nothing is numbers: a mean of nothing is null in JSON.
    const own = { ...request, reward: spy, task: { ...table(), fits: ["exact2"] } };
    await runInto(`${place}/own`, own, { stop: 1 });
    const played = () => asked.filter((text) => text === " Italy").length; // the prompt's last word
    assert.equal(played(), 1);
    await resumeIn(`${place}/own`, own);
    assert.equal(played(), 1);
  }));

const table = () =>
  csvTask("prompt,answer,split\nFrance:,Paris,train\nItaly:,Rome,heldout\n", { file: "a.csv" });
