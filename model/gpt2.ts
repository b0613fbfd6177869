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
import { type Device, type FloatArray, Scope, type Tensor, view } from "../kernels/device.ts";
import { type ModelConfig, type ModelDims, modelDims, parseConfig } from "./config.ts";
import { readFolder, type SaveOptions, writeFolder } from "./files/folder.ts";
import type { Gpt2Options, LoadOptions, PassOptions, RowEvaluation } from "./gpt2_options.ts";
import { logitsWidth } from "./layers/head.ts";
import { Adapter, inUse, type PassParts, passParts } from "./lora/lora.ts";
import { type AdapterSaveOptions, openAdapter, writeAdapter } from "./files/lora_folder.ts";
import { Optimizer } from "./optimizer.ts";
import { initialise, layoutParameters, Store } from "./params.ts";
import { Pass, type PassShape, type RowGradients } from "./pass.ts";
import { checkRows, type Rows } from "./rows.ts";
import { Workspace } from "./workspace.ts";

export type { Gpt2Options, LoadOptions, PassOptions, RowEvaluation } from "./gpt2_options.ts";

/** A GPT-2 with its weights on a device and, unless frozen, its gradients and optimizer. */
export class Gpt2 implements Disposable {
  readonly dims: ModelDims;
  readonly weights: Store;
  /** Present with LoRA: what is trained, while `weights` are not. */
  readonly adapter?: Adapter;
  /** Folder that the weights came from, where they came from one. */
  readonly base?: string;
  /** Absent when frozen. */
  readonly optimizer?: Optimizer;
  /** (1) sum of the language-model losses since `readLoss`. */
  readonly loss: Tensor;
  /** What was made for this model, such as its generator, and is disposed of together with it. */
  readonly companions: DisposableStack = new DisposableStack();
  #scope: Scope;
  #workspace: Workspace;
  #passes = new Map<string, Pass>(); // the most recently used one last
  #pending?: { pass: Pass; R: number };
  #norm?: number; // of the last step's gradient, once it was read

  private constructor(
    readonly device: Device,
    readonly config: ModelConfig,
    readonly options: Readonly<Gpt2Options & { base?: string }>,
  ) {
    this.base = options.base;
    this.dims = modelDims(config);
    this.#scope = new Scope(device);
    this.#workspace = new Workspace(device);
    try {
      const { lora, valueHead, matrixDtype } = options;
      const layout = layoutParameters(config, device.limits, {
        valueHead: valueHead && !lora,
        matrixDtype,
      });
      this.weights = new Store(this.#scope, layout, "weight");
      if (lora) this.adapter = new Adapter(this.#scope, { config, valueHead }, lora);
      if (!options.frozen) {
        const trained = this.adapter?.store ?? this.weights;
        this.optimizer = new Optimizer(this.#scope, trained, options.adamw);
      }
      this.loss = this.#scope.alloc(1, "loss");
      device.zero(this.loss);
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
    return model;
  }

  /** A model whose weights are all zero: to be filled, or on a `CountingDevice` to see what it takes. */
  static empty(device: Device, config: unknown, options: Gpt2Options = {}): Gpt2 {
    return new Gpt2(device, parseConfig(config), options);
  }

  /**
   * A model from a folder in Hugging Face form, or from a folder that PEFT wrote: its base is found and
   * the adapter put on it. A value head that the folder lacks is zero; `lora` puts a fresh adapter,
   * drawn from `seed`, on a folder that has none.
   * @throws {Error} when the folder lacks a file or its tensors do not fit its config
   * @throws {RangeError} when a weight is too large for a `matrixDtype` of "f16"
   */
  static async load(device: Device, folder: string, options: LoadOptions = {}): Promise<Gpt2> {
    using adapter = await openAdapter(folder, options);
    if (adapter && options.lora && !options.merge) {
      throw new Error(
        `Cannot put a fresh adapter on ${folder} as it holds one: leave lora out to go on with that, ` +
          "or merge it first and save the plain model",
      );
    }
    const base = adapter?.base ?? folder;
    using source = await readFolder(base);
    const own = adapter && !options.merge ? { lora: adapter.lora } : {};
    const model = new Gpt2(device, source.config, { ...options, ...own, base });
    try {
      model.adapter?.initialise(options.seed ?? 0);
      await source.fill(model.weights, model.adapter?.store);
      if (model.adapter) await adapter?.fill(model.adapter);
      else await adapter?.mergeInto(model.weights, source.config);
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
    return model;
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
      for (const from of [this.weights, ...(adapter ? [adapter.store] : [])]) {
        for await (const [{ name }, data] of from.read()) {
          const target = copy.weights.find(name) ?? copy.adapter?.store.find(name);
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
   * Takes the memory of every pass over at most B sequences of at most T tokens that asks about at
   * most R rows, with an adapter and without it, ahead of use: later passes of such shapes take no more.
   * @throws {RangeError} when the sequences are longer than the model's positions, or a tensor is too
   * large for the device
   */
  reserve({ B, T, R }: { B: number; T: number; R: number }): void {
    const { P } = this.dims;
    if (T > P) {
      throw new RangeError(
        `Cannot reserve memory for ${T} tokens as the model has ${P} positions; ` +
          "shorten the prompts or responses",
      );
    }
    this.#pending = undefined; // its activations may be about to move
    const time = roundTime(T, this.dims);
    // A shorter batch may be asked about as a whole, see #pass: that is less than twice as many rows.
    const rows = Math.min(B * time, 2 * roundUp(R) - 1);
    const shape = { B, T: time, R: rows, temperature: 1 };
    for (const wanted of inUse(this.adapter) ? [true, false] : [undefined]) {
      this.#record(shape, passParts(this, wanted))[Symbol.dispose]();
    }
  }

  /**
   * Forward pass; keeps what `backward` needs until the next forward pass. One read-back, which brings
   * the last step's gradient norm as well.
   */
  async evaluate(
    rows: Rows,
    { temperature = 1, ...options }: PassOptions & { temperature?: number } = {},
  ): Promise<RowEvaluation> {
    const { head } = this.#forward(rows, temperature, options);
    const R = rows.index.length;
    const wanted = [head.logprob, head.entropy, head.value ?? head.logprob];
    const norm = this.optimizer && this.#norm === undefined ? [this.optimizer.norm] : [];
    const read = await this.device.read(...wanted.map((x) => view(x, 0, R)), ...norm);
    const [logprob, entropy, estimate, step] = read as FloatArray[];
    if (step) this.#norm = step[0];
    const value = head.value ? estimate : estimate.fill(0);
    return { logprob, entropy, value };
  }

  /**
   * Enqueues the backward pass of the last `evaluate`; (R) each, absent ones are zero. Adds into the
   * gradients.
   * @throws {Error} when there is no forward pass to go back through
   */
  backward(gradients: RowGradients): void {
    this.#trainable("go backward");
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
    this.#pending = undefined;
    pass.backward(gradients);
  }

  /**
   * Enqueues forward and backward of the next-token loss -sum(logprob) / count, without a read-back.
   * `count` is the number of rows of the whole batch when it comes in several parts, so that the
   * parts add up to its gradient. Returns `loss`, to which this part has been added.
   */
  languageModel(rows: Rows, { count = rows.index.length } = {}): Tensor {
    this.#trainable("train");
    if (!(count > 0)) throw new RangeError(`Cannot average over ${count} rows: count must be > 0`);
    const pass = this.#forward(rows, 1);
    this.#pending = undefined;
    pass.languageModel(rows, count);
    return this.loss;
  }

  /** Sum of the losses since the last call (the mean of one batch, when there was one). One read-back. */
  async readLoss(): Promise<number> {
    const [loss] = await this.device.read(this.loss);
    this.device.zero(this.loss);
    return loss[0];
  }

  /**
   * Logits (R, V) of the rows asked about.
   * @throws {RangeError} when they exceed `chunkBytes`
   */
  async logits(rows: Rows, options: PassOptions = {}): Promise<FloatArray> {
    const pass = this.#forward(rows, 1, options);
    const [R, V] = [rows.index.length, this.dims.V];
    if (!pass.whole) {
      throw new RangeError(
        `Cannot read logits as all ${R} rows must fit in chunkBytes: ask about fewer rows`,
      );
    }
    const [data] = await this.device.read(pass.head.logits) as FloatArray[];
    const out = data.slice(0, R * V) as FloatArray;
    const ld = logitsWidth(V);
    for (let r = 0; r < R; r++) out.set(data.subarray(r * ld, r * ld + V), r * V);
    return out;
  }

  /** Enqueues clipping, one AdamW step and the zeroing of the gradients. */
  step(learningRate: number): void {
    const optimizer = this.#trainable("step");
    this.#pending = undefined; // its activations belong to the old weights
    optimizer.step(learningRate);
    this.#norm = undefined;
  }

  /** Enqueues the zeroing of the gradients, without a step. */
  zeroGradient(): void {
    this.#trainable("zero gradients").gradients.zero();
  }

  /** Global norm of the gradient of the last step, before clipping. A read-back where none came since. */
  async gradientNorm(): Promise<number> {
    const { norm } = this.#trainable("tell a gradient's norm");
    this.#norm ??= (await this.device.read(norm))[0][0];
    return this.#norm;
  }

  /**
   * Adds the adapter's part to the weights, which makes this a plain model: as fast, and saved as one
   * (without the value head, which stays with the adapter).
   * @throws {TypeError} when the weights are not held in f32
   */
  async merge(): Promise<void> {
    if (inUse(this.adapter)) await this.#toggle();
  }

  /**
   * Takes the adapter's part off again, and goes on training. Weights come back within the rounding
   * of f32 (about 1e-7 of their size), and not to the bit: load the base where that matters.
   */
  async unmerge(): Promise<void> {
    if (this.adapter?.merged) await this.#toggle();
  }

  /** Writes the adapter in PEFT's form; see `writeAdapter`. */
  async saveAdapter(folder: string, options: AdapterSaveOptions = {}): Promise<void> {
    if (!this.adapter) throw new Error("Cannot save an adapter as this model has none");
    await writeAdapter(folder, this.adapter, { base: this.base, ...options });
  }

  /**
   * Writes a folder that transformers loads; see `writeFolder`.
   * @throws {Error} when an adapter is not merged
   */
  async save(folder: string, options: SaveOptions = {}): Promise<void> {
    if (inUse(this.adapter)) {
      throw new Error(
        "Cannot save a plain model as its adapter is beside the weights: call merge first, or saveAdapter",
      );
    }
    return await writeFolder(folder, this.config, { weights: this.weights, ...options });
  }

  /** Writes moments and step count to one safetensors file, all or nothing. */
  exportState(path: string): Promise<void> {
    return this.#trainable("export its optimizer").exportState(path);
  }

  /** Reads what `exportState` wrote. */
  importState(path: string): Promise<void> {
    return this.#trainable("import an optimizer").importState(path);
  }

  [Symbol.dispose](): void {
    this.companions.dispose();
    this.#forget(0);
    this.#pending = undefined;
    this.#workspace[Symbol.dispose]();
    this.#scope[Symbol.dispose]();
  }

  async #toggle(): Promise<void> {
    this.#pending = undefined; // its activations belong to the old weights
    await this.adapter!.merge(this.weights);
  }

  #trainable(action: string): Optimizer {
    if (this.adapter?.merged) {
      throw new Error(`Cannot ${action} as the adapter is merged into the weights: call unmerge`);
    }
    if (!this.optimizer) {
      throw new Error(`Cannot ${action} as this model is frozen: it has no gradients`);
    }
    return this.optimizer;
  }

  #forward(rows: Rows, temperature: number, { adapter }: PassOptions = {}): Pass {
    if (!(temperature > 0 && temperature < Infinity)) {
      throw new RangeError(`Cannot divide logits as temperature must be > 0: it is ${temperature}`);
    }
    checkRows(rows, this.dims);
    this.#pending = undefined; // its activations are about to be overwritten
    const pass = this.#pass(rows, temperature, adapter);
    pass.forward(rows);
    if (pass.model.gradients) this.#pending = { pass, R: rows.index.length };
    return pass;
  }

  /** The recorded pass of a shape; shapes are rounded up so that batches of like size share one. */
  #pass(rows: Rows, temperature: number, wanted?: boolean): Pass {
    const T = roundTime(rows.T, this.dims);
    // Where most rows are asked about, all are: such batches then share one pass, whatever their padding.
    const asked = roundUp(rows.index.length);
    const shape = { B: rows.B, T, R: 2 * asked > rows.B * T ? rows.B * T : asked, temperature };
    const { mode, ...parts } = passParts(this, wanted);
    const key = [mode, ...Object.values(shape)].join(" ");
    let pass = this.#passes.get(key);
    this.#passes.delete(key); // and set again below: the order of the map is that of use
    if (!pass) {
      pass = this.#record(shape, parts);
      this.#forget(Math.max(1, this.options.shapes ?? 32) - 1);
    }
    this.#passes.set(key, pass);
    return pass;
  }

  #record(shape: PassShape, parts: Omit<PassParts, "mode">): Pass {
    const { device, dims, weights, loss } = this, workspace = this.#workspace;
    const { recompute = false, chunkBytes = 2 ** 27 } = this.options;
    const { generation } = workspace;
    try {
      return new Pass(
        { device, workspace, dims, weights, ...parts, loss, recompute, chunkBytes },
        shape,
      );
    } finally {
      if (workspace.generation !== generation) this.#forget(0); // they bind memory that is gone
    }
  }

  /** Drops the passes that were used longest ago, all but `keep` of them. */
  #forget(keep: number): void {
    for (const [key, pass] of this.#passes) {
      if (this.#passes.size <= keep) break;
      this.#passes.delete(key);
      pass[Symbol.dispose]();
    }
  }
}

/** Tokens of a pass: a multiple of 8, or as many as the model has positions. */
const roundTime = (T: number, { P }: ModelDims): number => Math.min(Math.ceil(T / 8) * 8, P);

/** Rounds up by at most a quarter: 8, 16, … 64, 80, 96, 112, 128, 160, …. */
function roundUp(rows: number): number {
  const unit = Math.max(8, 2 ** Math.floor(Math.log2(rows) - 2));
  return Math.ceil(rows / unit) * unit;
}
