/**
 * Balancing a pole on a cart, without a language model. The tokens of a response are pushes, 0 left and 1
 * right, the prompt is the seed of the first state, and a response lasts as long as the pole stands. The
 * equations are those of Barto, Sutton and Anderson 1983, with the constants of Gymnasium's CartPole-v1.
 * @module
 */
import { drawWords, STREAMS } from "../../base/random.ts";
import { fillNormal } from "../../model/random.ts";
import type {
  Evaluation,
  EvaluationGradient,
  Policy,
  Rollout,
  SamplingOptions,
  StepRates,
  TokenBatch,
} from "../../rl/policy.ts";

/** Pushes after which an episode counts as solved. */
export const LONGEST = 500;

/** Position (m), speed, angle (rad) of the pole, its speed. */
type State = [number, number, number, number];

const GRAVITY = 9.8, CART = 1, POLE = 0.1, HALF_LENGTH = 0.5, FORCE = 10, SECONDS = 0.02;

/** The state after one push. */
function pushed([x, v, angle, turn]: State, action: number): State {
  const force = action === 1 ? FORCE : -FORCE, mass = CART + POLE;
  const cos = Math.cos(angle), sin = Math.sin(angle);
  const pull = (force + POLE * HALF_LENGTH * turn ** 2 * sin) / mass;
  const spin = (GRAVITY * sin - cos * pull) / (HALF_LENGTH * (4 / 3 - POLE * cos ** 2 / mass));
  const speedUp = pull - POLE * HALF_LENGTH * spin * cos / mass;
  return [x + SECONDS * v, v + SECONDS * speedUp, angle + SECONDS * turn, turn + SECONDS * spin];
}

const stands = ([x, , angle]: State): boolean =>
  Math.abs(x) <= 2.4 && Math.abs(angle) <= 12 * Math.PI / 180;

const firstState = (seed: number): State =>
  [...drawWords(STREAMS.tablePolicy, seed, { row: 0, token: 0, step: 2 ** 20 })]
    .map((word) => word / 2 ** 32 * 0.1 - 0.05) as State;

const HIDDEN = 32;

/** One hidden layer of tanh: 4 numbers in, `out` out; learns with Adam. */
class Network {
  /** (HIDDEN, 4), (HIDDEN), (out, HIDDEN), (out), one after the other. */
  weights: Float64Array;
  gradient: Float64Array;
  #m: Float64Array;
  #v: Float64Array;

  constructor(readonly out: number, seed: number, scale: number) {
    const size = HIDDEN * 5 + out * (HIDDEN + 1);
    const draw = (length: number, parameter: number, std: number) => {
      const drawn = new Float32Array(length);
      fillNormal(drawn, { std, seed, parameter });
      return drawn;
    };
    this.weights = new Float64Array(size); // biases stay 0
    this.weights.set(draw(HIDDEN * 4, 2 * out, 0.7));
    this.weights.set(draw(out * HIDDEN, 2 * out + 1, scale), HIDDEN * 5);
    this.gradient = new Float64Array(size);
    this.#m = new Float64Array(size);
    this.#v = new Float64Array(size);
  }

  /** Outputs and hidden activations of one state. */
  forward(state: State): { out: Float64Array; hidden: Float64Array } {
    const { weights: w } = this, second = HIDDEN * 5;
    const hidden = new Float64Array(HIDDEN), out = new Float64Array(this.out);
    for (let h = 0; h < HIDDEN; h++) {
      let sum = w[HIDDEN * 4 + h];
      for (let i = 0; i < 4; i++) sum += w[h * 4 + i] * state[i];
      hidden[h] = Math.tanh(sum);
    }
    for (let o = 0; o < this.out; o++) {
      let sum = w[second + this.out * HIDDEN + o];
      for (let h = 0; h < HIDDEN; h++) sum += w[second + o * HIDDEN + h] * hidden[h];
      out[o] = sum;
    }
    return { out, hidden };
  }

  /** Adds the gradient of one state's outputs. */
  backward(state: State, hidden: Float64Array, dout: readonly number[]): void {
    const { weights: w, gradient: g } = this, second = HIDDEN * 5;
    for (let o = 0; o < this.out; o++) g[second + this.out * HIDDEN + o] += dout[o];
    for (let h = 0; h < HIDDEN; h++) {
      let dh = 0;
      for (let o = 0; o < this.out; o++) {
        g[second + o * HIDDEN + h] += dout[o] * hidden[h];
        dh += dout[o] * w[second + o * HIDDEN + h];
      }
      const dsum = dh * (1 - hidden[h] ** 2);
      g[HIDDEN * 4 + h] += dsum;
      for (let i = 0; i < 4; i++) g[h * 4 + i] += dsum * state[i];
    }
  }

  step(learningRate: number, scale: number, steps: number): void {
    this.gradient.forEach((raw, i) => {
      const g = raw * scale;
      const m = this.#m[i] = 0.9 * this.#m[i] + 0.1 * g;
      const v = this.#v[i] = 0.999 * this.#v[i] + 0.001 * g * g;
      this.weights[i] -= learningRate * m / (1 - 0.9 ** steps) /
        (Math.sqrt(v / (1 - 0.999 ** steps)) + 1e-5);
    });
  }
}

/** One token of the batch that was evaluated last. */
interface Visit {
  state: State;
  action: number;
  /** log pi of both actions. */
  logp: [number, number];
  entropy: number;
  actorHidden: Float64Array;
  criticHidden: Float64Array;
}

/** Two small networks that balance the pole: one draws pushes, one estimates what is left of an episode. */
export class CartPolePolicy implements Policy {
  #actor: Network;
  #critic: Network;
  #visits: (Visit | undefined)[] = [];
  #steps = 0;
  #norm = 0;

  constructor(seed: number, readonly maxGradNorm = 0.5) {
    this.#actor = new Network(2, seed, 0.01);
    this.#critic = new Network(1, seed, 0.2);
  }

  generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    const { maxNewTokens, seed, stream, greedy } = options;
    const rollout: Rollout = { prompts, responses: [], finished: [], logprobs: [] };
    prompts.forEach(([first], row) => {
      let state = firstState(first);
      const response: number[] = [], logprobs: number[] = [];
      while (stands(state) && response.length < maxNewTokens) {
        const { logp } = this.#visit(state, 0);
        const place = { row, token: response.length, step: stream };
        const u = drawWords(STREAMS.tablePolicy, seed, place)[0] / 2 ** 32;
        const action = greedy ? Number(logp[1] > logp[0]) : Number(u >= Math.exp(logp[0]));
        response.push(action);
        logprobs.push(logp[action]);
        state = pushed(state, action);
      }
      rollout.responses.push(Int32Array.from(response));
      rollout.finished.push(!stands(state));
      rollout.logprobs.push(Float32Array.from(logprobs));
    });
    return Promise.resolve(rollout);
  }

  evaluate({ prompts, responses }: TokenBatch): Promise<Evaluation> {
    const B = responses.length, T = Math.max(...responses.map(({ length }) => length));
    const [logprob, entropy, value] = [0, 1, 2].map(() => new Float32Array(B * T));
    this.#visits = Array(B * T);
    responses.forEach((response, b) => {
      let state = firstState(prompts[b][0]);
      response.forEach((action, t) => {
        const { out: [v], hidden } = this.#critic.forward(state);
        const visit = { ...this.#visit(state, action), criticHidden: hidden };
        const at = b * T + t;
        this.#visits[at] = visit;
        logprob[at] = visit.logp[action];
        entropy[at] = visit.entropy;
        value[at] = v;
        state = pushed(state, action);
      });
    });
    return Promise.resolve({ logprob, entropy, value });
  }

  #visit(state: State, action: number): Visit {
    const { out: [a, b], hidden } = this.#actor.forward(state);
    const sum = Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
    const logp: [number, number] = [a - sum, b - sum];
    const entropy = -logp.reduce((total, l) => total + Math.exp(l) * l, 0);
    return { state, action, logp, entropy, actorHidden: hidden, criticHidden: hidden };
  }

  backward({ dlogprob, dentropy, dvalue }: EvaluationGradient): void {
    this.#visits.forEach((visit, i) => {
      if (!visit) return;
      const { state, action, logp, entropy } = visit;
      const dlogits = logp.map((l, k) => {
        const p = Math.exp(l);
        return dlogprob[i] * (Number(k === action) - p) - (dentropy?.[i] ?? 0) * p * (l + entropy);
      });
      this.#actor.backward(state, visit.actorHidden, dlogits);
      this.#critic.backward(state, visit.criticHidden, [dvalue?.[i] ?? 0]);
    });
  }

  step(rates: StepRates): void {
    const both = [this.#actor, this.#critic], each = [rates.policy, rates.value];
    this.#norm = Math.hypot(...both.flatMap(({ gradient }) => [...gradient]));
    this.#steps++;
    const scale = Math.min(1, this.maxGradNorm / this.#norm);
    both.forEach((network, i) => network.step(each[i], scale, this.#steps));
    this.zeroGradient();
  }

  zeroGradient(): void {
    this.#actor.gradient.fill(0);
    this.#critic.gradient.fill(0);
  }

  gradientNorm(): Promise<number> {
    return Promise.resolve(this.#norm);
  }
}
