/**
 * Embeds texts for `scripts/minilm_parity.py`: a JSON list of texts on standard input, their vectors
 * as JSON on standard output.
 *
 *     deno run --allow-read tests/parity/_embed.ts FOLDER [auto|webgpu|cpu]
 *
 * @module
 */
import { type DeviceChoice, openDevice } from "../../kernels/devices/open.ts";
import { loadSentenceEmbedder } from "../../model/files/encoder_folder.ts";

const [folder, choice = "auto"] = Deno.args;
using device = await openDevice(choice as DeviceChoice);
using embedder = await loadSentenceEmbedder(device, folder);
const texts: string[] = await new Response(Deno.stdin.readable).json();
const started = performance.now();
const vectors = await embedder.embed(texts);
const seconds = (performance.now() - started) / 1000;
const { kind, name, memory: { peak } } = device;
console.log(JSON.stringify({
  device: `${kind} (${name})`,
  seconds,
  peak,
  vectors: vectors.map((vector) => vector && Array.from(vector)),
}));
