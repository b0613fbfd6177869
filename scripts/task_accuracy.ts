/**
 * How a model answers every task's own prompts before any training: greedily, all prompts of each split.
 *
 *     deno run --allow-read --allow-env scripts/task_accuracy.ts [MODEL] [DEVICE]
 *
 * Prints a table for a README.md: the share of right answers (`exact`, or the number in place of it for
 * math), and the first answer.
 * @module
 */
import { openDevice } from "../kernels/devices/open.ts";
import type { DeviceChoice } from "../kernels/devices/open.ts";
import { generateText } from "../model/generation/text.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { modelFolder } from "../model/hub/find_model.ts";
import { describeModel, loadModel, loadTokenizer } from "../model/hub/load.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { sameText } from "../rewards/exact.ts";
import { openTaskNow } from "../tasks/open.ts";
import type { Task } from "../tasks/task.ts";

type Answered = Task["examples"]["train"];

/** Tasks with answers, each with settings of its own. */
const ASKED = [
  ...["opposites", "categories", "colors", "shades", "analogies", "copy", "negative"]
    .map((name) => ({ name, settings: {} })),
  { name: "math", settings: { level: 1 } },
  { name: "math", settings: { level: 2 } },
];
const ROWS = 48; // prompts at once

/** The greedy completions of prompts. */
async function complete(
  { model, tokenizer }: { model: Gpt2; tokenizer: Tokenizer },
  prompts: string[],
  maxNewTokens: number,
): Promise<string[]> {
  const texts: string[] = [];
  for (let at = 0; at < prompts.length; at += ROWS) {
    const part = prompts.slice(at, at + ROWS), said = part.map(() => "");
    const settings = { maxNewTokens, temperature: 1, greedy: true, seed: 0 };
    for await (const news of generateText({ model, tokenizer }, part, settings)) {
      for (const { row, text } of news) said[row] += text;
    }
    texts.push(...said);
  }
  return texts;
}

const right = (examples: Answered, texts: string[]): number =>
  examples.filter(({ answer = "", accepted = [] }, i) =>
    [answer, ...accepted].some((one) => sameText(texts[i], one))
  ).length / examples.length;

/** One row of the table. */
async function row(
  loaded: { model: Gpt2; tokenizer: Tokenizer },
  { name, settings }: (typeof ASKED)[number],
): Promise<string> {
  const { task } = openTaskNow(name, settings);
  const { train, heldout } = task.examples;
  const of = (examples: Answered) =>
    complete(loaded, examples.map(({ prompt }) => prompt), task.maxNewTokens);
  const [trained, kept] = [await of(train), await of(heldout)];
  const said = JSON.stringify(trained[0]);
  const title = [name, ...Object.entries(settings).map((pair) => pair.join(" "))].join(", ");
  const shares = [right(train, trained), right(heldout, kept)].map((share) => share.toFixed(2));
  return `| ${title} | ${train.length} | ${shares[0]} | ${heldout.length} | ${shares[1]} | ` +
    `\`${JSON.stringify(train[0].prompt)}\` gives \`${said}\` |`;
}

if (import.meta.main) {
  const [name = "small", choice = "auto"] = Deno.args;
  const folder = await modelFolder(name);
  using device = await openDevice(choice as DeviceChoice);
  const { config } = await describeModel(folder);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  using model = await loadModel(device, folder, { frozen: true });
  console.log("| task | prompts | right | held out | right | the first |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const asked of ASKED) console.log(await row({ model, tokenizer }, asked));
}
