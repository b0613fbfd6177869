/** The model that another is compared with: what of it is read, and which can be. @module */
import type { Device } from "../kernels/device.ts";
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
