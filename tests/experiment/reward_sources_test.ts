/** A run goes on only by the word vectors and networks that it began with. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { rewardSources } from "../../experiment/reward_sources.ts";
import { chooseRewards } from "../../experiment/rewards.ts";
import { withFolder } from "../_folder.ts";
import { resumeIn, runInto, smallRequest } from "./folder/_small_run.ts";

const DISTILBERT = fileURLToPath(new URL("../fixtures/distilbert-a", import.meta.url));

Deno.test("a resume refuses word vectors that have changed, and takes them as they were", () =>
  withFolder(async (place) => {
    const file = `${place}/w.txt`, vectors = "paris 1 0\nrome 0 1\nberlin 1 1\n";
    await Deno.writeTextFile(file, vectors);
    const small = await smallRequest(place);
    const settings = { ...small.settings, semanticEmbedder: file };
    const request = { ...small, reward: "semantic", settings };
    await runInto(`${place}/run`, request, { stop: 2 });
    await Deno.writeTextFile(file, vectors.replace("0 1", "1 0"));
    await assert.rejects(
      resumeIn(`${place}/run`, request),
      (error: Error) => error.message.includes(`the reward's file ${file} has changed`),
    );
    await Deno.writeTextFile(file, vectors);
    await resumeIn(`${place}/run`, request);
  }));

Deno.test("networks of rewards are told by their files, and the run's own model is none of them", async () => {
  const of = (reward: string, settings = {}) => rewardSources(chooseRewards(reward, settings));
  assert.deepEqual(await of("semantic,exact,sentiment,perplexity"), {});
  const found = await of("sentiment", { sentimentModel: DISTILBERT });
  assert.deepEqual(Object.keys(found), [DISTILBERT]);
  assert.match(found[DISTILBERT], /^[0-9a-f]{64}( [0-9a-f]{64})+$/);
  assert.deepEqual(Object.keys(await of("perplexity", { perplexityModel: "tiny" })), ["tiny"]);
});
