/**
 * How a model answers every task's own prompts before any training: greedily, the prompts of both splits.
 *
 *     deno run --allow-read --allow-env scripts/task_accuracy.ts [MODEL] [DEVICE]
 *
 * Prints the table of assets/small/README.md: the share of right answers (accepted ones count) to the task's
 * prompts, trained and held out, and to the same questions in one wording of small's corpus, and what one answer
 * to all of them would earn.
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

/** An example's question in a wording that small's corpus has; its id is what its task says. */
type OwnWording = (id: string, example: Answered[number]) => string;

/** Tasks with answers, each with settings of its own. */
const ASKED: { name: string; settings: Record<string, number>; own: OwnWording }[] = [
  { name: "opposites", settings: {}, own: (word) => `The contrary of ${word} is` },
  { name: "categories", settings: {}, own: (word) => `class(${word}) =` },
  { name: "analogies", settings: {}, own: (id) => wordedAnalogy(id) },
  { name: "shades", settings: {}, own: (id) => `${id.replaceAll("+", " + ")} =` },
  { name: "colors", settings: {}, own: (id) => `${id.replaceAll("+", " + ")} =` },
  { name: "copy", settings: {}, own: (sentence) => `Repeat this line: '${sentence}'` },
  { name: "negative", settings: {}, own: (sentence) => `Say this in a sad way: '${sentence}'` },
  ...[1, 2].map((level) => ({ name: "math", settings: { level }, own: bareSum })),
];

function wordedAnalogy(id: string): string {
  const [a, b, c] = id.split(/:+/);
  return `${a} fits ${b} like ${c} fits`;
}

/** Problems of one step say their sum, such as 7+5. */
function bareSum(_id: string, example: Answered[number]): string {
  return `${String(example.sum).replace(/([-+*/])/, " $1 ")} =`;
}

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

/** A line of the corpus may go on, or end in a full stop. */
const plain = (text: string): string => text.trim().split("\n")[0].replace(/\.$/, "");

function right(examples: Answered, texts: string[], read = (text: string) => text): string {
  const count =
    examples.filter(({ answer = "", accepted = [] }, i) =>
      [answer, ...accepted].some((one) => sameText(read(texts[i]), read(one)))
    ).length;
  return (count / examples.length).toFixed(2);
}

/** The share of the answer that most examples have. */
function commonest(examples: Answered): string {
  const counts = Map.groupBy(examples, ({ answer }) => answer);
  const most = Math.max(...[...counts.values()].map(({ length }) => length));
  return (most / examples.length).toFixed(2);
}

/** One row of the table. */
async function row(
  loaded: { model: Gpt2; tokenizer: Tokenizer },
  { name, settings, own }: (typeof ASKED)[number],
): Promise<string> {
  const { task } = openTaskNow(name, settings);
  const { train, heldout } = task.examples, all = [...train, ...heldout];
  const told = await complete(loaded, all.map(({ prompt }) => prompt), task.maxNewTokens);
  const title = [name, ...Object.entries(settings).map((pair) => pair.join(" "))].join(", ");
  const owned = await complete(loaded, all.map((one) => own(one.id, one)), task.maxNewTokens);
  return "| " + [
    title,
    right(train, told),
    right(heldout, told.slice(train.length)),
    right(all, owned, plain),
    commonest(all),
    `\`${JSON.stringify(told[0])}\``,
  ].join(" | ") + " |";
}

if (import.meta.main) {
  const [name = "small", choice = "auto"] = Deno.args;
  const folder = await modelFolder(name);
  using device = await openDevice(choice as DeviceChoice);
  const { config } = await describeModel(folder);
  const tokenizer = await loadTokenizer(folder, { modelVocab: config.vocab_size });
  using model = await loadModel(device, folder, { frozen: true });
  console.log("| task | prompts | held out | own wording | one answer | the first prompt gives |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const asked of ASKED) console.log(await row({ model, tokenizer }, asked));
}
