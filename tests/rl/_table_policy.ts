/**
 * A policy small enough to see through: the next token depends on the last one alone, by a table of
 * logits (V, V) and a table of values (V). It draws, evaluates and learns exactly as a network would.
 * @module
 */
import type {
  Evaluation,
  EvaluationGradient,
  EvaluationRequest,
  Policy,
  Rollout,
  SamplingOptions,
  StepRates,
  TokenBatch,
} from "../../rl/policy.ts";
import { drawWords, STREAMS } from "../../base/random.ts";

/** Ends a response; also what a careless trainer would take for padding. */
export const EOS = 0;

/** What `TablePolicy` needs to continue exactly. */
export interface TableState {
  logits: number[];
  values: number[];
  moments: number[];
  taken: StepRates;
}

export class TablePolicy implements Policy {
  readonly hasKl: boolean = true;
  /** (V, V): logits of the next token after each token. */
  logits: Float64Array;
  /** (V) */
  values: Float64Array;
  dlogits: Float64Array;
  dvalues: Float64Array;
  frozen: Float64Array;
  moments: Float64Array;
  /** Its values are a table of their own. */
  readonly valueDetached: boolean = true;
  taken: StepRates = { policy: 0, value: 0 };
  /** The learning rates of every step. */
  rates: StepRates[] = [];
  evaluations = 0;
  /** Of every evaluation: whether it was asked for KL. */
  klAsked: boolean[] = [];
  /** Every gradient that `backward` was given. */
  gradients: EvaluationGradient[] = [];
  last?: { batch: TokenBatch; T: number };
  norm = 0;

  constructor(readonly V: number, init: (i: number) => number = () => 0) {
    this.logits = Float64Array.from({ length: V * V }, (_, i) => init(i));
    this.values = new Float64Array(V);
    this.dlogits = new Float64Array(V * V);
    this.dvalues = new Float64Array(V);
    this.frozen = this.logits.slice();
    this.moments = new Float64Array(2 * (V * V + V));
  }

  /** Steps in which anything moved. */
  get steps(): number {
    return Math.max(this.taken.policy, this.taken.value);
  }

  save(): TableState {
    return structuredClone({
      logits: [...this.logits],
      values: [...this.values],
      moments: [...this.moments],
      taken: this.taken,
    });
  }

  load({ logits, values, moments, taken }: TableState): void {
    this.logits.set(logits);
    this.values.set(values);
    this.moments.set(moments);
    this.taken = { ...taken };
  }

  generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    const { maxNewTokens, temperature, seed, stream, greedy, row0 = 0 } = options;
    const rollout: Rollout = { prompts, responses: [], finished: [], logprobs: [] };
    prompts.forEach((prompt, row) => {
      let token = prompt[prompt.length - 1];
      const response: number[] = [], logprobs: number[] = [];
      do {
        const logp = this.#logSoftmax(this.logits, token, temperature);
        const place = { row: row0 + row, token: response.length, step: stream };
        let left = drawWords(STREAMS.tablePolicy, seed, place)[0] / 2 ** 32;
        token = 0;
        while (token < this.V - 1 && (left -= Math.exp(logp[token])) > 0) token++;
        if (greedy) token = logp.indexOf(Math.max(...logp));
        response.push(token);
        logprobs.push(logp[token]);
      } while (token !== EOS && response.length < maxNewTokens);
      rollout.responses.push(Int32Array.from(response));
      rollout.finished.push(token === EOS);
      rollout.logprobs.push(Float32Array.from(logprobs));
    });
    return Promise.resolve(rollout);
  }

  evaluate(batch: TokenBatch, asked: EvaluationRequest = {}): Promise<Evaluation> {
    this.evaluations++;
    const T = Math.max(...batch.responses.map((r) => r.length)), B = batch.responses.length;
    this.last = { batch, T };
    const logprob = new Float32Array(B * T).fill(NaN); // nobody may look at masked slots
    const entropy = logprob.slice(), value = logprob.slice(), kl = logprob.slice();
    this.klAsked.push(asked.kl === true);
    this.#each(batch, T, (i, from, token) => {
      const logp = this.#logSoftmax(this.logits, from, batch.temperature);
      logprob[i] = logp[token];
      entropy[i] = -logp.reduce((sum, l) => sum + Math.exp(l) * l, 0);
      value[i] = this.values[batch.valueAt === "own" ? token : from];
      kl[i] = this.#kl(from, batch.temperature).kl;
    });
    return Promise.resolve({ logprob, entropy, value, ...(asked.kl && { kl }) });
  }

  backward(gradient: EvaluationGradient): void {
    this.gradients.push(gradient);
    const { batch, T } = this.last!, { V } = this, { temperature } = batch;
    this.#each(batch, T, (i, from, token) => {
      const logp = this.#logSoftmax(this.logits, from, temperature);
      const H = -logp.reduce((sum, l) => sum + Math.exp(l) * l, 0);
      const { kl, d } = this.#kl(from, temperature);
      for (let v = 0; v < V; v++) {
        const p = Math.exp(logp[v]);
        const dl = (v === token ? 1 : 0) - p, dH = -p * (logp[v] + H);
        const dKl = (gradient.dkl?.[i] ?? 0) * p * (d[v] - kl);
        this.dlogits[from * V + v] +=
          (gradient.dlogprob[i] * dl + (gradient.dentropy?.[i] ?? 0) * dH + dKl) /
          temperature;
      }
      this.dvalues[batch.valueAt === "own" ? token : from] += gradient.dvalue?.[i] ?? 0;
    });
  }

  /**
   * Adam with betas 0.9 and 0.999; what has the rate 0 stays, and a gradient that is not finite changes
   * nothing. The norm is that of what moves, or of all where nothing does.
   */
  step(rates: StepRates): void {
    this.rates.push(rates);
    const gradient = [...this.dlogits, ...this.dvalues],
      n = gradient.length,
      split = this.logits.length;
    const groupOf = (i: number): keyof StepRates => i < split ? "policy" : "value";
    const all = rates.policy === 0 && rates.value === 0;
    this.norm = Math.hypot(...gradient.filter((_, i) => all || rates[groupOf(i)] > 0));
    this.zeroGradient();
    if (!Number.isFinite(this.norm)) return;
    for (const group of ["policy", "value"] as const) if (rates[group] > 0) this.taken[group]++;
    gradient.forEach((g, i) => {
      const rate = rates[groupOf(i)], steps = this.taken[groupOf(i)];
      if (rate === 0) return;
      const m = this.moments[i] = 0.9 * this.moments[i] + 0.1 * g;
      const v = this.moments[n + i] = 0.999 * this.moments[n + i] + 0.001 * g * g;
      const change = rate * m / (1 - 0.9 ** steps) / (Math.sqrt(v / (1 - 0.999 ** steps)) + 1e-8);
      if (i < split) this.logits[i] -= change;
      else this.values[i - split] -= change;
    });
  }

  zeroGradient(): void {
    this.dlogits.fill(0);
    this.dvalues.fill(0);
  }

  gradientNorm(): Promise<number> {
    return Promise.resolve(this.norm);
  }

  reference(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
    const T = Math.max(...batch.responses.map((r) => r.length));
    const logprob = new Float32Array(batch.responses.length * T).fill(NaN);
    this.#each(batch, T, (i, from, token) => {
      logprob[i] = this.#logSoftmax(this.frozen, from, batch.temperature)[token];
    });
    return Promise.resolve({ logprob });
  }

  syncReference(mix: number): void {
    this.frozen = this.frozen.map((old, i) => mix * this.logits[i] + (1 - mix) * old);
  }

  #each(
    { prompts, responses }: TokenBatch,
    T: number,
    visit: (slot: number, from: number, token: number) => void,
  ): void {
    responses.forEach((response, b) => {
      const row = [...prompts[b], ...response];
      response.forEach((token, t) => {
        visit(b * T + t, row[prompts[b].length - 1 + t], token); // the token before it
      });
    });
  }

  /** d = log p - log q of every next token, and its mean under p. */
  #kl(from: number, temperature: number): { kl: number; d: Float64Array } {
    const p = this.#logSoftmax(this.logits, from, temperature);
    const q = this.#logSoftmax(this.frozen, from, temperature), d = p.map((l, v) => l - q[v]);
    return { kl: p.reduce((sum, l, v) => sum + Math.exp(l) * d[v], 0), d };
  }

  #logSoftmax(table: Float64Array, from: number, temperature: number): Float64Array {
    const z = table.slice(from * this.V, (from + 1) * this.V).map((x) => x / temperature);
    const top = Math.max(...z);
    const lse = top + Math.log(z.reduce((sum, x) => sum + Math.exp(x - top), 0));
    return z.map((x) => x - lse);
  }
}
