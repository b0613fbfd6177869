/** The model that another is compared with: what of it is read, and which can be. @module */
import type { Device } from "../kernels/device.ts";
import { mix } from "../kernels/mix.ts";
import type { ModelDims } from "./config.ts";
import type { ReferenceHead } from "./layers/head_kl.ts";
import { headName } from "./layout.ts";
import type { ParameterBuffers } from "./params.ts";

/** What of a model a comparison needs to know. */
export interface ComparedModel {
  readonly device: Device;
  readonly dims: ModelDims;
  readonly weights: ParameterBuffers;
}

/** The head of a reference, where there is one. */
export const referenceHead = (reference?: ComparedModel): ReferenceHead | undefined =>
  reference && {
    weight: reference.weights.get(headName(reference.weights.layout)),
    C: reference.dims.C,
  };

/** @throws {TypeError} when the two have other vocabularies, or lie on other devices */
export function checkReference(model: ComparedModel, reference: ComparedModel): void {
  if (reference.dims.V !== model.dims.V) {
    throw new TypeError(
      `Cannot compare with a reference as it must have the same ${model.dims.V} tokens: it has ` +
        `${reference.dims.V}; name a model with this one's tokenizer`,
    );
  }
  if (reference.device !== model.device) {
    throw new TypeError(
      "Cannot compare with a reference as both models must be on one device: it is on another",
    );
  }
}

/**
 * Enqueues the moving of a reference towards the model that it is a copy of: each of its parameters, by
 * name, becomes alpha times the model's plus 1 - alpha times its own (TR-DPO, Gorbatovski et al. 2024, arXiv
 * 2404.09656, equations 4 and 5: alpha below 1 is the soft update, 1 the hard one). What the reference does
 * not have, such as a value head, plays no part.
 * @param alpha above 0, up to 1; at 1 the copy is bit-identical
 * @throws {RangeError} for another alpha
 * @throws {TypeError} where the model lacks a parameter, or has it in another shape, or the reference is
 * not in f32, or they lie on other devices; nothing is changed
 */
export function mixReference(
  { device, weights: own }: ComparedModel,
  { weights: policy, device: place }: ComparedModel,
  alpha: number,
): void {
  if (!(alpha > 0 && alpha <= 1)) {
    throw new RangeError(
      `Cannot move a reference as the policy's share must be above 0, up to 1: it is ${alpha}`,
    );
  }
  const cannot = (rule: string, now: string) =>
    new TypeError(
      `Cannot move a reference as ${rule}: ${now}; give a frozen copy of the policy in f32`,
    );
  if (device !== place) {
    throw cannot("both models must be on one device", "it is on another");
  }
  for (const { name, shape, dtype } of own.layout.parameters) {
    const other = policy.layout.byName.get(name);
    if (other?.shape.join() !== shape.join()) {
      const now = other ? `it has (${other.shape})` : "it has none";
      throw cannot(`the policy must have its ${name} of shape (${shape})`, now);
    }
    if (dtype !== "f32" || other.dtype !== "f32") {
      throw cannot("its weights must be f32 to take up small changes", `${name} is ${dtype}`);
    }
  }
  for (const { name, length: N } of own.layout.parameters) {
    const dims = { N, alpha, beta: 1 - alpha };
    mix(device, { x: policy.get(name), out: own.get(name) }, dims);
  }
}
