import assert from "node:assert/strict";
import { UsageError } from "../../../cli/command.ts";
import { tuneCommand, type TuneParts } from "../../../cli/commands/tune.ts";
import {
  cacheFile,
  cacheFolder,
  forgetTuning,
  readTuning,
  type TunedFor,
  writeTuning,
} from "../../../cli/tune/tuning_file.ts";
import { isUsage } from "../../../base/usage.ts";
import { inTemporary } from "../../_folder.ts";
import { fakeTune } from "../_fake.ts";

const HERE: TunedFor = await fakeTune.here();
const CHOICES = { products: { "NN wide": { variant: "tile" } } };

interface Flags {
  quick?: boolean;
  out?: string;
  forget?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** Runs the command with made-up measurements. */
async function tuned(
  flags: Flags,
  parts: TuneParts = fakeTune,
): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [], err: string[] = [];
  const terminal = {
    ...{ out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) },
    ...{ write: (text: string) => void out.push(text), fancy: false, columns: 100 },
  };
  const all = { quick: false, forget: false, json: false, quiet: false, out: undefined, ...flags };
  const parsed = { command: "tune", positional: [], flags: all, given: [], settings: {} };
  return { code: await tuneCommand(parsed, terminal, parts), out, err };
}

inTemporary("tune prints a table and keeps what it chose", async (folder) => {
  const file = `${folder}/new/cache/it.json`, parts = { ...fakeTune, file };
  const { code, out, err } = await tuned({}, parts);
  assert.equal(code, 0);
  assert.deepEqual(err, ["1/2 product NN wide", "2/2 attention"]);
  assert.equal(out.at(-2)!.startsWith("Leave LP_NATIVE_VECTOR_WIDTH as it is"), true);
  assert.deepEqual(out.slice(0, 4), [
    "for              size         way             GFLOP/s a core  chosen  built in",
    "product NN wide  M 1 N 2 K 3  tile 16 x 4               12.3  chosen",
    "product NN wide  M 1 N 2 K 3  shuffle 32 x 8            2.35          built in",
    "attention: no time was left, it stays as built in",
  ]);
  const rest = out.slice(5).join("\n");
  assert.match(rest, /^adapter +llvmpipe \(fake, 256 bits\) \(webgpu, software\)$/m);
  assert.match(rest, /^other than built in +\{"products":\{"NN wide":\{"variant":"tile"\}\}\}$/m);
  assert.match(
    rest,
    /^vectors of 256 bits +3188 tokens per second of processor time, as it is now$/m,
  );
  assert.match(rest, /^vectors of 512 bits +1207 tokens per second of processor time$/m);
  assert.ok(rest.includes(file), rest);
  assert.match(rest, /^Use the choices: {2}deno task train TASK --tuned$/m);
  assert.deepEqual(await readTuning(file, HERE), { adapter: HERE.adapter, choices: CHOICES });
  const kept = JSON.parse(await Deno.readTextFile(file));
  assert.deepEqual([kept.quick, kept.tunedFor, kept.rows.length], [false, HERE, 2]);
});

inTemporary("tune writes where it is told, and forgets", async (folder) => {
  const out = `${folder}/it s.json`;
  const { out: said, err } = await tuned({ out, quick: true, quiet: true });
  assert.deepEqual(err, []);
  assert.equal(said.at(-1), `Use the choices:  deno task train TASK --tuned '${out}'`);
  assert.equal(JSON.parse(await Deno.readTextFile(out)).quick, true);
  assert.deepEqual((await tuned({ out, forget: true })).out, [`forgotten: ${out}`]);
  assert.deepEqual((await tuned({ out, forget: true })).out, [
    `nothing to forget: ${out} is not there`,
  ]);
  const { out: [line] } = await tuned({ out, forget: true, json: true });
  assert.deepEqual(JSON.parse(line), { path: out, forgotten: false });
});

inTemporary("tune speaks JSON", async (folder) => {
  const out = `${folder}/it.json`;
  const { out: lines } = await tuned({ out, json: true });
  assert.equal(lines.length, 1);
  const said = JSON.parse(lines[0]);
  assert.deepEqual([said.path, said.choices, said.tunedFor.adapter], [out, CHOICES, HERE.adapter]);
  assert.equal(said.vectors[1].bits, 512);
});

inTemporary("what fails in the middle leaves no file, and is said", async (folder) => {
  const out = `${folder}/it.json`;
  const measure = () => Promise.reject(new Error("the device is lost"));
  await assert.rejects(tuned({ out }, { ...fakeTune, measure }), /the device is lost/);
  await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
});

inTemporary(
  "a place that cannot be written is said before anything is measured",
  async (folder) => {
    let measured = false;
    const parts = { ...fakeTune, measure: () => Promise.reject(new Error(`${measured = true}`)) };
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(
      tuned({ out: `${folder}/file/it.json` }, parts),
      /^WriteError: Cannot write .*it\.json as (a part of the path is a file|there is a file of that name)/,
    );
    assert.equal(measured, false);
  },
);

const AT_HOME = (name: string) => name === "HOME" ? "/home/me" : undefined;

Deno.test("the cache has a file for each adapter and version", () => {
  const file = cacheFile(HERE, AT_HOME);
  assert.match(
    file,
    /^\/home\/me\/\.cache\/plainrl\/tuning-llvmpipe-fake-256-bits-[0-9a-f]{8}\.json$/,
  );
  assert.equal(cacheFile({ ...HERE }, AT_HOME), file);
  for (const name of Object.keys(HERE) as (keyof TunedFor)[]) {
    assert.notEqual(cacheFile({ ...HERE, [name]: "other" }, AT_HOME), file, name);
  }
  const hostile = cacheFile({ ...HERE, adapter: "../../etc/\u0000passwd" }, AT_HOME);
  assert.match(hostile, /^\/home\/me\/\.cache\/plainrl\/tuning-etc-passwd-[0-9a-f]{8}\.json$/);
  const other = (name: string) => name === "XDG_CACHE_HOME" ? "/caches" : AT_HOME(name);
  assert.equal(cacheFolder(other), "/caches/plainrl");
  const windows = (name: string) => name === "USERPROFILE" ? "C:/me" : undefined;
  assert.equal(cacheFolder(windows), "C:/me/.cache/plainrl");
  assert.throws(
    () => cacheFolder(() => null),
    /^UsageError: Cannot find the user's cache as neither XDG_CACHE_HOME nor HOME can be read: name a/,
  );
});

inTemporary(
  "a file of another adapter or version, or a damaged one, is refused",
  async (folder) => {
    const path = `${folder}/it.json`;
    const refused = async (what: string | object, why: RegExp) => {
      await Deno.writeTextFile(path, typeof what === "string" ? what : JSON.stringify(what));
      await assert.rejects(readTuning(path, HERE), (error) => {
        assert.ok(error instanceof UsageError && isUsage(error));
        assert.match(error.message, why);
        assert.match(error.message, /; run deno task tune again$/);
        return true;
      });
    };
    const row = {
      name: "a",
      size: "b",
      way: "c",
      seconds: 1,
      gflops: 2,
      isChosen: true,
      isBuiltIn: true,
    };
    const good = { tunedFor: HERE, measured: "2026-01-01", quick: false, choices: {}, rows: [row] };
    await writeTuning(path, { ...good, skipped: [] });
    assert.deepEqual(await readTuning(path, HERE), { adapter: HERE.adapter, choices: {} });
    for (const name of Object.keys(HERE)) {
      await refused(
        { ...good, tunedFor: { ...HERE, [name]: "other" } },
        new RegExp(`^Cannot run by what was tuned in .* as its ${name} is "other": here it is `),
      );
    }
    await refused("{", /as it is no JSON;/);
    await refused("[]", /as it must be a JSON object/);
    await refused({ ...good, choices: undefined }, /as choices is missing/);
    const shape = { rows: 1e9, columns: 4 };
    await refused(
      { ...good, choices: { products: { "NN wide": { variant: "tile", few: shape } } } },
      /as choices\.products\.NN wide\.few\.rows is 1000000000/,
    );
    await Deno.remove(path);
    await assert.rejects(
      readTuning(path, HERE),
      new UsageError(
        `Cannot run by what was tuned as nothing was on "${HERE.adapter}": ${path} is not there; ` +
          "run deno task tune",
      ),
    );
    assert.equal(await forgetTuning(path), false);
  },
);
