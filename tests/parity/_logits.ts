/**
 * What `scripts/gpt_neo_parity.py` compares: loads a model folder, writes the logits of one prompt as
 * float32 to a file, saves the model again, and prints a greedy completion and figures as JSON.
 *
 *     deno run --allow-read --allow-write tests/parity/_logits.ts FOLDER COPY LOGITS [auto|webgpu|cpu]
 *
 * Standard input is JSON: `tokens`, and `maxNewTokens`.
 * @module
 */
import { type DeviceChoice, openDevice } from "../../kernels/devices/open.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { saveGpt2 } from "../../model/files/gpt2_save.ts";
import { generate } from "../../model/generation/generate.ts";
import { textRows } from "../../model/rows.ts";

const [folder, copy, path, choice = "auto"] = Deno.args;
const { tokens, maxNewTokens } = await new Response(Deno.stdin.readable).json();
using device = await openDevice(choice as DeviceChoice);
let started = performance.now();
const seconds = (): number => {
  const last = started;
  started = performance.now();
  return (started - last) / 1000;
};
using model = await loadGpt2(device, folder, { frozen: true });
const load = seconds();
const logits = await model.logits({
  B: 1,
  T: tokens.length,
  tokens: Uint32Array.from(tokens),
  ...textRows([tokens.length], tokens.length),
  index: Uint32Array.from(tokens, (_, t) => t),
  target: new Uint32Array(tokens.length),
});
const forward = seconds();
await Deno.writeFile(path, new Uint8Array(Float32Array.from(logits).buffer));
const { responses } = await generate(model, [tokens], { maxNewTokens, greedy: true, eos: null });
const decode = seconds();
await saveGpt2(model, copy);
const { kind, name, memory: { peak } } = device;
console.log(JSON.stringify({
  device: `${kind} (${name})`,
  seconds: { load, forward, generate: decode, save: seconds() },
  peak,
  greedy: Array.from(responses[0]),
}));
