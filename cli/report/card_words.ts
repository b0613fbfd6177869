/** The parts of a model card that do not depend on what a run found. @module */
import type { ExportFacts } from "../../experiment/export.ts";
import type { ModelSource } from "../../model/hub/find_model.ts";
import { isShipped } from "../../model/hub/shipped.ts";
import { code, fence, scalar } from "./markdown.ts";
import { printable, quoted } from "../terminal.ts";

/** What the hub reads, as YAML. */
export function metadata(source: ModelSource | undefined, tags: readonly string[]): string {
  const known = source?.kind === "hub" ? source : source?.base;
  return [
    "---",
    "library_name: transformers",
    "pipeline_tag: text-generation",
    // The hub takes a plain id here; the commit stands in the text.
    ...(known?.kind === "hub" ? [`base_model: ${scalar(known.id)}`] : []),
    "tags:",
    ...["plainrl", ...tags].map((tag) => `- ${scalar(tag)}`),
    "---",
  ].join("\n");
}

/** Which model, and which version of it; of an adapter also on what. */
export function origin(source: ModelSource | undefined, name: string): string {
  if (!source) return `${code(lastPart(name))} (which version of it was not recorded)`;
  const { base, ...own } = source;
  if (base) return `${origin(own, name)}, an adapter on ${origin(base, name)}`;
  if (source.kind === "hub") {
    return `${code(source.id)} of the Hugging Face hub, revision ${code(source.revision)}, ` +
      `commit ${code(source.commit)}`;
  }
  const sums = Object.entries(source.sha256).filter(([file]) => file.endsWith(".safetensors"))
    .map(([file, sum]) => `${code(file)} with SHA-256 ${code(sum)}`);
  const what = isShipped(source.path)
    ? `${code(source.path)}, ${source.path === "tiny" ? "the default model" : "a model"} of PlainRL`
    : `the model in a folder named ${code(lastPart(source.path))}`;
  return sums.length > 0 ? `${what} (${sums.join(", ")})` : what;
}

/** Kind and size. */
export const network = (
  { modelType, parameters, positions, dtype, valueHead }: ExportFacts,
): string =>
  `Network: ${code(modelType)}, ${parameters.toLocaleString("en-US")} parameters in ${dtype}, ` +
  `sequences of up to ${positions} tokens.` +
  (valueHead
    ? " The value head of training is kept: load it with TRL's `AutoModelForCausalLMWithValueHead`."
    : "");

/** That the weights are the sum of a base and an adapter; `trained` is where the run made the adapter. */
export function mergedAdapter({ adapter }: ExportFacts, trained: boolean): string {
  if (!adapter) return "";
  const { rank, alpha, rslora, targets, layers } = adapter;
  const on = (typeof targets === "string" ? [targets] : targets ?? []).map(code).join(", ");
  const settings =
    `rank ${rank}, alpha ${alpha}${rslora ? ", scaled by rank as rsLoRA does" : ""}, ` +
    `on ${on}${layers ? ` of blocks ${layers.join(", ")}` : ""}`;
  return (trained
    ? `Trained was a low-rank adapter (LoRA; ${settings}), while the weights themselves stayed. `
    : `A low-rank adapter (LoRA; ${settings}) was read with them. `) +
    "It is merged into the weights here, which load as a plain model, without PEFT.";
}

/** What the element type means for the figures. */
export const rounding = ({ dtype }: ExportFacts): string[] =>
  dtype === "F16" ? ["The weights here are rounded to F16; every figure is of F32."] : [];

/** Nothing is invented. */
export const licence = (source: ModelSource | undefined): string =>
  "Licence and languages are not stated, as neither is known here: see the model it started from" +
  (source?.kind === "hub" ? `, ${code(source.id)}.` : ".");

/** Programs that load the folder. Without `tokens`, as many as the run drew. */
export function howToUse(
  { tokenizer, valueHead }: ExportFacts,
  { folder, prompt, tokens }: { folder: string; prompt: string; tokens: number | undefined },
): string {
  if (!tokenizer) {
    return "## How to use it\n\nThe model's folder had no tokenizer, so there is none here: " +
      "`AutoModelForCausalLM.from_pretrained` loads the weights, for token ids of your own.";
  }
  const length = tokens === undefined ? "temperature=None, top_k=None" : `max_new_tokens=${tokens}`;
  const python = [
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    `folder = ${JSON.stringify(printable(folder))}`,
    "tokenizer = AutoTokenizer.from_pretrained(folder)",
    "model = AutoModelForCausalLM.from_pretrained(folder)",
    `inputs = tokenizer(${JSON.stringify(prompt)}, return_tensors="pt")`,
    `output = model.generate(**inputs, do_sample=False, ${length})`,
    'print(tokenizer.decode(output[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))',
  ].join("\n");
  const shell = `deno task generate --model ${quoted(printable(folder))} ${quoted(prompt)}`;
  const drawn = tokens === undefined
    ? "; `model.generate(**inputs)` alone draws as training did"
    : "";
  const keys = valueHead ? "; transformers says that it does not use the value head" : "";
  return `## How to use it\n\nIn Python, greedily${drawn}${keys}:\n\n${
    fence("python", python)
  }\n\n` +
    `With PlainRL:\n\n${fence("sh", shell)}`;
}

/** Cards are published; the folders of somebody's machine are nobody's business. */
export const withoutFolders = (text: string): string =>
  text.replaceAll(/(^|[\s'"=])(?:~?\/|[A-Za-z]:\\)(?:[^\s'"/\\]+[/\\])+/g, "$1…/");

/** The last part of a path; all of a hub id. */
export function lastPart(name: string): string {
  const isPath = /^[./~]|^[A-Za-z]:\\|\/.*\//.test(name);
  return isPath ? name.replace(/[/\\]+$/, "").replace(/^.*[/\\]/, "") || name : name;
}
