/**
 * A GPT-2 as the policy that `rl/` trains. The reference is a frozen copy of it, or with an adapter the
 * same model with the adapter off.
 * @module
 */
import type { Ends } from "../model/ends.ts";
import { inGrid } from "../model/evaluation.ts";
import { generate, reserveGeneration } from "../model/generation/generate.ts";
import type { Gpt2 } from "../model/gpt2.ts";
import { checkPrefixes, noteFigures, type PrefixFigures } from "../model/prefix_check.ts";
import { sharePrefixes } from "../model/prefix_tree.ts";
import type { BatchSizes } from "../model/passes.ts";
import { mixReference } from "../model/reference.ts";
import { fromGrid, type ResponseRows, responseRows, toGrid } from "../model/rows.ts";
import { pieces } from "../rl/experience.ts";
import type {
  Evaluation,
  EvaluationGradient,
  EvaluationRequest,
  Policy,
  Rollout,
  SamplingOptions,
  StepRates,
  TokenBatch,
} from "../rl/policy.ts";

/** The largest batches that a run asks of its policy. */
export interface RunShape {
  /** Completions at a time. */
  batchSize: number;
  /** Tokens of the longest prompt. */
  promptTokens: number;
  /** Tokens of the longest completion. */
  maxNewTokens: number;
  /** Rows in one forward and backward pass; 0 is all. */
  microbatchRows: number;
  /** Completions of each prompt, which divides `batchSize`. Default 1. */
  groupSize?: number;
  /** Which state values speak of, see `TokenBatch`. Default "before". */
  valueAt?: TokenBatch["valueAt"];
  /** True where evaluations are asked for KL over the whole vocabulary. Default false. */
  kl?: boolean;
}

/** The largest pass of a run: rows of the tree where texts share their beginnings, else B times T. */
export function passSizes(shape: RunShape): Required<BatchSizes> {
  const { batchSize, promptTokens, maxNewTokens, microbatchRows, valueAt, groupSize = 1 } = shape;
  const [piece] = pieces(Array.from({ length: batchSize }, (_, row) => row), microbatchRows);
  const longest = {
    prompts: [new Int32Array(promptTokens)],
    responses: [new Int32Array(maxNewTokens)],
    valueAt,
  };
  const { T, index } = responseRows(longest), B = piece.length;
  const prompts = Math.min(B, batchSize / groupSize); // that differ
  const treeRows = prompts * promptTokens + B * (T - promptTokens);
  return { B, T, R: B * index.length, treeRows };
}

/** The models behind a policy. */
export interface PolicyModels {
  /** What is trained; with a value head where the algorithm needs values. */
  model: Gpt2;
  /**
   * The reference: a frozen copy. Left out, a model with an adapter is its own reference, with the
   * adapter off, and another has none.
   */
  reference?: Gpt2;
}

/** How a policy runs its passes. */
export interface PolicyOptions {
  /**
   * "on": texts that begin alike go through the network once, see `model/prefix_tree.ts`. "off": each by
   * itself. "check": shared, and every evaluation is made both ways and compared. Default "on".
   */
  sharePrefixes?: "on" | "off" | "check";
}

/** Token ids in, (B, T) arrays out; the model works on the target positions. */
export class LanguagePolicy implements Policy {
  readonly model: Gpt2;
  readonly frozen: Gpt2 | undefined;
  /** True where the model has a value head. */
  readonly hasValues: boolean;
  /** True where values move the value head alone. */
  readonly valueDetached: boolean;
  /** True where there is a reference. */
  readonly hasKl: boolean;
  readonly givesReference = true;
  /** Absent where there is neither a frozen copy nor an adapter. */
  readonly reference?: NonNullable<Policy["reference"]>;
  /** Absent where there is no frozen copy in f32, or an adapter is trained. */
  readonly syncReference?: NonNullable<Policy["syncReference"]>;
  /** The largest figures of all evaluations that were made both ways; its rows add up. */
  readonly prefixFigures: PrefixFigures = { plainRows: 0, sharedRows: 0, told: 0, gradient: 0 };
  #sharing: NonNullable<PolicyOptions["sharePrefixes"]>;
  #rows: ResponseRows | undefined;

  /** Ids that end a response. */
  readonly eos: Ends;

  /** @param eos ids that end a response; null: none does. Default: those of the model's folder */
  constructor(
    { model, reference }: PolicyModels,
    eos: Ends = model.config.eos_token_id ?? null,
    { sharePrefixes = "on" }: PolicyOptions = {},
  ) {
    this.#sharing = sharePrefixes;
    this.eos = eos;
    this.model = model;
    this.frozen = reference;
    this.hasValues = model.options.valueHead === true;
    this.valueDetached = model.options.valueDetached === true;
    this.hasKl = reference !== undefined || model.adapter !== undefined;
    if (this.hasKl) this.reference = (batch) => this.#reference(batch);
    if (reference && !model.adapter && reference.options.matrixDtype !== "f16") {
      this.syncReference = (mix) => mixReference(reference, model, mix);
    }
  }

  /** Preallocates the memory of a whole run: within `shape` nothing more will be taken. */
  reserve(shape: RunShape): void {
    const { batchSize, promptTokens, maxNewTokens, kl } = shape;
    reserveGeneration(this.model, { prompts: batchSize, promptTokens, maxNewTokens });
    const { treeRows, ...sizes } = passSizes(shape);
    for (const isTree of { on: [true], off: [false], check: [true, false] }[this.#sharing]) {
      const passes = { ...sizes, ...(isTree && { treeRows }) };
      this.model.reserve({ ...passes, ...(kl && { reference: this.frozen ?? this.model }) });
      this.frozen?.reserve(passes);
    }
  }

  /** The rows of a pass over `batch`. */
  #layOut(batch: Pick<TokenBatch, "prompts" | "responses" | "valueAt">): ResponseRows {
    const rows = responseRows(batch);
    return this.#sharing === "off" ? rows : sharePrefixes(rows);
  }

  async generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    return await generate(this.model, prompts, { ...options, eos: this.eos });
  }

  get lastPass(): object | undefined {
    return this.model.lastPass;
  }

  /** @throws {Error} where KL is asked for and there is no reference, or logits are not finite */
  async evaluate(batch: TokenBatch, asked: EvaluationRequest = {}): Promise<Evaluation> {
    const { kl: wantsKl = false, reference: wantsReference = false } = asked;
    const compares = wantsKl || wantsReference;
    if (compares && !this.hasKl) {
      throw new Error(
        "Cannot evaluate KL as it is to a reference: this policy has none; give it a frozen copy",
      );
    }
    const against = compares ? { reference: this.frozen ?? this.model, kl: wantsKl } : {};
    const options = { temperature: batch.temperature, ...against };
    if (this.#sharing === "check") {
      const figures = await checkPrefixes(this.model, responseRows(batch), options);
      noteFigures(this.prefixFigures, figures);
    }
    const rows = this.#rows = this.#layOut(batch);
    const { value, reference, ...told } = inGrid(await this.model.evaluate(rows, options), rows);
    return { ...told, ...(this.hasValues && { value }), ...(wantsReference && { reference }) };
  }

  backward({ dlogprob, dentropy, dvalue, dkl }: EvaluationGradient): void {
    const rows = this.#rows;
    if (!rows) {
      throw new Error("Cannot go backward as there is no forward pass: call evaluate first");
    }
    this.model.backward({
      dlogprob: fromGrid(dlogprob, rows),
      dentropy: dentropy && fromGrid(dentropy, rows),
      dvalue: dvalue && fromGrid(dvalue, rows, "valuePlace"),
      dkl: dkl && fromGrid(dkl, rows),
    });
  }

  step({ policy, value }: StepRates): void {
    this.model.step(policy, value);
  }

  zeroGradient(): void {
    this.model.zeroGradient();
  }

  gradientNorm(): Promise<number> {
    return this.model.gradientNorm();
  }

  async #reference(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
    const { prompts, responses, temperature } = batch, rows = this.#layOut({ prompts, responses });
    const { logprob } = this.frozen
      ? await this.frozen.evaluate(rows, { temperature })
      : await this.model.evaluate(rows, { temperature, adapter: false });
    return { logprob: toGrid(logprob, rows) };
  }
}
