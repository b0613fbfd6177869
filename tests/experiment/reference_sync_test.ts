/** Runs whose reference moves: what is refused before anything is opened, and what a checkpoint keeps. */
import assert from "node:assert/strict";
import { exportModel } from "../../experiment/export.ts";
import { planRun } from "../../experiment/memory_plan.ts";
import { measureRun } from "../../experiment/measure.ts";
import { openRun } from "../../experiment/open.ts";
import { resolveRequest } from "../../experiment/request.ts";
import { suggestSavings } from "../../experiment/suggestions.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { loadModel } from "../../model/hub/load.ts";
import { inTemporary } from "../_folder.ts";
import { writeSmallModel } from "./_model.ts";

const base = { batchSize: 6, maxNewTokens: 3, epochs: 1, learningRate: 1e-2 };
const asked = (
  model: string,
  settings: Record<string, number | string | boolean>,
): TrainRequest => ({
  ...{ task: "colors", algorithm: "reinforce", model, steps: 2, device: "cpu" },
  settings: { ...base, ...settings },
});

Deno.test("a reference that cannot move is refused with the settings", () => {
  const refused = (settings: Record<string, number | string | boolean>, message: string) =>
    assert.throws(() => resolveRequest(asked("/nowhere", { referenceSync: 2, ...settings })), {
      name: "RangeError",
      message: `Cannot sync the reference as ${message}, or leave out referenceSync`,
    });
  const kl = { klCoefficient: 0.1 };
  refused(
    { ...kl, loraRank: 4 },
    "an adapter has none of its own, it is the policy with the adapter off: loraRank is 4; set loraRank=0",
  );
  refused(
    { ...kl, frozenDtype: "f16" },
    "its weights must be f32 to take up small changes: frozenDtype is f16; set frozenDtype=f32",
  );
  refused(
    { klCoefficient: 0 },
    "there must be one: KL costs nothing (klCoefficient is 0) and is not measured; set klCoefficient or " +
      "klMeasured=true",
  );
  const notices = (settings: Record<string, number>) =>
    resolveRequest(asked("/nowhere", { ...kl, ...settings })).notices;
  assert.deepEqual(notices({ referenceSync: 1 }), []);
  assert.deepEqual(notices({ referenceSync: 2 }), [
    "referenceSync=2 changes nothing as the run ends after 2 steps",
  ]);
  assert.deepEqual(notices({ referenceMix: 0.5 }), [
    "referenceMix=0.5 changes nothing as referenceSync=0",
  ]);
});

inTemporary(
  "a checkpoint holds the reference where it moves, and a resume takes it",
  async (place) => {
    const model = `${place}/model`;
    await Deno.mkdir(model);
    await writeSmallModel(model);
    const train = async (name: string, settings: Record<string, number>) => {
      const run = new RunFolder({ out: `${place}/${name}`, command: "", request: {} });
      await trainTask({ ...asked(model, { klCoefficient: 0.1, ...settings }), saveEvery: 1 }, run);
      return (step: number) => `${place}/${name}/checkpoints/step-${step}`;
    };
    const weights = (folder: string) => Deno.readFile(`${folder}/model.safetensors`);
    const still = await train("still", {});
    await assert.rejects(Deno.stat(`${still(2)}/reference`), Deno.errors.NotFound);
    const at = await train("synced", { referenceSync: 1, referenceMix: 1 });
    assert.deepEqual(await weights(`${at(0)}/reference`), await weights(at(0)));
    assert.deepEqual(await weights(`${at(1)}/reference`), await weights(at(1)));
    assert.notDeepEqual(await weights(at(1)), await weights(at(0)));
    const { files } = JSON.parse(await Deno.readTextFile(`${at(1)}/manifest.json`));
    assert.ok("reference/model.safetensors" in files && "reference/config.json" in files);

    using device = new CpuDevice();
    const first = async (resume: string, settings: Record<string, number>, changed?: string[]) => {
      const request = asked(model, { klCoefficient: 0.1, ...settings });
      using run = await openRun(resolveRequest(request), device, { resume, changed });
      using policy = await loadModel(device, at(1), { frozen: true });
      const [ours] = await run.policy.frozen!.device.read(run.policy.frozen!.weights.arenas[0]);
      const [theirs] = await device.read(policy.weights.arenas[0]);
      return { isSynced: ours.every((x, i) => x === theirs[i]), moves: run.referenceMoves };
    };
    const synced = { referenceSync: 1, referenceMix: 1 };
    assert.deepEqual(await first(at(1), synced), { isSynced: true, moves: true });
    const off = ["referenceSync", "referenceMix"]; // switched off since, it stays what it was
    assert.deepEqual(await first(at(1), {}, off), { isSynced: true, moves: true });
    assert.deepEqual(await first(still(1), {}), { isSynced: false, moves: false });

    const to = `${place}/exported`;
    await exportModel({ model: at(1), to });
    assert.deepEqual((await Array.fromAsync(Deno.readDir(to))).filter((e) => e.isDirectory), []);
    await Deno.remove(`${at(1)}/reference/model.safetensors`);
    await assert.rejects(first(at(1), synced), /reference\/model.safetensors is missing/);
  },
);

inTemporary("no saving is suggested that a moving reference forbids", async (model) => {
  await writeSmallModel(model);
  using device = new CpuDevice();
  const names = async (settings: Record<string, number>) => {
    const plan = resolveRequest(asked(model, { klCoefficient: 0.1, ...settings }));
    const { sizes } = await measureRun(plan, model, device);
    const { suggestions } = suggestSavings(device, sizes, planRun(device, sizes).total);
    return new Set(suggestions.flatMap(({ settings }) => Object.keys(settings)));
  };
  const usual = await names({}), synced = await names({ referenceSync: 1 });
  for (const name of ["loraRank", "frozenDtype"]) {
    assert.deepEqual([usual.has(name), synced.has(name)], [true, false], name);
  }
});
