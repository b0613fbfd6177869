/** Page 5: whom the rows of a prompt attend in one head of the default model. @module */
import { fileURLToPath } from "node:url";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { embedding } from "../../kernels/embedding.ts";
import { layernorm } from "../../kernels/layernorm.ts";
import { matmul } from "../../kernels/matmul.ts";
import { upload } from "../../kernels/tensor.ts";
import { loadModel, loadTokenizer } from "../../model/hub/load.ts";
import { cell, type Figure, svg, text } from "./_svg.ts";

const FOLDER = fileURLToPath(new URL("../../assets/tiny", import.meta.url));
const PROMPT = "red and blue make purple", SIDE = 46, LEFT = 90, TOP = 70;

/** Shares p (T, T) of each head of layer 0, from its queries and keys. */
async function shares(tokens: number[]): Promise<number[][][]> {
  using device = new CpuDevice();
  using model = await loadModel(device, FOLDER, { frozen: true });
  const { C, H, P, V } = model.dims, T = tokens.length, D = C / H;
  const weight = (name: string) => model.weights.get(name);
  const [x, norm, mean, rstd, qkv] = [T * C, T * C, T, T, T * 3 * C].map((n) =>
    device.alloc(n, "x")
  );
  const ids = upload(device, Uint32Array.from(tokens), "tokens");
  const position = upload(device, Uint32Array.from(tokens, (_, t) => t), "position");
  const tables = { wte: weight("wte.weight"), wpe: weight("wpe.weight") };
  embedding(device, { token: ids, position, ...tables, out: x }, { N: T, C, V, P });
  layernorm(device, {
    ...{ x, weight: weight("h.0.ln_1.weight"), bias: weight("h.0.ln_1.bias") },
    ...{ out: norm, mean, rstd },
  }, { N: T, C, eps: 1e-5 });
  const of = { a: norm, b: weight("h.0.attn.c_attn.weight"), bias: weight("h.0.attn.c_attn.bias") };
  matmul(device, { ...of, out: qkv }, { M: T, N: 3 * C, K: C, orientation: "NN" });
  const [rows] = await device.read(qkv);
  return Array.from({ length: H }, (_, h) =>
    tokens.map((_, t) => {
      const score = Array.from({ length: t + 1 }, (_, j) => {
        let dot = 0;
        for (let d = 0; d < D; d++) {
          dot += rows[t * 3 * C + h * D + d] * rows[j * 3 * C + C + h * D + d];
        }
        return dot / Math.sqrt(D);
      });
      const top = Math.max(...score), e = score.map((s) => Math.exp(s - top));
      const sum = e.reduce((a, b) => a + b, 0);
      return e.map((y) => y / sum);
    }));
}

async function draw(): Promise<string> {
  const tokenizer = await loadTokenizer(FOLDER), tokens = Array.from(tokenizer.encode(PROMPT));
  const words = tokens.map((id) => tokenizer.decode([id]).trim());
  const heads = await shares(tokens), T = tokens.length, wide = LEFT + T * SIDE;
  const panels = heads.slice(0, 2).map((p, h) => {
    const x = 10 + h * (wide + 10) + LEFT - 10;
    return [
      text(x, 24, `layer 0, head ${h}`, { bold: true }),
      ...words.map((word, j) =>
        text(x + (j + 0.5) * SIDE, TOP - 8, word, { anchor: "middle", size: 11 })
      ),
      ...words.map((word, t) =>
        text(x - 8, TOP + (t + 0.5) * SIDE + 4, word, { anchor: "end", size: 11 })
      ),
      ...p.flatMap((row, t) =>
        words.map((_, j) =>
          cell(
            { x: x + j * SIDE, y: TOP + t * SIDE, width: SIDE, height: SIDE },
            j > t ? "" : row[j].toFixed(2),
            { tone: 1, strength: j > t ? 0 : 0.75 * row[j], size: 11 },
          )
        )
      ),
    ].join("\n");
  });
  return svg(
    {
      title: "Whom each position attends, in two heads of the default model's first layer",
      desc:
        `Rows are the tokens of "${PROMPT}"; each row's shares go to itself and the tokens before ` +
        "it and sum to 1. The upper right half is empty: nothing later is seen.",
      width: 2 * wide + 30,
      height: TOP + T * SIDE + 34,
    },
    ...panels,
    text(10, TOP + T * SIDE + 22, "a row is the position that looks, a column what it sees", {
      size: 11,
      soft: true,
    }),
  );
}

export const figures: readonly Figure[] = [{ file: "05-attention.svg", draw }];
