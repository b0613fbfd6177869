/** Names of tensors in files: what training programs and wrappers put around a model is no part of them. @module */
import { excerpt } from "../../base/excerpt.ts";

/** In front of a model's own names: a wrapper's, or the name of the part that is the transformer. */
const OUTER = new Set(["module", "pretrained_model", "transformer"]);
/** Anywhere: what torch.compile, FSDP and activation checkpointing wrap a part in. */
const WRAPPERS = new Set(["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]);

/** A tensor's name without prefixes: `h.0.ln_1.bias` of `_orig_mod.module.transformer.h.0.ln_1.bias`. */
export function plainName(name: string): string {
  const parts = name.split(".").filter((part) => !WRAPPERS.has(part));
  const own = parts.findIndex((part) => !OUTER.has(part));
  return own < 0 ? "" : parts.slice(own).join(".");
}

const PEFT = /(?:^|\.)base_model\.model\.|\.base_layer\.|\.lora_(?:embedding_)?[AB]\b/;

/** Why tensors are not those of a plain model, and what makes one of them; undefined where they may be. */
export function adapterInside(names: readonly string[]): string | undefined {
  const found = names.find((name) => PEFT.test(name));
  return found &&
    `no adapter may be among them: ${excerpt(found)} is of a PEFT model that was saved with its ` +
      "base. In Python, model.merge_and_unload().save_pretrained(folder) writes the plain model, " +
      "and model.save_pretrained(folder) the adapter alone";
}
