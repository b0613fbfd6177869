/** The models of a run: one that is trained, and where all its weights are, its reference. @module */
import { loadModel } from "../model/hub/load.ts";
import type { Device } from "../kernels/device.ts";
import type { Gpt2Options } from "../model/gpt2.ts";
import type { Needs } from "../rl/algorithm.ts";
import type { PolicyModels } from "./policy.ts";
import { loraOf, type RunSettings } from "./settings.ts";

/** How a run opens its models; an adapter's reference is the policy itself. */
export interface ModelOptions {
  policy: Gpt2Options;
  reference?: Gpt2Options;
}

/** How a run's settings and its algorithm's needs open its models. */
export function modelOptions(
  { maxGradNorm, recompute, frozenDtype: matrixDtype, ...rest }: RunSettings,
  { value: valueHead, reference, head }: Needs,
): ModelOptions {
  const lora = loraOf(rest);
  const { adamBeta1: beta1, adamBeta2: beta2, adamEps: eps, weightDecay, valueWeightDecay } = rest;
  const adamw = {
    ...{ beta1, beta2, eps, weightDecay, maxGradNorm },
    ...(valueWeightDecay !== undefined && { valueWeightDecay }),
    ...(head && { clipApart: head.clipApart }),
  };
  const ofHead = head && { valueInit: head.init, valueDetached: head.detached };
  const policy = { valueHead, ...ofHead, recompute, adamw };
  if (lora) return { policy: { ...policy, lora, matrixDtype } };
  return { policy, ...(reference && { reference: { frozen: true, matrixDtype } }) };
}

/**
 * Refuses what cannot be done with the adapter in the folder that a run starts from; where all weights
 * are trained, it is added to its base first.
 * @throws {TypeError} with the settings to change
 */
export function checkStart(
  { loraRank, frozenDtype }: RunSettings,
  model: string,
): void {
  const [start, cure] = [`Cannot start from the adapter ${model}`, "deno task export writes it"];
  if (loraRank > 0) {
    throw new TypeError(
      `${start} with loraRank=${loraRank} as a run's adapter is a fresh one, on a plain model: ` +
        `name the model that the two make (${cure}), or leave out loraRank to train all of its weights`,
    );
  }
  if (frozenDtype !== "f32") {
    throw new TypeError(
      `${start} with frozenDtype=${frozenDtype} as it is added to its base in f32: leave out ` +
        `frozenDtype, or name the model that the two make (${cure})`,
    );
  }
}

/**
 * Opens the model that a run trains, from `folder` or a checkpoint, and where the options say so a
 * frozen copy of `folder`, or of what it has become since. With an adapter there is no copy: the reference is the same model with the
 * adapter off. Without one, an adapter's folder is a plain model: the two are added up.
 * @throws {Error} when the checkpoint is not of such a run, or the folder cannot be used
 */
export async function openModels(
  device: Device,
  { folder, resume, reference: from = folder, seed, options: { policy, reference: frozen } }: {
    folder: string;
    resume?: string;
    /** Folder of the reference, where that has moved. Default: `folder`. */
    reference?: string;
    /** Key of a fresh adapter. */
    seed: number;
    options: ModelOptions;
  },
): Promise<PolicyModels & Disposable> {
  using owned = new DisposableStack();
  const { lora, ...rest } = policy;
  const adapter = resume === undefined ? { lora, merge: !lora } : { base: folder };
  const model = owned.use(await loadModel(device, resume ?? folder, { ...rest, ...adapter, seed }));
  if ((model.adapter === undefined) !== (lora === undefined)) {
    throw new Error(
      `Cannot resume from ${resume} as the run trains ${lora ? "an adapter" : "all weights"}: ` +
        `it holds ${lora ? "no" : "an"} adapter; name a checkpoint of the run`,
    );
  }
  const reference = frozen &&
    owned.use(await loadModel(device, from, { ...frozen, merge: true }));
  const all = owned.move();
  return { model, reference, [Symbol.dispose]: () => all.dispose() };
}
