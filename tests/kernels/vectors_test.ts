import assert from "node:assert/strict";
import { VARIABLE } from "../../cli/tune/vectors.ts";
import { lacking, testOnWebGpu } from "../_devices.ts";

interface Found {
  readonly adapter: string;
  readonly lanes: number;
  readonly unrolled: boolean;
  readonly hashes: Record<string, string>;
}

/** What a process finds whose driver takes vectors of so many bits. */
async function foundWith(bits: number): Promise<Found> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--allow-read"],
      new URL("./_vectors_child.ts", import.meta.url).href,
    ],
    env: { [VARIABLE]: String(bits) },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

testOnWebGpu("llvmpipe gives the same bits by 8 lanes and by 16", async () => {
  const eight = await foundWith(256), sixteen = await foundWith(512);
  assert.match(eight.adapter, /256 bits/);
  assert.match(sixteen.adapter, /512 bits/);
  assert.deepEqual([eight.lanes, sixteen.lanes], [8, sixteen.unrolled ? 8 : 16]);
  assert.deepEqual(sixteen.hashes, eight.hashes);
  assert.ok(Object.keys(eight.hashes).length > 40);
}, await lacking("eight lanes"));
