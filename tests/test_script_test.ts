/** `deno task test` as a whole: failures, crashes, type errors, filters, Ctrl-C, and what .ci/run reads of it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inTemporary, withFolder } from "./_folder.ts";

const SCRIPT = fileURLToPath(new URL("../scripts/test.ts", import.meta.url));
const CI = fileURLToPath(new URL("../.ci/run", import.meta.url));
const posix = Deno.build.os !== "windows";

/** Test files by their names. */
const FILES = {
  "good_test.ts": `Deno.test("good", () => console.log("said by good"));
    Deno.test("other", async (t) => { await t.step("a step", () => {}); });`,
  "bad_test.ts": `Deno.test("fine", () => {});
    Deno.test("bad", () => { throw new Error("it is bad"); });`,
  "crash_test.ts": `Deno.test("before", () => {});
    Deno.test("crashes", () => Deno.kill(Deno.pid, "SIGABRT"));`,
  "ignored_test.ts": `Deno.test({ name: "ignored", ignore: true, fn() {} });`,
  "types_test.ts": `Deno.test("typed", () => { const x: string = 1; console.log(x); });`,
  "load_test.ts": `throw new Error("it does not load");`,
};

async function write(folder: string, ...names: (keyof typeof FILES)[]): Promise<void> {
  for (const name of names) await Deno.writeTextFile(`${folder}/${name}`, FILES[name]);
}

const spawn = (folder: string, script: string, words: readonly string[], env = {}) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", script, "-A", "--no-lock", ...words],
    cwd: folder,
    env: { NO_COLOR: "1", DENO_JOBS: "2", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();

async function run(
  folder: string,
  ...words: string[]
): Promise<{ code: number; out: string; err: string; closing: string }> {
  const { code, stdout, stderr } = await spawn(folder, SCRIPT, words).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err, closing: out.trimEnd().split("\n").at(-1)! };
}

/** Without the time, which differs. */
const timeless = (closing: string) => closing.replace(/ \(\d+m?s\)$/, "");

inTemporary("where all is well the last line is Deno's, and the exit code is 0", async (folder) => {
  await write(folder, "good_test.ts");
  await Deno.writeTextFile(
    `${folder}/more_test.ts`,
    FILES["good_test.ts"].replace('"good"', '"m"'),
  );
  const { code, out, err, closing } = await run(folder, "--no-check", ".");
  assert.deepEqual([code, err], [0, ""], out);
  assert.equal(timeless(closing), "ok | 4 passed (2 steps) | 0 failed");
  const block = (name: string, test: string) =>
    [`running 2 tests from ./${name}_test.ts`, `${test} ...`, "------- output -------"].join("\n");
  assert.ok(out.includes(block("good", "good")) && out.includes(block("more", "m")), out);
  assert.doesNotMatch(out, /ERRORS|FAILURES/);
  assert.equal(out.match(/ \| 0 failed/g)!.length, 1, "one closing line");
});

inTemporary(
  "failures stand whole and together behind all tests, and fail the run",
  async (folder) => {
    await write(folder, "bad_test.ts", "good_test.ts", "load_test.ts");
    const { code, out, closing } = await run(folder, "--no-check", ".");
    assert.equal(code, 1);
    assert.equal(timeless(closing), "FAILED | 3 passed (1 step) | 2 failed");
    const at = out.indexOf(" ERRORS ");
    assert.ok(at > out.indexOf("other ... ok") && at > out.indexOf("bad ... FAILED"), out);
    assert.match(
      out.slice(at),
      /^bad => \.\/bad_test\.ts:2:10\nerror: Error: it is bad\n.*\n +\^\n/m,
    );
    assert.match(out.slice(at), /error: \(in promise\) Error: it does not load/);
    const names = out.slice(out.indexOf(" FAILURES ")).split("\n").slice(2, -4).toSorted();
    assert.deepEqual(names, ["./load_test.ts (uncaught error)", "bad => ./bad_test.ts:2:10"]);
  },
);

Deno.test({
  name: "a process that crashes amid its tests fails the run, and the others run on",
  ignore: !posix,
  fn: () =>
    withFolder(async (folder) => {
      await write(folder, "crash_test.ts", "good_test.ts");
      const { code, out, closing } = await run(folder, "--no-check", ".");
      assert.equal(code, 1, out);
      assert.equal(timeless(closing), "FAILED | 2 passed (1 step) | 1 failed");
      const end = out.slice(out.indexOf(" FAILURES ")).split("\n")[2];
      assert.equal(end, "./crash_test.ts (SIGABRT without a closing line; last: crashes ...)");
    }),
});

/** A script that is ours with the program `sh` in place of deno, whose last argument is `$last`. */
async function withProgram(folder: string, sh: string): Promise<string> {
  const text = `#!/bin/sh\nfor last; do :; done\n${sh}`;
  await Deno.writeTextFile(`${folder}/deno`, text, { mode: 0o755 });
  const url = new URL("../scripts/test.ts", import.meta.url).href;
  const code = `import { main } from "${url}"; Deno.exitCode = await main(Deno.args, "./deno");`;
  await Deno.writeTextFile(`${folder}/run.ts`, code);
  return "run.ts";
}

/** Every test passes, and the process of one file ends by a fault so many times. */
const FAULTY = `times=$(cat $last.times 2>/dev/null || echo 0)
echo $((times + 1)) > $last.times
echo "a reason" >> "$PLAINRL_NOT_RUN"
printf 'running 1 test from %s\\n%s ... ok (1ms)\\n\\nok | 1 passed | 0 failed (1ms)\\n' $last $last
if [ $last = bad_test.ts ] && [ $times -lt $FAULTS ]; then echo 'double free' >&2; kill -ABRT $$; fi
`;

for (
  const [faults, code, closing] of [
    [0, 0, "ok | 2 passed | 0 failed"],
    [1, 0, "ok | 2 passed | 0 failed"],
    [2, 1, "FAILED | 2 passed | 1 failed"],
  ] as const
) {
  Deno.test({
    name: `a process that aborts ${faults} times after its closing line: exit code ${code}`,
    ignore: !posix,
    fn: () =>
      withFolder(async (folder) => {
        await write(folder, "bad_test.ts", "good_test.ts");
        const script = await withProgram(folder, FAULTY), words = ["bad_test.ts", "good_test.ts"];
        const env = { FAULTS: `${faults}` };
        const child = spawn(folder, script, ["--no-check", ...words], env);
        const { stdout, code: got } = await child.output();
        const out = new TextDecoder().decode(stdout);
        assert.equal(got, code, out);
        assert.equal(timeless(out.split("\n").find((line) => / \d failed/.test(line))!), closing);
        const note =
          "bad_test.ts passed, then its process ended by SIGABRT (double free); run again it ";
        assert.equal(out.includes(note), faults > 0, out);
        assert.equal(
          out.includes("bad_test.ts (its tests passed, then SIGABRT: twice)"),
          faults > 1,
        );
        assert.equal(out.match(/^bad_test.ts \.\.\. ok/gm)!.length, 1);
        assert.ok(out.includes("\n2 TESTS OF THE WGSL DID NOT RUN"), out); // a reason each, not more
        const times = await Deno.readTextFile(`${folder}/bad_test.ts.times`);
        assert.equal(Number(times), Math.min(2, faults + 1));
      }),
  });
}

inTemporary("types are checked, once for all files, unless it is not wanted", async (folder) => {
  await write(folder, "types_test.ts", "good_test.ts");
  const { code, out, closing } = await run(folder, ".");
  assert.equal(code, 1);
  assert.match(out.slice(out.indexOf(" ERRORS ")), /^deno check \(code 1 .*\)\n.*TS2322/m);
  assert.equal(timeless(closing), "FAILED | 3 passed (1 step) | 1 failed");
  assert.equal((await run(folder, "--no-check", ".")).code, 0);
});

inTemporary("--filter leaves out tests, and files of which it leaves nothing", async (folder) => {
  await write(folder, "bad_test.ts", "good_test.ts");
  for (const words of [["--filter", "good"], ["--filter=good"]]) {
    const { code, out, closing } = await run(folder, "--no-check", ...words, ".");
    assert.equal(code, 0, out);
    assert.equal(timeless(closing), "ok | 1 passed | 0 failed | 3 filtered out");
    assert.doesNotMatch(out, /bad_test/);
  }
});

inTemporary("a single file, and flags for one process, are Deno's own run", async (folder) => {
  await write(folder, "bad_test.ts", "good_test.ts");
  const single = await run(folder, "--no-check", "bad_test.ts");
  assert.equal(single.code, 1);
  assert.match(single.err, /error: Test failed/); // Deno's word, which is left out where files are apart
  assert.equal(timeless(single.closing), "FAILED | 1 passed | 1 failed");
  const both = await run(folder, "--no-check", "--junit-path", "junit.xml", ".");
  assert.match(both.err, /error: Test failed/);
  assert.equal(timeless(both.closing), "FAILED | 3 passed (1 step) | 1 failed");
  assert.match(await Deno.readTextFile(`${folder}/junit.xml`), /bad_test[\s\S]*good_test/);
  const none = await run(folder, "--no-check", "nowhere", "good_test.ts");
  assert.equal(none.code, 1);
  assert.match(none.err, /nowhere/);
});

/** Waits until `path` has a line, or a minute. */
async function lineOf(path: string): Promise<string> {
  for (let i = 0; i < 1200; i++) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text.endsWith("\n")) return text.trim();
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${path} was not written`);
}

const isAlive = async (pid: string): Promise<boolean> =>
  (await new Deno.Command("kill", { args: ["-0", pid], stderr: "null" }).output()).success;

Deno.test({
  name: "a signal ends what runs, begins nothing more, and tells what had failed",
  ignore: !posix,
  fn: () => stopBy(["SIGINT"]),
});

Deno.test({
  name: "a second signal ends what does not heed the first",
  ignore: !posix,
  fn: () => stopBy(["SIGTERM", "SIGTERM"]),
});

/** Stops a run of four files, two at once, of which one has failed, two do not end and one has not begun. */
const stopBy = (signals: readonly Deno.Signal[]): Promise<void> =>
  withFolder(async (folder) => {
    await write(folder, "bad_test.ts");
    for (const name of ["one", "two", "last"]) {
      const deaf = signals.length > 1 ? 'Deno.addSignalListener("SIGTERM", () => {});' : "";
      await Deno.writeTextFile(
        `${folder}/${name}_test.ts`,
        `Deno.test("endless ${name}", async () => {
          ${deaf}
          Deno.writeTextFileSync("${name}.pid", Deno.pid + "\\n");
          for (;;) await new Promise((done) => setTimeout(done, 100));
        });`,
      );
    }
    const files = ["bad_test.ts", "one_test.ts", "two_test.ts", "last_test.ts"];
    const noting = `echo $last >> begun\nexec ${Deno.execPath()} "$@"\n`;
    const child = spawn(folder, await withProgram(folder, noting), ["--no-check", ...files]);
    const output = child.output();
    const pids = await Promise.all(["one", "two"].map((name) => lineOf(`${folder}/${name}.pid`)));
    assert.deepEqual(await Promise.all(pids.map(isAlive)), [true, true]);
    const from = performance.now();
    for (const signal of signals) {
      child.kill(signal);
      await new Promise((done) => setTimeout(done, 700));
    }
    const { code, stdout } = await output, out = new TextDecoder().decode(stdout);
    assert.equal(code, 130, out);
    assert.ok(out.includes(`\nStopped by ${signals[0]} amid one_test.ts, two_test.ts\n`), out);
    assert.match(out, / FAILURES \n\nbad => /);
    assert.doesNotMatch(out, /^(ok|FAILED) \|/m);
    assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
    assert.ok(performance.now() - from < 15_000, "it was not waited for"); // that takes 20 s
    const begun = (await Deno.readTextFile(`${folder}/begun`)).trim().split("\n");
    assert.deepEqual(begun.toSorted(), ["bad_test.ts", "one_test.ts", "two_test.ts"]);
  });

/** The last line of .ci/run, and its exit code, in a project with those files; nothing is installed. */
async function ci(folder: string, ...names: (keyof typeof FILES)[]): Promise<[string, number]> {
  await write(folder, ...names);
  await Deno.mkdir(`${folder}/.ci`, { recursive: true });
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  await Deno.copyFile(CI, `${folder}/.ci/run`);
  const deno = Deno.execPath(), dpkg = "#!/bin/sh\nexit 0\n";
  await Deno.writeTextFile(`${folder}/bin/dpkg`, dpkg, { mode: 0o755 });
  await Deno.symlink(deno, `${folder}/bin/deno`);
  const command = `deno run --no-check -A ${SCRIPT} -A --no-check --no-lock .`;
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ tasks: { test: command } }));
  const { code, stdout } = await new Deno.Command("bash", {
    args: [`${folder}/.ci/run`],
    env: { PATH: `${folder}/bin:${Deno.env.get("PATH")}`, XDG_RUNTIME_DIR: folder },
    stderr: "null",
  }).output();
  return [new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!, code];
}

for (
  const [what, names, last, code] of [
    ["passed", ["good_test.ts"], "2 passed, 0 failed", 0],
    ["failed", ["good_test.ts", "bad_test.ts"], "3 passed, 1 failed", 1],
    ["crashed", ["good_test.ts", "crash_test.ts"], "2 passed, 1 failed", 1],
    ["was ignored", ["good_test.ts", "ignored_test.ts"], "2 passed, 0 failed", 1],
    ["crashed alone", ["crash_test.ts"], "0 passed, 1 failed", 1],
  ] as const
) {
  Deno.test({
    name: `.ci/run reads what ${what}`,
    ignore: Deno.build.os !== "linux", // it installs Debian's packages
    fn: () =>
      withFolder(async (folder) => assert.deepEqual(await ci(folder, ...names), [last, code])),
  });
}
