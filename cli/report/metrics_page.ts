/** Writes docs/metrics.md from the table of metrics: `deno task docs`. @module */
import { type MetricInfo, PPO_METRICS } from "../../rl/metrics.ts";

const metric = (
  name: string,
  [unit, range, healthy, meaning]: [unit: string, range: string, healthy: string, meaning: string],
): MetricInfo => ({ name, unit, range, healthy, meaning });

/** What `experiment/train.ts` adds to a step's metrics; NAME is the name of a reward of the run. */
// deno-fmt-ignore
export const REWARD_METRICS: readonly MetricInfo[] = [
  metric("rewards/exact/mean", ["", "0 to 1", "rises with ppo/mean_scores", "share of this step's drawn completions that equal the answer; measured in every run, trained on only where asked for"]),
  metric("rewards/NAME/mean", ["reward", "that of the reward", "rises, where its weight is above 0", "mean of one reward over the completions that it could judge, before its weight"]),
  metric("rewards/semantic/out_of_vocabulary", ["completions", "0 to batch", "falls to 0", "completions without any word that the word vectors know"]),
  metric("rewards/semantic/no_parent_answer", ["completions", "0 to batch", "0", "completions whose parent gave no answer; they get null"]),
  metric("rewards/semantic/parent_out_of_vocabulary", ["completions", "0 to batch", "0", "completions whose parent's answer has no known word; they get null"]),
];

/** What to do where a metric is not healthy. */
// deno-fmt-ignore
export const REMEDIES: Readonly<Record<string, string>> = {
  "objective/kl": "Above: raise klCoefficient or lower learningRate. Far below 0: sampler and training pass disagree; look at sampling/logp_difference_max.",
  "objective/kl_coef": "If it runs away under klControl=adaptive, klTarget is out of reach; raise it, or use klControl=fixed.",
  "objective/entropy": "Near 0 early: raise klCoefficient or entropyCoefficient, or lower learningRate.",
  "ppo/mean_non_score_reward": "Where it outweighs the score, the penalty is what is learned; lower klCoefficient.",
  "ppo/mean_scores": "Flat: see whether ppo/std_scores is above 0; then raise learningRate, the batch size or steps. Read completions.csv: a score that rises on nonsense is a flaw of the reward.",
  "ppo/std_scores": "At 0 every response scored the same: raise temperature, use a reward with more than two values, or an easier task.",
  "ppo/learning_rate": "Set learningRate, learningRateSchedule and warmupSteps.",
  "ppo/loss/policy": "Large and growing: lower learningRate or epochs.",
  "ppo/loss/value": "Rising: lower learningRate, or raise valueClip where rewards are much larger than 1.",
  "ppo/loss/total": "Look at its parts.",
  "ppo/policy/entropy": "Crash: lower learningRate, raise klCoefficient or entropyCoefficient. Rising: lower entropyCoefficient.",
  "ppo/policy/approxkl": "Above: lower learningRate or epochs, or set targetKl. Below: the steps are too small to learn from; raise learningRate.",
  "ppo/policy/policykl": "As ppo/policy/approxkl.",
  "ppo/policy/clipfrac": "Above: lower learningRate or epochs.",
  "ppo/policy/advantages_mean": "Away from 0 under whitening is a fault of the code; under whitenAdvantages=off it is ppo/returns/mean less ppo/val/mean.",
  "ppo/policy/ratio": "Away from 1: lower learningRate or epochs. Away from 1 with one epoch and one minibatch is a fault of the code.",
  "ppo/policy/ratio_min": "Below: lower learningRate or epochs.",
  "ppo/policy/ratio_max": "Above: lower learningRate or epochs.",
  "ppo/returns/mean": "As ppo/mean_scores.",
  "ppo/returns/var": "At 0 there is nothing to tell good from bad; as ppo/std_scores.",
  "ppo/val/vpred": "Stuck: raise valueCoefficient or valueClip.",
  "ppo/val/error": "Above: raise valueCoefficient, valueClip or epochs.",
  "ppo/val/clipfrac": "Above: raise valueClip; it is in reward units.",
  "ppo/val/mean": "Stuck: raise valueCoefficient or valueClip.",
  "ppo/val/var": "At 0 after many steps: raise valueCoefficient.",
  "ppo/val/var_explained": "Below 0 for long: raise valueCoefficient, or lambda towards 1 so that the estimate matters less.",
  "ppo/grad_norm": "Spikes: lower maxGradNorm or learningRate.",
  "ppo/epochs": "Fewer at every step: lower learningRate, or raise targetKl.",
  "ppo/skipped_updates": "At 1: after three in a row training stops and says which number was not finite. Lower learningRate, or mend the reward.",
  "sampling/logp_difference_max": "Above: on one device and in f32 this is a fault of the code; run deno task test.",
  "rewards/judged_count": "Below: see rewards/null_count.",
  "rewards/null_count": "Above: the rewards' own counts say why.",
  "tokens/queries_len_mean": "Not a number to steer by; it changes only where the task's prompts do.",
  "tokens/queries_len_std": "As tokens/queries_len_mean.",
  "tokens/responses_len_mean": "At maxNewTokens: responses are cut off; raise maxNewTokens. Growing without the score: the reward pays for length.",
  "tokens/responses_len_std": "At 0 all responses have one length; natural where maxNewTokens is 1 or 2.",
  "tokens/finished_share": "Below: raise maxNewTokens, or reward a clear end. Short answers of a fixed length may never end with EOS.",
  "rewards/exact/mean": "Flat while another reward rises: that reward pays for something else than right answers.",
  "rewards/NAME/mean": "Flat: as ppo/std_scores. One reward rises as another falls: they pull apart; change the weights.",
  "rewards/semantic/out_of_vocabulary": "Above: the policy writes what is no word; start from a better model, or lower learningRate.",
  "rewards/semantic/no_parent_answer": "Above: give the examples an answer.",
  "rewards/semantic/parent_out_of_vocabulary": "Above: choose answers of known words, or another embedder.",
};

const WIDTH = 100; // as deno fmt wraps prose

/** The page's text, wrapped as `deno fmt` would. */
export function metricsPage(): string {
  const entry = ({ name, unit, range, healthy, meaning }: MetricInfo) =>
    [
      `### \`${name}\``,
      wrap(`${capital(meaning)}.`, ""),
      [
        wrap(`- unit: ${unit || "none"}; range: ${range}`, "  "),
        wrap(`- healthy: ${healthy}`, "  "),
        wrap(`- otherwise: ${REMEDIES[name]}`, "  "),
      ].join("\n"),
    ].join("\n\n");
  return [
    "# Metrics",
    wrap(
      "Made from the tables in `rl/metrics.ts` and `cli/report/metrics_page.ts` by `deno task docs`; a test " +
        "compares the two. Each name is a column of `metrics.csv`. A number that does not exist, such " +
        "as the loss of a step without an update, is an empty cell there, never 0.",
      "",
    ),
    wrap(
      "Names are those of TRL 0.11 where it has the same quantity, so that curves can be laid over " +
        "each other. Healthy ranges are rules of thumb for small models, not limits.",
      "",
    ),
    "## Of every PPO step",
    ...PPO_METRICS.map(entry),
    "## Of the rewards",
    wrap(
      "A run has `rewards/exact/mean`, one mean for each of its rewards, and the counts that its " +
        "rewards keep.",
      "",
    ),
    ...REWARD_METRICS.map(entry),
  ].join("\n\n") + "\n";
}

const capital = (text: string): string =>
  /^[a-z]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;

/** Names of metrics and files in code marks. */
const quoted = (text: string): string =>
  text.replaceAll(
    /(?<!`)\b(?:(?:objective|ppo|sampling|rewards|tokens)\/[\w/]*\w|\w+\.csv|deno task \w+)(?!\S*`)/g,
    "`$&`",
  );

/** Breaks lines before `WIDTH`; all but the first start with `indent`. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of quoted(text).split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}

if (import.meta.main) await Deno.writeTextFile("docs/metrics.md", metricsPage());
