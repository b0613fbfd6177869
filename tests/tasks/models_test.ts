import assert from "node:assert/strict";
import { modelFolder } from "../../tasks/models.ts";
import { FakeHub, ID } from "../model/_hub.ts";

Deno.test("a model of the hub is taken from the cache, or downloaded where that is permitted", async () => {
  const cache = await Deno.makeTempDir();
  try {
    await using hub = new FakeHub();
    // A host that the tests may not reach.
    const barred = { cache, offline: false, endpoint: "https://hub.test", token: "" };
    await assert.rejects(
      modelFolder(ID, barred),
      /no such folder, and the hub's cache does not have it\. .*: deno task fetch someone\/small-gpt2$/,
    );
    const open = { ...barred, endpoint: hub.endpoint };
    await assert.rejects(modelFolder(ID, { ...open, offline: true }), /deno task fetch/);
    assert.equal(hub.seen.length, 0);
    const folder = await modelFolder(ID, open);
    const asked = hub.seen.length;
    assert.ok(asked > 0);
    assert.equal(await modelFolder(ID, open), folder);
    assert.equal(await modelFolder(ID, barred), folder);
    assert.equal(hub.seen.length, asked); // what is there is not asked for
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("gpt2 without an owner is found under the name that it has today", async () => {
  const cache = await Deno.makeTempDir();
  try {
    await using hub = new FakeHub();
    const options = { cache, offline: false, endpoint: hub.endpoint, token: "" };
    const offline = modelFolder("gpt2", { ...options, offline: true });
    await assert.rejects(offline, /cache does not have it\. .*: deno task fetch gpt2$/);
    const folder = await modelFolder("gpt2", options);
    assert.match(folder, /models--openai-community--gpt2\/snapshots/);
    assert.equal(await modelFolder("openai-community/gpt2", options), folder);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("a folder wins over a model of the hub; other names are refused", async () => {
  assert.equal(await modelFolder("assets/tiny", { cache: "/nowhere" }), "assets/tiny");
  await assert.rejects(modelFolder("deno.json"), /it is a file$/);
  await assert.rejects(modelFolder("./none/such"), /there is no such folder$/);
});
