/**
 * The linear maps of a block under the names that each family's files give them.
 *
 * In memory every family has GPT-2's layout: W is (from, to), and queries, keys and values are one map
 * `attn.c_attn` (C, 3C). A family whose files differ says here which part of which map a module is.
 * @module
 */
import { type Gpt2Config, modelDims } from "./config.ts";

/** One linear map of a block, as files and adapters name it. */
export interface LinearModule {
  /** Name inside block l, e.g. `attn.c_attn`; files add `transformer.h.l.` and `.weight`. */
  readonly name: string;
  /** The map in memory that it is, or is a part of. */
  readonly map: "attn.c_attn" | "attn.c_proj" | "mlp.c_fc" | "mlp.c_proj";
  /** Width of its input. */
  readonly from: number;
  /** Width of its output: columns [at, at + to) of the map. */
  readonly to: number;
  readonly at: number;
  /** Whether files hold W as (to, from), as PyTorch's Linear does; GPT-2's Conv1D is (from, to). */
  readonly transposed: boolean;
  readonly bias: boolean;
}

/** The modules of one block. */
export function linearModules(config: Gpt2Config): LinearModule[] {
  const { C, I } = modelDims(config);
  const module = (map: LinearModule["map"], from: number, to: number): LinearModule => ({
    name: map,
    map,
    from,
    to,
    at: 0,
    transposed: false,
    bias: true,
  });
  return [
    module("attn.c_attn", C, 3 * C),
    module("attn.c_proj", C, C),
    module("mlp.c_fc", C, I),
    module("mlp.c_proj", I, C),
  ];
}
