import assert from "node:assert/strict";
import { readState } from "../../../experiment/folder/pretraining_folder.ts";
import { inTemporary } from "../../_folder.ts";

inTemporary("readState() says in one sentence what is not a pretraining run's", async (folder) => {
  const older = { step: 2, losses: [3, 2.5], tokens: 100, seconds: 4 };
  const state = { ...older, heldout: [{ step: 1, loss: 2.75 }] };
  const write = (value: unknown) =>
    Deno.writeTextFile(`${folder}/pretrain.json`, JSON.stringify(value));
  const refused = (message: RegExp) =>
    assert.rejects(readState(folder), { name: "RunFolderError", message });
  await refused(/^Cannot resume from \S+ as a checkpoint holds a pretrain\.json$/);
  await write(state);
  assert.deepEqual(await readState(folder), state);
  await write(older);
  assert.deepEqual(await readState(folder), { ...older, heldout: [] });
  for (const value of [null, 7, []]) {
    await write(value);
    await refused(
      /^Cannot read \S+pretrain\.json as it must be a JSON object: it is (null|7|\[\])\. Put/,
    );
  }
  for (const key of Object.keys(older)) {
    await write({ ...state, [key]: undefined });
    await refused(new RegExp(`^Cannot read \\S+pretrain\\.json as ${key} is missing `));
  }
  await Deno.writeTextFile(`${folder}/pretrain.json`, "{");
  await refused(/^Cannot use \S+pretrain\.json as it must be JSON: /);
});
