/** KL over the whole vocabulary against PyTorch's `kl_div`, by `tests/fixtures/full_kl.py`. @module */
import type { Device, FloatArray } from "../../kernels/device.ts";
import { loadGpt2 } from "../../model/files/gpt2_folder.ts";
import { assertClose } from "../_close.ts";
import { testOnDevices } from "../_devices.ts";
import { assertGradients, type Facts, modelFolder, readFixture, rows } from "../_fixtures.ts";

const openModel = (device: Device, frozen: boolean) =>
  loadGpt2(device, modelFolder("gpt2-a"), { frozen });

testOnDevices("PyTorch's KL over the vocabulary and its gradients", async (device) => {
  const { facts } = await readFixture<Facts>("gpt2-a");
  const { facts: { temperature, coefficients }, tensors } = await readFixture<
    { temperature: number; coefficients: number[] }
  >("full_kl");
  using model = await openModel(device, false);
  using reference = await openModel(device, true);
  const wte = reference.weights.get("wte.weight"), [data] = await device.read(wte) as FloatArray[];
  device.write(wte, data.map((x) => 0.5 * x));
  const { target, ...all } = rows(facts, true);
  const batch = { ...all, target: target.fill(0) }; // KL does not ask which token was drawn
  const { kl } = await model.evaluate(batch, { temperature, reference });
  assertClose(kl!, tensors.get("kl")!, "kl", 1e-5);
  model.backward({ dkl: coefficients });
  await assertGradients(model, tensors, 1e-5);
});
