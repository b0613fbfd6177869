/**
 * A training step of GPT-2 written with jax-js, for comparison: forward, gradient, clipping, Adam, in one
 * compiled function. What is passed to a function of jax-js is given away; `ref` keeps it.
 * @module
 */
import { loadJax } from "./jax.ts";

/** Arrays by transformers' names without prefix: "wte.weight", "h.0.attn.c_attn.weight" … */
export type Weights = Record<string, { shape: readonly number[]; data: Float32Array }>;

/** Sizes, as `config.json` names them. */
interface Config {
  readonly n_layer: number;
  readonly n_head: number;
  readonly layer_norm_epsilon?: number;
}

/** A model that trains; each call is one step on the batch that it was opened with. */
export interface JaxTraining {
  /** One step, waited for; gives the loss before its update. */
  step(): Promise<number>;
}

// deno-lint-ignore no-explicit-any -- types of jax-js are not loaded; see loadPackage
type Any = any;

const [BETA1, BETA2, EPSILON, MAX_NORM] = [0.9, 0.999, 1e-8, 1];

/** The mean cross-entropy of `targets` (B, T) after `tokens` (B, T). */
function lossOf({ numpy: np, nn }: Any, { n_layer, n_head, layer_norm_epsilon = 1e-5 }: Config) {
  const norm = (x: Any, gain: Any, bias: Any) =>
    nn.standardize(x, -1, { epsilon: layer_norm_epsilon }).mul(gain).add(bias);
  const linear = (x: Any, weight: Any, bias: Any) => np.matmul(x, weight).add(bias);
  const block = (x: Any, w: (name: string) => Any) => {
    const [B, T, C] = x.shape;
    const inner = norm(x.ref, w("ln_1.weight"), w("ln_1.bias"));
    const qkv = linear(inner, w("attn.c_attn.weight"), w("attn.c_attn.bias"));
    const [q, k, v] = np.split(qkv, 3, -1).map((part: Any) =>
      part.reshape([B, T, n_head, C / n_head])
    );
    const attended = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([B, T, C]);
    x = x.add(linear(attended, w("attn.c_proj.weight"), w("attn.c_proj.bias")));
    const wide = linear(
      norm(x.ref, w("ln_2.weight"), w("ln_2.bias")),
      w("mlp.c_fc.weight"),
      w("mlp.c_fc.bias"),
    );
    const active = nn.gelu(wide, { approximate: true });
    return x.add(linear(active, w("mlp.c_proj.weight"), w("mlp.c_proj.bias")));
  };
  return (p: Record<string, Any>, tokens: Any, targets: Any) => {
    const [V] = p["wte.weight"].shape, [, T] = tokens.shape;
    // A product with one-hot rows: the gradient of `take` does not compile in Deno (0.1.25).
    let x = np.matmul(nn.oneHot(tokens, V), p["wte.weight"].ref);
    x = x.add(np.matmul(np.eye(T, p["wpe.weight"].shape[0]), p["wpe.weight"]));
    for (let l = 0; l < n_layer; l++) x = block(x, (name) => p[`h.${l}.${name}`]);
    x = norm(x, p["ln_f.weight"], p["ln_f.bias"]);
    const logprob = nn.logSoftmax(np.matmul(x, np.transpose(p["wte.weight"])), -1);
    return np.mean(np.sum(logprob.mul(nn.oneHot(targets, V)), -1)).neg();
  };
}

/** Uploads the weights and compiles nothing yet: the first step does. `batch` has T + 1 tokens a row. */
export async function jaxTraining(
  config: Config,
  weights: Weights,
  { batch, learningRate }: { batch: readonly (readonly number[])[]; learningRate: number },
): Promise<JaxTraining> {
  const jax = await loadJax();
  const { numpy: np } = jax;
  const each = (make: (name: string) => Any) =>
    Object.fromEntries(Object.keys(weights).map((name) => [name, make(name)]));
  const ids = (from: number) => {
    const flat = batch.flatMap((row) => row.slice(from, from + row.length - 1));
    const shape = [batch.length, batch[0].length - 1];
    return np.array(Int32Array.from(flat), { shape, dtype: np.int32 });
  };
  const tokens = ids(0), targets = ids(1);
  const zeros = () => each((name) => np.zeros(weights[name].shape));
  let p = each((name) => np.array(weights[name].data, { shape: weights[name].shape }));
  let m = zeros(), v = zeros(), count = 0;
  const update = jax.jit(stepOf(jax, config));
  return {
    async step() {
      count++;
      const rates = np.array(
        Float32Array.of(learningRate / (1 - BETA1 ** count), 1 / (1 - BETA2 ** count)),
      );
      let loss: Any;
      [p, m, v, loss] = update(p, m, v, tokens.ref, targets.ref, rates);
      await jax.blockUntilReady(p);
      return (await loss.data())[0];
    },
  };
}

/** Gradient, clipping to a global norm, Adam. `rates`: learning rate and 1, each bias-corrected. */
function stepOf(jax: Any, config: Config) {
  const { numpy: np } = jax;
  const lossAndGradient = jax.valueAndGrad(lossOf(jax, config));
  type Tree = Record<string, Any>;
  return (p: Tree, m: Tree, v: Tree, tokens: Any, targets: Any, rates: Any) => {
    const [loss, gradient] = lossAndGradient(jax.tree.ref(p), tokens, targets);
    const names = Object.keys(p);
    const squares = names.map((name) => np.sum(np.square(gradient[name].ref)));
    const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const clip = np.minimum(np.array(MAX_NORM).div(norm.add(1e-6)), 1);
    const [rate, correction] = np.split(rates, 2);
    const next: [Tree, Tree, Tree] = [{}, {}, {}];
    for (const name of names) {
      const g = gradient[name].mul(clip.ref);
      const first = m[name].mul(BETA1).add(g.ref.mul(1 - BETA1));
      const second = v[name].mul(BETA2).add(np.square(g).mul(1 - BETA2));
      const root = np.sqrt(second.ref.mul(correction.ref)).add(EPSILON);
      next[0][name] = p[name].sub(first.ref.mul(rate.ref).div(root));
      next[1][name] = first;
      next[2][name] = second;
    }
    for (const spent of [clip, rate, correction]) spent.dispose();
    return [...next, loss];
  };
}
