import assert from "node:assert/strict";
import { packed, packSize } from "../../../kernels/fragments/pack.ts";
import { declareTables, halfTables } from "../../../kernels/fragments/table.ts";
import add from "../../../kernels/add.wgsl" with { type: "text" };

Deno.test("packed() puts a whole fragment in front and leaves the file as it is", () => {
  const [four, one] = [packed(add, 8), packed(add, 6)];
  assert.deepEqual([four.PACK, one.PACK, packSize(4), packSize(5)], [4, 1, 4, 1]);
  for (const { text } of [four, one]) assert.ok(text.code.endsWith(add));
  assert.match(four.text.code, /^[^]*alias Pack = vec4f;\nconst PACK = 4u;/);
  assert.match(one.text.code, /^[^]*alias Pack = f32;\nconst PACK = 1u;/);
  assert.equal(packed(add, 12), four);
  assert.notEqual(four.text.variant, one.text.variant);
});

Deno.test("declareTables() declares what each tensor holds, and unpacks where it must", () => {
  const plain = declareTables({ b: { binding: 2, dtype: "f32" } }, 4);
  assert.equal(
    plain,
    "@group(0) @binding(2) var<storage, read> b: array<Pack>;\n" +
      "fn bAt(i: u32) -> Pack { return b[i]; }\n",
  );
  const tables = { a: { binding: 2, dtype: "f32" }, b: { binding: 3, dtype: "f16" } } as const;
  const fours = declareTables(tables, 4), ones = declareTables(tables, 1);
  for (const text of [fours, ones]) assert.equal(text.match(/alias Half = u32;/g)?.length, 1);
  assert.match(fours, /b: array<Half4>;\nfn bAt\(i: u32\) -> Pack { return fourOf\(b\[i\]\); }/);
  assert.match(
    ones,
    /b: array<Half>;\nfn bAt\(i: u32\) -> Pack { return halfOf\(b\[i \/ 2u\], i\); }/,
  );
  assert.deepEqual([halfTables(tables), halfTables({ a: tables.a })], ["b f16", ""]);
});
