/** Parents that work their answers out, or ask a server. */
import assert from "node:assert/strict";
import { parentAnswer } from "../../rewards/parents/answer.ts";
import { quotedSentence, ruleParent } from "../../rewards/parents/rule.ts";
import { parentMessages } from "../../rewards/parents/server.ts";
import { openParent, PARENT_OPTIONS } from "../../rewards/parents/settings.ts";
import { OutageError } from "../../rewards/servers/errors.ts";
import { Servers } from "../../rewards/servers/servers.ts";
import { colors } from "../../tasks/colors.ts";
import { FakeServer } from "./_server.ts";

const example = (prompt: string, more = {}) => ({ id: prompt, prompt, ...more });

Deno.test("parentAnswer() reads JSON, else what looks like it, else the text", () => {
  const cases: [string, string | null][] = [
    ['{"OUTPUT": "purple"}', "purple"],
    ['{"OUTPUT": " light blue \\n"}', "light blue"],
    ['{"OUTPUT": "say \\"no\\""}', 'say "no"'],
    ['{"OUTPUT": 7}', "7"],
    ['```json\n{"OUTPUT": "purple"}\n```', "purple"],
    ['Sure! {"OUTPUT": "a \\u00e9"} as asked', "a é"],
    ['{"OUTPUT": "purple", }', "purple"], // no JSON
    ["{'OUTPUT': \"purple\"}", "purple"],
    ['OUTPUT: "purple"', "purple"],
    ["purple", "purple"],
    ["  purple\n", "purple"],
    ["", null],
    [" \n", null],
    ['{"OUTPUT": ""}', null],
    ['{"OUTPUT": null}', null],
    ['{"output": "purple"}', null], // JSON of another form is no answer
    ['{"OUTPUT": ["purple"]}', null],
    ["42", "42"],
    ["42.50", "42.50"], // as it is written
    ["true", "true"],
    ['"purple"', "purple"],
    ['" "', null],
    ['{"OUTPUT": false}', "false"],
    ['Sure: {"OUTPUT": 42}', "42"],
    ['Sure: {"OUTPUT": -1.5, "SURE": 1}', "-1.5"],
    ['Sure: {"OUTPUT": null}', null],
    ["OUTPUT: 7", "7"],
    ["OUTPUT: 7 apples", "OUTPUT: 7 apples"],
    ["OUTPUT: 1.2.3", "OUTPUT: 1.2.3"],
    ['```json\n{"OUTPUT": 42}\n```', "42"],
    ['{"OUTPUT": "blue"}, or rather {"OUTPUT": "purple"}', "purple"],
    ['{"OUTPUT": "blue"}, or rather {"OUTPUT": 42}', "42"],
    ['{"OUTPUT": "blue"}, or rather {"OUTPUT": "pur', "blue"],
    ['<think>maybe {"OUTPUT":"blue"}? no.</think>{"OUTPUT":"purple"}', "purple"],
    ['<think>maybe {"OUTPUT":"blue"}? no.</think>\n42', "42"],
    ["<think>hm</think>purple", "purple"],
    ["<think>hm</think>", null],
    ['<think>maybe {"OUTPUT":"blue"}', null], // it has not answered yet
    ["null", null],
    ["[1]", null],
  ];
  for (const [text, answer] of cases) assert.equal(parentAnswer(text), answer, text);
});

Deno.test("the rule gives the sentence that a prompt quotes", async () => {
  const cases: [string, string | null][] = [
    ["Copy this sentence: 'The sun is up.'", "The sun is up."],
    ["Copy this sentence: 'I'm here, and it's fine'", "I'm here, and it's fine"],
    ["It's this: \"He said 'no'\" ", "He said 'no'"],
    ["Copy: “Good day”", "Good day"],
    ["Copy: ‘It’s good’", "It’s good"],
    ["Say 'a' and 'b'", "a' and 'b"], // the first opens, the last closes
    ["Copy ''", null],
    ["Copy this", null],
    ["the dogs'", null],
    ["'", null],
    ["", null],
    ["Mix red and blue is => ", null],
  ];
  for (const [prompt, sentence] of cases) {
    assert.equal(quotedSentence(example(prompt)), sentence, prompt);
  }
  assert.equal(quotedSentence(example("Copy 'a'", { sentence: "b" })), "b");
  const parent = ruleParent(({ id }) => id === "x" ? null : id.toUpperCase(), "upper case");
  assert.equal(parent.name, "upper case");
  assert.deepEqual(await parent.answer([example("a"), example("x")]), ["A", null]);
});

const open = (settings: Record<string, string>, fake?: FakeServer, limits = {}, access = {}) =>
  openParent(
    PARENT_OPTIONS.resolve({ ...(fake && { parent: fake.url, parentModel: "m" }), ...settings }),
    colors(),
    new Servers(access, { serverPause: 0.001, serverRetries: 2, ...limits }),
  );

Deno.test("a run's parent is the task's table, a rule that suits it, or a server", async () => {
  assert.equal((await open({})).name, colors().parent.name);
  await assert.rejects(
    open({ parent: "rule" }),
    /^TypeError: Cannot use parent=rule as it gives the quoted sentence .*: no prompt of colors has one; leave/,
  );
  const quoting = { ...colors(), examples: { train: [example("Copy 'a b'")], heldout: [] } };
  const rule = await openParent(PARENT_OPTIONS.resolve({ parent: "rule" }), quoting, new Servers());
  assert.deepEqual(await rule.answer(quoting.examples.train), ["a b"]);
  for (const parent of ["tabel", "gpt-4o-mini", "ftp://a/v1"]) {
    await assert.rejects(open({ parent }), (error) => {
      assert.match(
        String(error),
        /^TypeError: Cannot use the parent as it must be table, rule, or an address/,
      );
      return !String(error).includes(parent);
    });
  }
  await assert.rejects(open({ parent: "https://a.example/v1" }), /parentModel must name its model/);
});

Deno.test("a server is told the task, four of its answers and the prompt, and asked once for each", async () => {
  await using fake = await FakeServer.open({
    chat: ({ body }) => {
      const { INPUT } = JSON.parse(body.messages.at(-1).content);
      return JSON.stringify({ OUTPUT: `answer to ${INPUT}` });
    },
  });
  const parent = await open({}, fake);
  assert.equal(parent.name, `m at ${fake.url}`);
  const all = ["a", "b", "a"].map((prompt) => example(prompt));
  assert.deepEqual(await parent.answer(all), ["answer to a", "answer to b", "answer to a"]);
  assert.deepEqual(await parent.answer(all), ["answer to a", "answer to b", "answer to a"]);
  assert.equal(fake.seen.length, 2);
  const asked = fake.seen.map(({ body }) => body); // in any order
  const { messages, temperature, model } = asked.find(({ messages }) =>
    messages.at(-1).content === JSON.stringify({ INPUT: "a" })
  );
  assert.deepEqual([temperature, model], [0, "m"]);
  assert.equal(messages.length, 1 + 2 * 4 + 1);
  assert.match(
    messages[0].content,
    /^name what two colours give when mixed\nAnswer with JSON .* OUTPUT/,
  );
  const [{ prompt, answer }] = colors().examples.train;
  assert.deepEqual(messages.slice(1, 3), [
    { role: "user", content: JSON.stringify({ INPUT: prompt }) },
    { role: "assistant", content: JSON.stringify({ OUTPUT: answer }) },
  ]);
  assert.deepEqual(
    messages,
    parentMessages({
      instruction: colors().summary,
      shots: colors().examples.train.slice(0, 4),
    }, "a"),
  );
  await (await open({ parentInstruction: "Be kind." }, fake)).answer([example("c")]);
  assert.match(fake.seen[2].body.messages[0].content, /^Be kind\.\n/);
});

Deno.test("an answer that does not come is null, is not kept, and is asked for again", async () => {
  let down = true;
  await using fake = await FakeServer.open({
    fault: () => down ? "trouble" : undefined,
    chat: () => '{"OUTPUT": "red"}',
  });
  const parent = await open({}, fake), prompts = [example("a")];
  assert.deepEqual(await parent.answer(prompts), [null]);
  assert.equal(fake.seen.length, 3);
  down = false;
  assert.deepEqual(await parent.answer(prompts), ["red"]);
  assert.equal(fake.seen.length, 4);

  await using odd = await FakeServer.open({ chat: () => '{"answer": "red"}' });
  assert.deepEqual(await (await open({}, odd)).answer(prompts), [null]);
  assert.equal(odd.seen.length, 3, "another try may have another form");

  down = true;
  const all = Array.from({ length: 9 }, (_, i) => example(`${i}`));
  const strict = await open({}, fake, { serverOutage: 2, serverRetries: 0 });
  await assert.rejects(strict.answer(all), OutageError);
});
