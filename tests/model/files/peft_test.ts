/** Adapters against PEFT, by `tests/fixtures/lora.py`. @module */
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { assertClose } from "../../_close.ts";
import { testOnDevices } from "../../_devices.ts";
import {
  assertAdamwLosses,
  assertGradients,
  type Facts,
  modelFolder,
  readFixture,
  rows,
} from "../../_fixtures.ts";

for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
  testOnDevices(`PEFT's logits, beside the weights and merged, adapter ${name}`, async (device) => {
    const { facts, tensors } = await readFixture<Facts>(`lora-${name}`);
    using model = await loadGpt2(device, modelFolder(`lora-${name}`), { frozen: true });
    const { target, ...all } = rows(facts, true);
    const batch = { ...all, target: target.fill(0) };
    const logits = await model.logits(batch);
    assertClose(logits, tensors.get("logits")!, "logits", 1e-5);
    await model.merge();
    assertClose(await model.logits(batch), logits, "merged", 1e-5);
    await model.unmerge();
    assertClose(await model.logits(batch), logits, "unmerged", 1e-5);
    const options = { frozen: true, merge: true };
    using merged = await loadGpt2(device, modelFolder(`lora-${name}`), options);
    assertClose(await merged.logits(batch), logits, "merged on loading", 1e-5);
  });

  testOnDevices(`PEFT's loss and gradients, adapter ${name}`, async (device) => {
    const { facts, tensors } = await readFixture<Facts>(`lora-${name}`);
    for (const options of [{}, { recompute: true, chunkBytes: 1 }]) {
      using model = await loadGpt2(device, modelFolder(`lora-${name}`), options);
      model.languageModel(rows(facts));
      assertClose([await model.readLoss()], [facts.loss], "loss", 1e-5);
      await assertGradients(model, tensors, 3e-5);
    }
  });
}

for (const name of ["b", "c", "h"]) {
  testOnDevices(
    `PyTorch's losses over ten AdamW steps of adapter ${name}`,
    (device) => assertAdamwLosses(device, `lora-${name}`),
  );
}
