/** Page 9: what players earn who do not read the prompt, or only copy from it. @module */
import { openRewards } from "../../experiment/rewards.ts";
import { colors } from "../../tasks/colors.ts";
import { barChart, type Figure } from "./_svg.ts";

const mean = (x: readonly (number | null)[]): number =>
  x.reduce((sum: number, value) => sum + value!, 0) / x.length;

async function players(): Promise<string> {
  const task = colors(), { train } = task.examples;
  const rewards = await openRewards(task, "semantic,exact:0");
  const every = [...new Set(train.map(({ answer }) => answer!))].join(" ");
  const ways: Record<string, (example: typeof train[number]) => string> = {
    "nothing": () => "",
    "first colour": ({ prompt }) => prompt.match(/: (\w+)/)![1],
    "purple": () => "purple",
    "all colours": () => every,
    "right answer": ({ answer }) => answer!,
    "right, and a stop": ({ answer }) => `${answer}.`,
  };
  const groups = await Promise.all(
    Object.entries(ways).map(async ([name, say]) => {
      const { scores } = await rewards.breakdown({
        prompts: train.map(({ prompt }) => prompt),
        completions: train.map(say),
        examples: train,
      });
      return { name, values: [mean(scores.semantic), mean(scores.exact)] };
    }),
  );
  return barChart({
    title: "What six players earn on the 72 training prompts of the task colors",
    desc: groups.map(({ name, values: [near, same] }) =>
      `${name}: semantic ${near.toFixed(2)}, exact ${same.toFixed(2)}`
    ).join("; "),
    width: 640,
    y: { label: "mean reward", range: [0, 1.1] },
    bars: ["semantic", "exact"],
    groups,
    show: (value) => value.toFixed(2),
  });
}

export const figures: readonly Figure[] = [{ file: "09-players.svg", draw: players }];
