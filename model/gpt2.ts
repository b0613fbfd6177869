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
import { readFolder, type SaveOptions, writeFolder } from "./folder.ts";
import { logitsWidth } from "./layers/head.ts";
import { type AdamwOptions, Optimizer } from "./optimizer.ts";
import { initialise, layoutParameters, Store } from "./params.ts";
import { Pass, type RowGradients } from "./pass.ts";
import { checkRows, type Rows } from "./rows.ts";
import { Workspace } from "./workspace.ts";

/** Settings of a model that are no part of its weights. */
export interface Gpt2Options {
  /** Key of the fresh weights. Default 0. */
  seed?: number;
  /** Add a linear estimate of value on the final hidden state, zero at first. Default false. */
  valueHead?: boolean;
  /** Leave out gradients and optimizer: forward passes only. Default false. */
  frozen?: boolean;
  /** Keep only each layer's input and compute the rest again in backward. Default false. */
  recompute?: boolean;
  /** Most bytes of logits held at a time; each chunk has at least 64 rows. Default 2^27. */
  chunkBytes?: number;
  /** Shapes whose recorded passes are kept; all share the memory of the largest. Default 32. */
  shapes?: number;
  /** Settings of `step`. */
  adamw?: Partial<AdamwOptions>;
}

/** What a forward pass tells of each row asked about: (R) each. */
export interface RowEvaluation {
  /** log pi(target), nats. */
  logprob: FloatArray;
  /** Of the whole distribution, nats. */
  entropy: FloatArray;
  /** Value head's estimate; zeros without one. */
  value: FloatArray;
}

/** A GPT-2 with its weights on a device and, unless frozen, its gradients and optimizer. */
export class Gpt2 implements Disposable {
  readonly dims: ModelDims;
  readonly weights: Store;
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

  private constructor(
    readonly device: Device,
    readonly config: ModelConfig,
    readonly options: Readonly<Gpt2Options>,
  ) {
    this.dims = modelDims(config);
    this.#scope = new Scope(device);
    this.#workspace = new Workspace(device);
    try {
      const layout = layoutParameters(config, device.limits, options);
      this.weights = new Store(this.#scope, layout, "weight");
      if (!options.frozen) {
        this.optimizer = new Optimizer(this.#scope, this.weights, options.adamw);
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
    const model = new Gpt2(device, parseConfig(config), options);
    initialise(model.weights, options.seed ?? 0);
    return model;
  }

  /**
   * A model from a folder in Hugging Face form. A value head that the folder lacks is zero.
   * @throws {Error} when the folder lacks a file or its tensors do not fit its config
   */
  static async load(device: Device, folder: string, options: Gpt2Options = {}): Promise<Gpt2> {
    using source = await readFolder(folder);
    const model = new Gpt2(device, source.config, options);
    try {
      await source.fill(model.weights);
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
    return model;
  }

  /** A copy of the weights without gradients or optimizer, as the reference policy. */
  async frozenCopy(): Promise<Gpt2> {
    const copy = new Gpt2(this.device, this.config, { ...this.options, frozen: true });
    for await (const [{ name }, data] of this.weights.read()) {
      this.device.write(copy.weights.get(name), data);
    }
    return copy;
  }

  /** Forward pass; keeps what `backward` needs until the next forward pass. One read-back. */
  async evaluate(rows: Rows, { temperature = 1 } = {}): Promise<RowEvaluation> {
    const { head } = this.#forward(rows, temperature);
    const R = rows.index.length;
    const wanted = [head.logprob, head.entropy, ...(head.value ? [head.value] : [])];
    const read = await this.device.read(...wanted.map((tensor) => view(tensor, 0, R)));
    const [logprob, entropy, value = new Float32Array(R)] = read as FloatArray[];
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
  async logits(rows: Rows): Promise<FloatArray> {
    const pass = this.#forward(rows, 1);
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
  }

  /** Enqueues the zeroing of the gradients, without a step. */
  zeroGradient(): void {
    this.#trainable("zero gradients").gradients.zero();
  }

  /** Global norm of the gradient of the last step, before clipping. One read-back. */
  gradientNorm(): Promise<number> {
    return this.#trainable("tell a gradient's norm").gradientNorm();
  }

  /** Writes a folder that transformers loads; see `writeFolder`. */
  save(folder: string, options: SaveOptions = {}): Promise<void> {
    return writeFolder(folder, this.config, { weights: this.weights, ...options });
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

  #trainable(action: string): Optimizer {
    if (!this.optimizer) {
      throw new Error(`Cannot ${action} as this model is frozen: it has no gradients`);
    }
    return this.optimizer;
  }

  #forward(rows: Rows, temperature: number): Pass {
    if (!(temperature > 0 && temperature < Infinity)) {
      throw new RangeError(`Cannot divide logits as temperature must be > 0: it is ${temperature}`);
    }
    checkRows(rows, this.dims);
    this.#pending = undefined; // its activations are about to be overwritten
    const pass = this.#pass(rows, temperature);
    pass.forward(rows);
    this.#pending = { pass, R: rows.index.length };
    return pass;
  }

  /** The recorded pass of a shape; shapes are rounded up so that batches of like size share one. */
  #pass(rows: Rows, temperature: number): Pass {
    const { device, dims, weights, loss, optimizer, options } = this;
    const { recompute = false, chunkBytes = 2 ** 27, shapes = 32 } = options;
    const T = Math.min(Math.ceil(rows.T / 8) * 8, dims.P);
    // Where most rows are asked about, all are: such batches then share one pass, whatever their padding.
    const asked = roundUp(rows.index.length);
    const shape = { B: rows.B, T, R: 2 * asked > rows.B * T ? rows.B * T : asked, temperature };
    const key = Object.values(shape).join(" ");
    let pass = this.#passes.get(key);
    this.#passes.delete(key); // and set again below: the order of the map is that of use
    if (!pass) {
      const workspace = this.#workspace;
      const { generation } = workspace;
      const gradients = optimizer?.gradients;
      try {
        pass = new Pass(
          { device, workspace, dims, weights, gradients, loss, recompute, chunkBytes },
          shape,
        );
      } finally {
        if (workspace.generation !== generation) { // the others bind memory that is gone
          this.#forget(0);
          device.trim();
        }
      }
      this.#forget(Math.max(1, shapes) - 1);
    }
    this.#passes.set(key, pass);
    return pass;
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

/** Rounds up by at most a quarter: 8, 16, … 64, 80, 96, 112, 128, 160, …. */
function roundUp(rows: number): number {
  const unit = Math.max(8, 2 ** Math.floor(Math.log2(rows) - 2));
  return Math.ceil(rows / unit) * unit;
}
