/** The models of a run, as rewards ask them how likely a text is. @module */
import type { Device } from "../kernels/device.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { scoreTexts, type ScoringSizes } from "../model/text_scorer.ts";
import type { TextScorer } from "../rewards/reward.ts";
import type { Needs } from "../rl/algorithm.ts";
import { runShape, type RunSizes } from "./memory_plan.ts";
import { passSizes, type PolicyModels } from "./policy.ts";
import { isOfTheRun, openScorer } from "./reward_networks.ts";
import type { RunSettings } from "./settings.ts";

/**
 * The model that a name means, where it is not one of the run's own: `policy` is what learns, `reference`
 * what it began as, which is the run's reference unless that moves or there is none.
 * @param folder of the model that the run began with
 */
export function scorerFolder(
  name: string,
  { needs, settings: { loraRank }, folder }: {
    needs: Needs;
    settings: Pick<RunSettings, "loraRank">;
    folder: string;
  },
): string | undefined {
  if (!isOfTheRun(name)) return name;
  const stays = loraRank > 0 || needs.reference && needs.sync === undefined;
  return name === "policy" || stays ? undefined : folder;
}

/** What scores for the rewards of a run: its own models, from when they are there, or others. */
export class RunScorers {
  #models?: PolicyModels;
  readonly #sizes: ScoringSizes;

  constructor(
    readonly run: {
      device: Device;
      folder: string;
      tokenizer: Tokenizer;
      sizes: RunSizes;
      /** Disposes of the models that are opened. */
      disposables: DisposableStack;
    },
  ) {
    this.#sizes = passSizes(runShape(run.sizes));
  }

  /** The models of the run, once they are open. */
  bind(models: PolicyModels): void {
    this.#models = models;
  }

  /** What scores by the model that `name` means. @throws as `openScorer` */
  async open(name: string): Promise<TextScorer> {
    const { device, disposables, folder, sizes: { needs, settings } } = this.run;
    const other = scorerFolder(name, { needs, settings, folder });
    if (other === undefined) {
      return {
        name,
        perTokenNll: (prompts, completions) => this.#ask(name, { prompts, completions }),
      };
    }
    const options = { matrixDtype: settings.frozenDtype, sizes: this.#sizes };
    return disposables.use(await openScorer(device, other, options));
  }

  #ask(name: string, texts: Parameters<typeof scoreTexts>[2]): ReturnType<typeof scoreTexts> {
    if (!this.#models) {
      throw new Error(`Cannot score by the ${name} as the run's models must be open: they are not`);
    }
    const { model, reference } = this.#models, { tokenizer, sizes: { settings } } = this.run;
    const options = { sizes: this.#sizes, apart: settings.sharePrefixes === "off" };
    return name === "reference" && reference
      ? scoreTexts(reference, tokenizer, texts, options)
      : scoreTexts(model, tokenizer, texts, { ...options, adapter: name === "policy" });
  }
}
