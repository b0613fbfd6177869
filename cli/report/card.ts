/**
 * The model card of an export: README.md with the metadata that the Hugging Face hub reads. All of it
 * comes from the run's files; what they do not know is not said. Text from outside goes through
 * `markdown`, `cell`, `code`, `fence` or `scalar`.
 * @module
 */
import type { ExportFacts } from "../../experiment/export.ts";
import type { Split } from "../../experiment/observer.ts";
import { cell, code, fence, markdown, markdownTable } from "./markdown.ts";
import {
  howToUse,
  lastPart,
  licence,
  mergedAdapter,
  metadata,
  network,
  origin,
  rounding,
  withoutFolders,
} from "./card_words.ts";
import { findings, ONE_SEED, warnings } from "./report_words.ts";
import { pairs, type RunData } from "../../experiment/folder/run_data.ts";
import { settingRows } from "./setting_rows.ts";
import { deviceWords, duration, printable, short } from "../terminal.ts";
import { measureOf, playerRows } from "./results.ts";
import { score } from "./table.ts";

const SHOWN = 6; // completions

/** What the card is about. */
export interface CardSubject {
  /** Folder of the export, as a reader of the card may write it. */
  folder: string;
  /** The run, and the step after which its weights were taken; absent for a model without one. */
  run?: { data: RunData; step: number };
}

/** The whole text. The same run gives the same bytes. */
export function modelCard({ folder, run }: CardSubject, facts: ExportFacts): string {
  const parts = run ? ofRun(folder, run, facts) : ofModel(folder, facts);
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

function ofModel(folder: string, facts: ExportFacts): string[] {
  const { source } = facts;
  const name = source.kind === "hub" ? source.id : lastPart(source.path);
  const use = { folder, prompt: "The sky is", tokens: Math.min(32, facts.positions >> 1) };
  return [
    metadata(source, []),
    `# ${markdown(name)}`,
    `The weights of ${
      origin(source, name)
    }, as PlainRL read them and wrote them again. PlainRL did ` +
    "not train them further, or the run that did is not known here: see the card of the original.",
    network(facts),
    mergedAdapter(facts, false),
    howToUse(facts, use),
    "## Limits\n\n" + list([
      "Nothing was measured of this model here.",
      ...rounding(facts),
      licence(source),
    ]),
  ];
}

function ofRun(
  folder: string,
  { data, step }: { data: RunData; step: number },
  facts: ExportFacts,
): string[] {
  const { config, summary } = data;
  const isEnd = summary !== undefined && step === summary.steps;
  const upTo: RunData = {
    ...data,
    metrics: data.metrics.filter(([at]) => at <= step),
    summary: isEnd ? summary : undefined,
  };
  const base = config.source ?? undefined;
  const state = isEnd
    ? "the end of the run"
    : summary
    ? "before the end of the run"
    : "and the run had not reached its end when they were written";
  const heldout =
    data.completions.find(({ phase, split }) => phase === "before" && split === "heldout")
      ?.prompt ?? "";
  const isPlain = heldout !== "" && heldout.length <= 200 && printable(heldout) === heldout;
  const use = { folder, prompt: isPlain ? heldout : "your prompt", tokens: undefined };
  return [
    metadata(base, ["reinforcement-learning", config.algorithm]),
    `# ${markdown(lastPart(config.model))} trained on ${markdown(config.task)} with ${
      markdown(config.algorithm.toUpperCase())
    }`,
    `PlainRL fine-tuned ${origin(base, config.model)} with reinforcement learning ` +
    `(${code(config.algorithm)}) on the task ${
      code(config.task)
    }. These are the weights after step ` +
    `${step} of ${markdown(String(config.steps))}, ${state}.`,
    network(facts),
    mergedAdapter(facts, true),
    "## How it was trained\n\n" + training(data, step),
    "## Results\n\n" + results(upTo),
    completions(upTo, step),
    howToUse(facts, use),
    "## Limits\n\n" + list([
      ONE_SEED,
      `The figures are of ${prompts(data, "train")} training and ${prompts(data, "heldout")} ` +
      "held-out prompts of this one task. They say nothing about other prompts or tasks.",
      "A reward is a stand-in for what is wanted; a higher one is no proof of better answers.",
      "Nothing was measured of bias, safety or fluency, which come from the model it started from.",
      ...warnings(upTo),
      ...(facts.adapter && config.config.frozenDtype === "f16"
        ? [
          "The adapter learned beside weights that were rounded to f16, as the figures are of; it is " +
          "merged into the weights as they were.",
        ]
        : []),
      ...rounding(facts),
      licence(base),
    ]),
  ];
}

function training({ config, summary, folder }: RunData, step: number): string {
  const { weights = {}, device } = config;
  const rewards = config.rewards.map((name) =>
    Object.hasOwn(weights, name) ? `${code(name)}, weight ${short(weights[name])}` : code(name)
  );
  const rows = [
    ["run", code(folder.replace(/^.*[/\\]/, ""))],
    ["task", code(config.task)],
    ["algorithm", code(config.algorithm)],
    ["rewards", rewards.join("; ")],
    ["steps", `${step} of ${markdown(String(config.steps))}`],
    ["seed", markdown(String(config.seed))],
    ["device", markdown(deviceWords(device))],
    ...(summary ? [["time of the whole run", duration(summary.seconds)]] : []),
    ["begun", markdown(config.started ?? dateIn(folder) ?? "not recorded")],
    [
      "versions",
      markdown(Object.entries(config.versions).map((pair) => pair.join(" ")).join(", ")),
    ],
  ];
  const changed = settingRows(config).filter(({ key, changed, usual }) =>
    (changed || usual === undefined) && !["seed", "totalSteps"].includes(key) // said above
  ).map(({ key, value, usual, option }) => [
    code(key),
    cell(withoutFolders(value)),
    usual === undefined ? "" : cell(usual),
    markdown(option?.doc ?? ""),
  ]);
  return [
    markdownTable([["what", "value"], ...rows]),
    "Settings that differ from PlainRL's defaults, or have none:",
    markdownTable([["setting", "value", "default", "meaning"], ...changed]),
    "The command that repeats the run:",
    fence("sh", withoutFolders(config.command)),
  ].join("\n\n");
}

function results(run: RunData): string {
  const { summary } = run;
  const words = findings(run).join(" ");
  if (!summary) {
    return "There is no comparison of before and after: greedy answers are measured at the end of a " +
      `run, and these weights are of an earlier step. ${words}`.trimEnd();
  }
  const splits = [["training", summary.train], ["held-out", summary.heldout]] as const;
  const { name: measure, of } = measureOf(summary), players = playerRows(summary);
  const table = markdownTable([
    ["prompts", `${measure} before`, `${measure} after`, "reward before", "reward after"],
    ...splits.map(([name, { before, after }]) => [
      name,
      ...[of(before), of(after), before.reward, after.reward].map(score),
    ]),
    ...players.map(({ name, result }) => [
      ...[markdown(name), score(of(result)), "", score(result.reward), ""],
    ]),
  ]);
  const what = measure === "exact"
    ? "`exact` is the share that equals the wanted answer but for case and outer spaces"
    : `${code(measure)} is the task's own measure`;
  const played = players.length > 0
    ? " The last rows learn nothing: what they earn on held-out prompts takes no model."
    : "";
  return `${table}\n\nMeans over greedy completions. ${what}, \`reward\` what the run was trained on.` +
    `${played} ${words}`;
}

/** Side by side where there is an end, else those sampled in the last step. The first ones, not chosen. */
function completions(run: RunData, step: number): string {
  if (run.summary) {
    const rows = pairs(run.completions, "heldout").slice(0, SHOWN);
    if (rows.length === 0) return "";
    return `## Completions\n\nGreedy answers to the first ${rows.length} held-out prompts:\n\n` +
      markdownTable([
        ["prompt", "before", "after", "wanted"],
        ...rows.map((row) => [row.prompt, row.before, row.after, row.answer].map(cell)),
      ]);
  }
  const rows = run.completions.filter((row) => row.phase === "train" && row.step === step)
    .slice(0, SHOWN);
  if (rows.length === 0) return "";
  return `## Completions\n\nThe first ${rows.length} sampled in step ${step}:\n\n` +
    markdownTable([
      ["prompt", "completion", "wanted", "reward"],
      ...rows.map((row) => [
        ...[row.prompt, row.completion, row.answer].map(cell),
        short(row.reward),
      ]),
    ]);
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

const prompts = ({ completions }: RunData, split: Split): number =>
  completions.filter((row) => row.phase === "before" && row.split === split).length;

/** The time in a run folder's own name. */
function dateIn(folder: string): string | undefined {
  const found = /-(\d{4}-\d\d-\d\d)-(\d\d)(\d\d)(\d\d)(?:-\d+)?$/.exec(folder);
  return found ? `${found[1]}T${found[2]}:${found[3]}:${found[4]}Z` : undefined;
}
