/** A policy that hands everything on to another one. @module */
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

/** What is right of a policy; a fault overrides what it gets wrong. */
export class PolicyWrapper implements Policy {
  readonly hasValues?: boolean;
  readonly valueDetached?: boolean;
  readonly hasKl?: boolean;
  readonly givesReference?: boolean;
  readonly reference?: NonNullable<Policy["reference"]>;
  readonly syncReference?: NonNullable<Policy["syncReference"]>;

  constructor(protected readonly inner: Policy) {
    ({
      hasValues: this.hasValues,
      valueDetached: this.valueDetached,
      hasKl: this.hasKl,
      givesReference: this.givesReference,
    } = inner);
    if (inner.reference) this.reference = (batch) => this.referenceOf(batch);
    if (inner.syncReference) this.syncReference = (mix) => inner.syncReference!(mix);
  }

  get lastPass(): unknown {
    return this.inner.lastPass;
  }

  generate(prompts: Int32Array[], options: SamplingOptions): Promise<Rollout> {
    return this.inner.generate(prompts, options);
  }

  evaluate(batch: TokenBatch, asked?: EvaluationRequest): Promise<Evaluation> {
    return this.inner.evaluate(batch, asked);
  }

  backward(gradient: EvaluationGradient): void {
    this.inner.backward(gradient);
  }

  step(rates: StepRates): void {
    this.inner.step(rates);
  }

  zeroGradient(): void {
    this.inner.zeroGradient();
  }

  gradientNorm(): Promise<number> {
    return this.inner.gradientNorm();
  }

  /** Called only where the inner policy has a reference. */
  protected referenceOf(batch: TokenBatch): Promise<{ logprob: Float32Array }> {
    return this.inner.reference!(batch);
  }
}
