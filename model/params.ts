/**
 * The parameters of a model: their names, shapes and places in memory.
 *
 * Parameters lie one after another in arenas, each small enough for one binding, so that AdamW and
 * the gradient norm are a few launches and not one a parameter. Weight, gradient and both moments
 * have the same layout: `store.weight` and `store.grad` of one name are the same range of two arenas.
 * @module
 */
import {
  ALIGN,
  align,
  type Device,
  type DeviceLimits,
  type FloatArray,
  type Scope,
  type Tensor,
  view,
} from "../kernels/device.ts";
import { type ModelConfig, modelDims } from "./config.ts";
import { type LinearModule, linearModules } from "./families.ts";
import { fillNormal } from "./random.ts";

const MOST = 2 ** 28; // bytes an arena is filled to at most, so that a read-back stays a modest block

/** One parameter. */
export interface Parameter {
  /** Its name in Hugging Face folders of GPT-2, without the prefix `transformer.`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements. */
  readonly length: number;
  /** Whether weight decay applies: weights and embeddings yes, biases and layer norms no. */
  readonly decay: boolean;
  /** Its fresh value: this number everywhere, or normal draws of that deviation. */
  readonly init: { readonly value: number } | { readonly deviation: number };
  /** Index into `Layout.arenas`. */
  readonly arena: number;
  /** First element in the arena; a multiple of `ALIGN`. */
  readonly offset: number;
}

/** A run of parameters in one tensor. */
export interface Arena {
  readonly label: string;
  readonly decay: boolean;
  /** Elements. */
  readonly length: number;
}

/** Where every parameter lies. */
export interface Layout {
  readonly parameters: readonly Parameter[];
  readonly arenas: readonly Arena[];
  /** Parameter by name. */
  readonly byName: ReadonlyMap<string, Parameter>;
}

type Spec = Omit<Parameter, "length" | "arena" | "offset">;

/** Names, shapes and fresh values in the order of the network; `valueHead` adds `v_head.*`. */
function specs(config: ModelConfig, valueHead: boolean): Spec[] {
  const { V, P, C, L, I } = modelDims(config);
  const deviation = config.initializer_range;
  // Each layer adds two branches to the residual stream; GPT-2 shrinks them so that their sum keeps
  // its size (Radford et al. 2019, section 2.3). GPT-Neo does not.
  const branch = config.model_type === "gpt2" ? deviation / Math.sqrt(2 * L) : deviation;
  const biased = new Set(linearModules(config).filter(({ bias }) => bias).map(({ map }) => map));
  const weight = (name: string, shape: number[], d = deviation): Spec => ({
    name: `${name}.weight`,
    shape,
    decay: true,
    init: { deviation: d },
  });
  const vector = (name: string, length: number, value: number): Spec => ({
    name,
    shape: [length],
    decay: false,
    init: { value },
  });
  const norm = (name: string): Spec[] => [
    vector(`${name}.weight`, C, 1),
    vector(`${name}.bias`, C, 0),
  ];
  const layer = (l: number): Spec[] => {
    const linear = (map: LinearModule["map"], from: number, to: number, d?: number): Spec[] => [
      weight(`h.${l}.${map}`, [from, to], d), // y = x W + b
      ...(biased.has(map) ? [vector(`h.${l}.${map}.bias`, to, 0)] : []),
    ];
    return [
      ...norm(`h.${l}.ln_1`),
      ...linear("attn.c_attn", C, 3 * C),
      ...linear("attn.c_proj", C, C, branch),
      ...norm(`h.${l}.ln_2`),
      ...linear("mlp.c_fc", C, I),
      ...linear("mlp.c_proj", I, C, branch),
    ];
  };
  return [
    weight("wte", [V, C]),
    weight("wpe", [P, C]),
    ...Array.from({ length: L }, (_, l) => layer(l)).flat(),
    ...norm("ln_f"),
    ...(config.tie_word_embeddings ? [] : [weight("lm_head", [V, C])]),
    ...(valueHead
      ? [
        { ...weight("v_head", [1, C]), init: { value: 0 } }, // the first estimates are 0, not noise
        vector("v_head.bias", 1, 0),
      ]
      : []),
  ];
}

/**
 * Places every parameter of `config`. A parameter larger than one binding has an arena to itself.
 * The result depends on the device's limits alone, never on the data.
 */
export function layoutParameters(
  config: ModelConfig,
  limits: DeviceLimits,
  { valueHead = false }: { valueHead?: boolean } = {},
): Layout {
  const most = Math.floor(Math.min(limits.maxBinding, MOST) / 4 / ALIGN) * ALIGN;
  const arenas: { label: string; decay: boolean; length: number }[] = [];
  const open = new Map<boolean, number>(); // decay -> index of the arena being filled
  const parameters = specs(config, valueHead).map((spec): Parameter => {
    const length = spec.shape.reduce((product, n) => product * n, 1);
    const space = align(length);
    let arena = open.get(spec.decay);
    if (arena === undefined || arenas[arena].length + space > most) {
      arena = arenas.length;
      arenas.push({
        label: `arena ${arena} (${spec.decay ? "decay" : "no decay"})`,
        decay: spec.decay,
        length: 0,
      });
      if (space <= most) open.set(spec.decay, arena);
    }
    const offset = arenas[arena].length;
    arenas[arena].length += space;
    return { ...spec, length, arena, offset };
  });
  return { parameters, arenas, byName: new Map(parameters.map((p) => [p.name, p])) };
}

/** The parameter that turns hidden states into logits, (V, C): the token embedding where it is tied. */
export const headName = ({ byName }: Layout): string =>
  byName.has("lm_head.weight") ? "lm_head.weight" : "wte.weight";

/** One number for every parameter: the weights, or the gradients, or a moment. */
export class Store {
  /** One tensor an arena. */
  readonly arenas: readonly Tensor[];
  readonly device: Device;
  #views: ReadonlyMap<string, Tensor>;

  /** Allocates zeros in `scope`, which frees them. `kind` names it in labels. */
  constructor(scope: Scope, readonly layout: Layout, readonly kind: string) {
    this.device = scope.device;
    this.arenas = layout.arenas.map(({ length, label }) => scope.alloc(length, `${kind} ${label}`));
    this.zero();
    this.#views = new Map(
      layout.parameters.map(({ name, arena, offset, length }) => [
        name,
        view(this.arenas[arena], offset, length, `${kind} ${name}`),
      ]),
    );
  }

  /** The tensor of one parameter. @throws {RangeError} for an unknown name */
  get(name: string): Tensor {
    const found = this.#views.get(name);
    if (!found) throw new RangeError(`Cannot find the ${this.kind} of ${name}: no such parameter`);
    return found;
  }

  /** Enqueues zeros into every arena. */
  zero(): void {
    for (const arena of this.arenas) this.device.zero(arena);
  }

  /** The parameters in the order in which `read` gives them. */
  get order(): Parameter[] {
    return this.layout.parameters.toSorted((a, b) => a.arena - b.arena);
  }

  /** Copies one parameter after another to the host, arena by arena; one wait an arena. */
  async *read(): AsyncGenerator<[Parameter, FloatArray]> {
    let at = -1;
    let data: FloatArray | undefined;
    for (const parameter of this.order) {
      if (parameter.arena !== at) {
        data = undefined; // let the last block go before the next one arrives
        at = parameter.arena;
        [data] = await this.device.read(this.arenas[at]) as FloatArray[];
      }
      const { offset, length } = parameter;
      yield [parameter, data!.subarray(offset, offset + length) as FloatArray];
    }
  }
}

/** Writes fresh values into `weights`: GPT-2's are normal 0.02, residual projections over sqrt(2 L). */
export function initialise(weights: Store, seed: number): void {
  const { layout, device } = weights;
  layout.parameters.forEach(({ name, length, init }, stream) => {
    const data = new Float32Array(length);
    if ("value" in init) data.fill(init.value);
    else fillNormal(data, { deviation: init.deviation, seed, stream });
    device.write(weights.get(name), data);
  });
}
