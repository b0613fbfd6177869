import assert from "node:assert/strict";
import { detailsPage, lineOf } from "../scripts/details.ts";
import { DETAILS } from "../scripts/details/list.ts";

Deno.test("docs/details.md is what its list makes: deno task docs writes it", async () => {
  const page = await Deno.readTextFile(new URL("../docs/details.md", import.meta.url));
  assert.equal(page, await detailsPage());
});

Deno.test("a detail names one line and a test that is there", async () => {
  const text = "one\ntwo\ntwo and more\n";
  assert.equal(lineOf(text, "two and", "a.ts"), 3);
  assert.throws(
    () => lineOf(text, "two", "a.ts"),
    /Cannot link to a.ts as one line has "two": there are 2/,
  );
  assert.throws(() => lineOf(text, "four", "a.ts"), /there are 0/);
  const [detail] = DETAILS;
  const gone = { ...detail, test: [detail.test[0], "no such test"] as const };
  await assert.rejects(
    detailsPage([gone]),
    /Cannot name the test "no such test" as .* has none of that name/,
  );
});
