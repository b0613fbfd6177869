/**
 * GPT-2 (Radford et al. 2019) and GPT-Neo (Black et al. 2021) on a device: pre-norm blocks, learned
 * positions, a head that is the token embedding or (untied) a matrix of its own, as Hugging Face
 * transformers computes them without dropout.
 *
 * ```ts
 * const model = Gpt2.create(device, config, { seed: 1, valueHead: true });
 * const { logprob, entropy, value } = await model.evaluate(responseRows({ prompts, responses }));
 * model.backward({ dlogprob, dentropy, dvalue }); // (R) each, adds into the gradients
 * model.step(1e-5);
 * ```
 * Language modelling needs no read-back: `languageModel(languageModelRows(sequences))`, `step(lr)`,
 * and `readLoss()` when it is wanted. The pieces are exported for generation: `layers/forward.ts`
 * (`layerForward`, `layerTensors`, `layerActivations`), `layers/head.ts` (`headLogits`), `weights`.
 * @module
 */
import type { Device, FloatArray, Tensor } from "../kernels/device.ts";
import { Scope } from "../kernels/scope.ts";
import { type ModelConfig, type ModelDims, modelDims, parseConfig } from "./config.ts";
import { readEvaluation } from "./evaluation.ts";
import type { EvaluateOptions, Gpt2Options, PassOptions, RowEvaluation } from "./gpt2_options.ts";
import { logitsWidth } from "./layers/head_chunks.ts";
import { layoutParameters } from "./layout.ts";
import { Adapter, inUse } from "./lora/lora.ts";
import { Optimizer } from "./optimizer.ts";
import { initialise, initialiseValueHead, ParameterBuffers } from "./params.ts";
import type { Pass, RowGradients } from "./pass.ts";
import { type BatchSizes, Passes } from "./passes.ts";
import { checkReference, referenceHead } from "./reference.ts";
import { checkRows, type Rows } from "./rows.ts";

export type { EvaluateOptions, Gpt2Options, PassOptions, RowEvaluation } from "./gpt2_options.ts";

/** A GPT-2 with its weights on a device and, unless frozen, its gradients and optimizer. */
export class Gpt2 implements Disposable {
  readonly dims: ModelDims;
  readonly weights: ParameterBuffers;
  /** Present with LoRA: what is trained, while `weights` are not. */
  readonly adapter?: Adapter;
  /** Folder that the weights came from, where they came from one. */
  readonly base?: string;
  /** Absent when frozen. */
  readonly optimizer?: Optimizer;
  /** (1) sum of the language-model losses since `readLoss`. */
  readonly loss: Tensor;
  /** What was made for this model, such as its generator, and is disposed of together with it. */
  readonly disposables: DisposableStack = new DisposableStack();
  #scope: Scope;
  #passes: Passes;
  #pending?: { pass: Pass; R: number };
  #norm?: number; // of the last step's gradient, once it was read

  private constructor(
    readonly device: Device,
    readonly config: ModelConfig,
    readonly options: Readonly<Gpt2Options>,
  ) {
    this.base = options.base;
    this.dims = modelDims(config);
    this.#scope = new Scope(device);
    try {
      const { lora, valueHead, matrixDtype } = options;
      const layout = layoutParameters(config, device.limits, {
        valueHead: valueHead && !lora,
        matrixDtype,
      });
      this.weights = new ParameterBuffers(this.#scope, layout, "weight");
      if (lora) this.adapter = new Adapter(this.#scope, { config, valueHead }, lora);
      if (!options.frozen) {
        const trained = this.adapter?.parameters ?? this.weights;
        this.optimizer = new Optimizer(this.#scope, trained, options.adamw);
      }
      this.loss = this.#scope.alloc(1, "loss", "f32", "other");
      device.zero(this.loss);
      this.#passes = new Passes(this);
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    }
  }

  /** A model with fresh weights. `config` is checked as `parseConfig` says. */
  static create(device: Device, config: unknown, options: Gpt2Options = {}): Gpt2 {
    const model = Gpt2.empty(device, config, options);
    initialise(model.weights, options.seed ?? 0);
    model.adapter?.initialise(options.seed ?? 0);
    model.initialiseValues();
    return model;
  }

  /** A model whose weights are all zero: to be filled, or on a `CountingDevice` to see what it takes. */
  static empty(device: Device, config: unknown, options: Gpt2Options = {}): Gpt2 {
    return new Gpt2(device, parseConfig(config), options);
  }

  /** Writes a fresh value head, as `valueInit` and `seed` say, where the model has one. */
  initialiseValues(): void {
    const { valueInit: init, seed } = this.options;
    initialiseValueHead(this.adapter?.parameters ?? this.weights, { init, seed });
  }

  /**
   * A copy of weights and adapter without gradients or optimizer, as the reference policy; stored as
   * these are, unless `matrixDtype` says otherwise.
   */
  async frozenCopy(
    { matrixDtype = this.options.matrixDtype }: Pick<Gpt2Options, "matrixDtype"> = {},
  ): Promise<Gpt2> {
    const { adapter, options: { lora, ...options } } = this;
    const kept = adapter?.merged ? {} : { lora }; // merged, it is in the weights
    const frozen = { ...options, ...kept, frozen: true, matrixDtype };
    const copy = new Gpt2(this.device, this.config, frozen);
    try {
      for (const from of [this.weights, ...(adapter ? [adapter.parameters] : [])]) {
        for await (const [{ name }, data] of from.read()) {
          const target = copy.weights.find(name) ?? copy.adapter?.parameters.find(name);
          if (target) this.device.write(target, data);
        }
      }
    } catch (error) { // a weight may be too large for f16
      copy[Symbol.dispose]();
      throw error;
    }
    return copy;
  }

  /**
   * Preallocates the memory of every pass of at most these sizes, with an adapter and without it, and of
   * comparing them with a `reference`, whose own passes are its own to reserve.
   * @throws {RangeError} when the sequences are longer than the model's positions, or a tensor is too
   * large for the device
   */
  reserve({ reference, ...sizes }: BatchSizes & { reference?: Gpt2 }): void {
    const { dims: { P } } = this, { T } = sizes;
    if (T > P) {
      throw new RangeError(
        `Cannot reserve memory for ${T} tokens as the model has ${P} positions; ` +
          "shorten the prompts or responses",
      );
    }
    this.#pending = undefined; // its activations may be about to move
    this.#passes.reserve({ ...sizes, reference: referenceHead(reference) });
  }

  /**
   * Forward pass; keeps what `backward` needs until the next forward pass. One read-back, which brings
   * the last step's gradient norm as well.
   * @throws {TypeError} when the reference has another vocabulary, or lies on another device
   * @throws {Error} when logits are infinite or not numbers
   */
  async evaluate(
    rows: Rows,
    { temperature = 1, ...options }: EvaluateOptions = {},
  ): Promise<RowEvaluation> {
    const { reference, kl = true, adapter } = options;
    const apart = reference && !kl ? this.#logprobUnder(reference, rows, temperature) : undefined;
    const { head } = this.#forward(rows, temperature, { adapter, ...(kl && { reference }) });
    const norm = this.#norm === undefined ? this.optimizer?.norm : undefined;
    const wanted = { head, R: rows.index.length, reference: apart, norm };
    const read = await readEvaluation(this.device, wanted);
    this.#norm ??= read.norm;
    if (!read.fault) return read.evaluation;
    this.#pending = undefined;
    throw read.fault;
  }

  /** What `backward` would go back through: another object after every forward pass; undefined where nothing. */
  get lastPass(): object | undefined {
    return this.#pending;
  }

  /**
   * Enqueues the backward pass of the last `evaluate`; (R) each, absent ones are zero. Adds into the
   * gradients.
   * @throws {Error} when there is no forward pass to go back through
   */
  backward(gradients: RowGradients): void {
    this.requireOptimizer("go backward");
    if (!this.#pending) {
      throw new Error(
        "Cannot go backward as each backward pass uses up one evaluate: call evaluate first",
      );
    }
    const { pass, R } = this.#pending;
    for (const [name, values] of Object.entries(gradients)) {
      if (values && values.length !== R) {
        throw new RangeError(
          `Cannot go backward as ${name} needs one element a row, ${R}: it has ${values.length}`,
        );
      }
    }
    if (!pass.head.value && Array.from(gradients.dvalue ?? []).some((x) => x !== 0)) {
      throw new Error("Cannot go backward through values as this model has no value head");
    }
    if (!pass.head.reference && Array.from(gradients.dkl ?? []).some((x) => x !== 0)) {
      throw new Error(
        "Cannot go backward through KL as the last evaluate had no reference: give it one",
      );
    }
    this.#pending = undefined;
    pass.backward(gradients);
  }

  /**
   * Enqueues forward and backward of the next-token loss -sum(logprob) / count, without a read-back.
   * `count` is the number of rows of the whole batch when it comes in several parts, so that the
   * parts add up to its gradient. Returns `loss`, to which this part has been added.
   */
  languageModel(rows: Rows, { count = rows.index.length } = {}): Tensor {
    this.requireOptimizer("train");
    if (!(count > 0)) throw new RangeError(`Cannot average over ${count} rows: count must be > 0`);
    checkRows(rows, this.dims);
    this.#pending = undefined; // its activations are about to be overwritten
    this.#passes.get(rows, 1).languageModel(rows, count);
    return this.loss;
  }

  /** Sum of the losses since the last call (the mean of one batch, when there was one). One read-back. */
  async readLoss(): Promise<number> {
    const [loss] = await this.device.read(this.loss);
    this.device.zero(this.loss);
    return loss[0];
  }

  /**
   * Logits (R, V) of the target positions.
   * @throws {RangeError} when they exceed `chunkBytes`
   */
  async logits(rows: Rows, options: PassOptions = {}): Promise<FloatArray> {
    const pass = this.#forward(rows, 1, options);
    const [R, V] = [rows.index.length, this.dims.V];
    if (!pass.singleChunk) {
      throw new RangeError(
        `Cannot read logits as all ${R} rows must fit in chunkBytes: give fewer target positions`,
      );
    }
    const [data] = await this.device.read(pass.head.logits) as FloatArray[];
    const out = data.slice(0, R * V) as FloatArray, ld = logitsWidth(V);
    for (let r = 0; r < R; r++) out.set(data.subarray(r * ld, r * ld + V), r * V);
    return out;
  }

  /**
   * Enqueues clipping, one AdamW step and the zeroing of the gradients; the value head may have a learning
   * rate of its own. What has the learning rate 0 does not change, see `Optimizer.step`.
   */
  step(learningRate: number, valueLearningRate: number = learningRate): void {
    this.requireOptimizer("step").step(learningRate, valueLearningRate);
    this.#pending = undefined; // its activations belong to the old weights
    this.#norm = undefined;
  }

  /** Enqueues the zeroing of the gradients, without a step. */
  zeroGradient(): void {
    this.requireOptimizer("zero gradients").gradients.zero();
  }

  /** Global norm of the gradient of the last step, before clipping. A read-back where none came since. */
  async gradientNorm(): Promise<number> {
    const { norm } = this.requireOptimizer("tell a gradient's norm");
    this.#norm ??= (await this.device.read(norm))[0][0];
    return this.#norm;
  }

  /**
   * Merges the adapter's low-rank update into the weights, which makes this a plain model: as fast, and
   * saved as one (without the value head, which stays with the adapter).
   * @throws {TypeError} when the weights are not held in f32
   */
  async merge(): Promise<void> {
    if (inUse(this.adapter)) await this.#toggle();
  }

  /**
   * Takes the low-rank update out of the weights again, so that training can continue. Weights come back
   * within the rounding of f32 (about 1e-7 of their size), not bit-identical: load the base where that
   * matters.
   */
  async unmerge(): Promise<void> {
    if (this.adapter?.merged) await this.#toggle();
  }

  /**
   * The optimizer, for what needs one.
   * @throws {Error} that `action` cannot be done, when the model is frozen or its adapter is merged
   */
  requireOptimizer(action: string): Optimizer {
    if (this.adapter?.merged) {
      throw new Error(`Cannot ${action} as the adapter is merged into the weights: call unmerge`);
    }
    if (!this.optimizer) {
      throw new Error(`Cannot ${action} as this model is frozen: it has no gradients`);
    }
    return this.optimizer;
  }

  [Symbol.dispose](): void {
    this.disposables.dispose();
    this.#pending = undefined;
    this.#passes[Symbol.dispose]();
    this.#scope[Symbol.dispose]();
  }

  async #toggle(): Promise<void> {
    this.#pending = undefined; // its activations belong to the old weights
    await this.adapter!.merge(this.weights);
  }

  #forward(
    rows: Rows,
    temperature: number,
    { adapter, reference }: EvaluateOptions = {},
  ): Pass {
    if (!(temperature > 0 && temperature < Infinity)) {
      throw new RangeError(`Cannot divide logits as temperature must be > 0: it is ${temperature}`);
    }
    checkRows(rows, this.dims);
    if (reference) checkReference(this, reference);
    this.#pending = undefined; // its activations are about to be overwritten
    const choice = { wanted: adapter, reference: referenceHead(reference) };
    const hidden = reference && this.#hiddenOf(reference, rows, temperature);
    const pass = this.#passes.get(rows, temperature, choice);
    if (hidden) pass.compareWith(hidden, rows.index.length);
    pass.forward(rows);
    if (pass.model.gradients) this.#pending = { pass, R: rows.index.length };
    return pass;
  }

  /** Enqueues a reference's forward pass; (R or more) log-probabilities, which the next one here leaves. */
  #logprobUnder(reference: Gpt2, rows: Rows, temperature: number): Tensor {
    checkReference(this, reference);
    if (reference !== this) return reference.#forward(rows, temperature).head.logprob;
    const { head } = this.#forward(rows, temperature, { adapter: false });
    return this.#passes.keep(head.logprob, rows.index.length);
  }

  /** Enqueues a reference's forward pass as far as its final norm; (R, C), the rows of its own pass. */
  #hiddenOf(reference: Gpt2, rows: Rows, temperature: number): Tensor {
    const own = reference === this;
    if (!own) checkRows(rows, reference.dims);
    reference.#pending = undefined; // its activations are about to be overwritten
    const pass = reference.#passes.get(rows, temperature, { wanted: own ? false : undefined });
    return pass.hidden(rows);
  }
}
