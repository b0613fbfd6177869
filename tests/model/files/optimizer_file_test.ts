import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { exportOptimizer, importOptimizer } from "../../../model/files/optimizer_file.ts";
import { Gpt2 } from "../../../model/gpt2.ts";
import { withFolder } from "../../_folder.ts";

Deno.test("importOptimizer() refuses a file without a step, and means of squares below 0", () =>
  withFolder(async (folder) => {
    using device = new CpuDevice();
    using model = Gpt2.create(device, {
      ...{ model_type: "gpt2", vocab_size: 7, n_positions: 4, n_embd: 4, n_layer: 1, n_head: 2 },
      ...{ initializer_range: 0.1, bos_token_id: null, eos_token_id: null },
    }, { seed: 1, valueHead: false });
    const path = `${folder}/optimizer.safetensors`;
    await exportOptimizer(model, path);
    await importOptimizer(model, path);
    const whole = await Deno.readFile(path);
    for (const said of ["", " ", "-1", "1.5", "0x", "1e3", "99999999999999999999"]) {
      const text = new TextDecoder("latin1").decode(whole);
      const changed = text.replace('{"t":"0"}', `{"t":"${said}"}`);
      assert.notEqual(changed, text);
      const bytes = Uint8Array.from(changed, (letter) => letter.charCodeAt(0));
      const length = Number(new DataView(whole.buffer).getBigUint64(0, true));
      new DataView(bytes.buffer).setBigUint64(0, BigInt(length + said.length - 1), true);
      await Deno.writeFile(path, bytes);
      await assert.rejects(importOptimizer(model, path), {
        message: `Cannot read the optimizer from ${path} as its metadata must say the step t: it ` +
          `says ${JSON.stringify(said)}`,
      });
    }
    const broken = whole.slice();
    new DataView(broken.buffer).setFloat32(broken.length - 4, -0.25, true);
    await Deno.writeFile(path, broken);
    await assert.rejects(
      importOptimizer(model, path),
      /as means of squares must be >= 0: v\.\S+\[\d+\] is -0\.25$/,
    );
    await Deno.writeFile(path, whole);
    await importOptimizer(model, path);
  }));
