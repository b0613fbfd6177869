/** What `deno task test` is made of: words, the output of a process, its verdict, order, the closing line. */
import assert from "node:assert/strict";
import {
  addCounts,
  closingLine,
  readClosing,
  readErrors,
  readOutput,
} from "../scripts/test/output.ts";
import { type Ended, runProcess, verdictOf } from "../scripts/test/process.ts";
import { runQueue, secondsOf, secondsText } from "../scripts/test/queue.ts";
import SECONDS from "../scripts/test/seconds.json" with { type: "json" };
import { Report } from "../scripts/test/report.ts";
import { checkFlags, isFiltered, readWords, testFiles } from "../scripts/test/words.ts";
import { inTemporary, withFolder } from "./_folder.ts";

Deno.test("words are files or flags, and a flag's value is no file", () => {
  const words = [
    "--no-prompt",
    "--allow-net=127.0.0.1",
    "--filter",
    "a b",
    "tests/a_test.ts",
    "-A",
  ];
  assert.deepEqual(readWords([...words, "--config=x.json", "tests"]), {
    flags: ["--no-prompt", "--allow-net=127.0.0.1", "--filter", "a b", "-A", "--config=x.json"],
    paths: ["tests/a_test.ts", "tests"],
    forEach: true,
  });
  assert.deepEqual(readWords(["--filter=a", "b"]).paths, ["b"]);
  for (const alone of ["--watch", "--coverage=x", "--fail-fast", "--inspect", "--parallel", "--"]) {
    assert.equal(readWords([alone, "-A"]).forEach, false, alone);
  }
  assert.deepEqual(readWords(["--junit-path", "a.xml"]), {
    flags: ["--junit-path", "a.xml"],
    paths: [],
    forEach: false,
  });
  assert.deepEqual([["--filter", "a"], ["--filter=a"], ["-A"]].map(isFiltered), [
    true,
    true,
    false,
  ]);
});

Deno.test("types are checked by the same configuration, and not where they shall not be", () => {
  const flags = ["-A", "--filter", "c", "--config", "a.json", "--no-lock", "--allow-read=x"];
  assert.deepEqual(checkFlags(flags), ["--config", "a.json", "--no-lock"]);
  assert.deepEqual(checkFlags(["--config=a.json", "--allow-run"]), ["--config=a.json"]);
  assert.equal(checkFlags(["-A", "--no-check"]), undefined);
});

inTemporary("test files are those that Deno takes for such, at any depth", async (place) => {
  await Deno.mkdir(`${place}/b/c`, { recursive: true });
  await Deno.mkdir(`${place}/node_modules`);
  const names = [
    "a_test.ts",
    "b/c/d.test.js",
    "b/test.mts",
    "b/_a.ts",
    "contest.ts",
    "a_test.json",
  ];
  for (const name of [...names, "node_modules/x_test.ts"]) {
    await Deno.writeTextFile(`${place}/${name}`, "");
  }
  const found = ["a_test.ts", "b/c/d.test.js", "b/test.mts"].map((name) => `${place}/${name}`);
  assert.deepEqual(await testFiles(`${place}/`), found);
  assert.deepEqual(await testFiles(`${place}/b/_a.ts`), [`${place}/b/_a.ts`]); // it was named
  assert.equal(await testFiles(`${place}/none`), undefined);
});

Deno.test("a closing line is read, added up and written in Deno's own form", () => {
  const line =
    "FAILED | 12 passed (1 step) | 1 failed (3 steps) | 2 ignored | 5 filtered out (1m3s)";
  const counts = readClosing(line)!;
  assert.deepEqual(counts, {
    ...{ passed: 12, "passed steps": 1, failed: 1, "failed steps": 3 },
    ...{ ignored: 2, "filtered out": 5 },
  });
  assert.equal(closingLine(counts, 63_900), line);
  assert.equal(
    closingLine(addCounts([counts, { passed: 1, failed: 0 }]), 999.4),
    "FAILED | 13 passed (1 step) | 1 failed (3 steps) | 2 ignored | 5 filtered out (999ms)",
  );
  assert.equal(closingLine({ passed: 3, failed: 0 }, 60_000), "ok | 3 passed | 0 failed (1m0s)");
  assert.equal(closingLine({}, 1000), "ok | 0 passed | 0 failed (1s)");
  for (
    const other of ["ok | passed", "is ok | 1 passed | 0 failed (1s)", "ok | 1 passed | x (1s)"]
  ) {
    assert.equal(readClosing(other), undefined, other);
  }
});

const FAILED = `running 2 tests from ./a_test.ts
good ...
------- output -------

 ERRORS 

ok | 7 passed | 0 failed (1ms)
no newline----- output end -----
good ... ok (1ms)
\x1b[0mbad ... \x1b[31mFAILED\x1b[0m (1ms)

\x1b[1m ERRORS \x1b[0m

bad => ./a_test.ts:2:6
error: Error: x

 ERRORS 

 FAILURES 

    at a_test.ts:2:7

 FAILURES 

bad => ./a_test.ts:2:6

\x1b[31mFAILED\x1b[0m | 1 passed | 1 failed \x1b[38;5;245m(8ms)\x1b[0m

`;

Deno.test("output is told apart, be its headings in a test's output or error as well", () => {
  const { tests, errors, failures, counts } = readOutput(FAILED);
  assert.deepEqual([tests.length, tests.at(-1)], [
    10,
    "\x1b[0mbad ... \x1b[31mFAILED\x1b[0m (1ms)",
  ]);
  assert.deepEqual([errors[0], errors.at(-1)], ["bad => ./a_test.ts:2:6", "    at a_test.ts:2:7"]);
  assert.deepEqual(failures, ["bad => ./a_test.ts:2:6"]);
  assert.deepEqual(counts, { passed: 1, failed: 1 });
  const cut = readOutput(FAILED.slice(0, FAILED.indexOf("no newline"))); // the test printed that line
  assert.deepEqual([cut.counts, cut.tests.length, cut.errors], [undefined, 7, []]);
  const loud = "\x1b[1m ERRORS \x1b[0m", none = { tests: [], errors: [], failures: [] };
  assert.deepEqual([readOutput(`a\n\n${loud}`).tests, readOutput(loud)], [["a"], none]);
  assert.deepEqual(readOutput(""), none);
  const words =
    "a warning\n\n\x1b[31merror\x1b[0m: Test failed\n\nStack backtrace:\n   0: <unknown>\n";
  assert.deepEqual(readErrors(words), ["a warning"]);
  assert.deepEqual(readErrors("\nb\n\nc\n"), ["b", "", "c"]);
});

Deno.test("only a fault after a closing line without failures is an abort", () => {
  const ok = { passed: 3, failed: 0 }, failed = { passed: 3, failed: 1 };
  const of = (counts: typeof ok | undefined, code: number, signal: Deno.Signal | null = null) =>
    verdictOf(counts, { code, signal });
  assert.equal(of(ok, 0), "passed");
  assert.equal(of(failed, 1), "failed");
  assert.equal(of(ok, 134, "SIGABRT"), "aborted");
  assert.equal(of(ok, 139, "SIGSEGV"), "aborted");
  assert.equal(of(ok, 1), "broken");
  assert.equal(of(ok, 137, "SIGKILL"), "broken"); // memory ran out, or somebody ended it
  assert.equal(of(failed, 134, "SIGABRT"), "broken");
  assert.equal(of(failed, 0), "broken");
  for (const signal of ["SIGABRT", null] as const) {
    assert.equal(of(undefined, 134, signal), "broken");
  }
  assert.equal(of(undefined, 0), "broken"); // Deno.exit(0) amid the tests
});

/** A process that prints and does what the shell is told. */
const shell = (name: string, script: string) =>
  withFolderOf(async (folder) => {
    const program = `${folder}/deno`;
    await Deno.writeTextFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return await runProcess({ name, args: ["test"] }, { program });
  });

async function withFolderOf<T>(body: (folder: string) => Promise<T>): Promise<T> {
  let result: T;
  await withFolder(async (folder) => {
    result = await body(folder);
  });
  return result!;
}

const ENDS =
  "printf 'running 1 test from ./a\\na ... ok (1ms)\\n\\nok | 1 passed | 0 failed (1ms)\\n'";
const posix = Deno.build.os !== "windows";

Deno.test(
  { name: "a process is told by its closing line and its end", ignore: !posix },
  async () => {
    const passed = await shell("a", `${ENDS}; echo oh >&2`);
    assert.deepEqual([passed.verdict, passed.said, passed.end], ["passed", ["oh"], "code 0"]);
    assert.deepEqual(passed.tests, ["running 1 test from ./a", "a ... ok (1ms)"]);
    const aborted = await shell("b", `${ENDS}; echo 'double free' >&2; kill -ABRT $$`);
    assert.deepEqual([aborted.verdict, aborted.end], ["aborted", "SIGABRT"]);
    const crashed = await shell("c", "echo 'a ... ok (1ms)'; echo 'b ...'; kill -SEGV $$");
    assert.deepEqual([crashed.verdict, crashed.end, crashed.counts], [
      "broken",
      "SIGSEGV",
      undefined,
    ]);
    // A process that it started outlives it and holds its output.
    const from = performance.now(), left = await shell("d", `${ENDS}; sleep 30 &`);
    assert.equal(left.verdict, "passed");
    assert.ok(performance.now() - from < 20_000);
  },
);

const ended = (name: string, about: Partial<Ended> = {}): Ended => ({
  ...{ name, tests: [`${name} 1 ... ok (1ms)`], errors: [], failures: [], said: [] },
  ...{ verdict: "passed", end: "code 0", seconds: 1, counts: { passed: 1, failed: 0 }, ...about },
});
const last = (report: Report) => report.lines(5).at(-2);

Deno.test("a run after whose end a process aborted is repeated, and counts once", () => {
  const report = new Report();
  const aborted = ended("a", { verdict: "aborted", end: "SIGABRT", said: ["x", "double free"] });
  assert.deepEqual(report.addAgain(aborted, ended("a")), ["a 1 ... ok (1ms)"]);
  assert.ok(report.success);
  assert.deepEqual(report.lines(5), [
    "",
    "a passed, then its process ended by SIGABRT (double free); run again it passed",
    "",
    "ok | 1 passed | 0 failed (5ms)",
    "",
  ]);
});

Deno.test("a process that aborts twice fails, and so does one whose tests then fail", () => {
  const aborted = ended("a", { verdict: "aborted", end: "SIGABRT" });
  const twice = new Report();
  twice.addAgain(aborted, aborted);
  assert.equal(twice.success, false);
  assert.ok(twice.lines(5).includes("a (its tests passed, then SIGABRT: twice)"));
  assert.equal(last(twice), "FAILED | 1 passed | 1 failed (5ms)");
  const then = new Report();
  const counts = { passed: 0, failed: 1 };
  then.addAgain(aborted, ended("a", { verdict: "failed", counts, failures: ["a => a:1"] }));
  assert.equal(then.success, false);
  assert.equal(last(then), "FAILED | 0 passed | 1 failed (5ms)");
});

Deno.test("a process that breaks is a failure, with where it was and what it said", () => {
  const report = new Report();
  report.add(ended("a"));
  const tests = ["running 2 tests", "x ... ok (1ms)", "y ..."];
  const broken = { verdict: "broken", end: "SIGSEGV", counts: undefined } as const;
  assert.deepEqual(report.add(ended("b", { ...broken, tests, said: ["oh"] })), tests);
  report.add(ended("types", { ...broken, end: "code 1", tests: [], said: ["TS2322 here"] }));
  assert.deepEqual(report.lines(5), [
    ...["", " ERRORS ", ""],
    ...["b (SIGSEGV without a closing line; last: y ...)", "oh", ""],
    ...["types (code 1 without a closing line)", "TS2322 here", ""],
    ...[" FAILURES ", ""],
    "b (SIGSEGV without a closing line; last: y ...)",
    "types (code 1 without a closing line)",
    ...["", "FAILED | 1 passed | 2 failed (5ms)", ""],
  ]);
});

Deno.test("a file of which a filter leaves nothing is not shown, one with an ignored test is", () => {
  const report = new Report(), tests = ["running 0 tests from ./a"];
  const none = ended("a", {
    tests,
    counts: { passed: 0, failed: 0, "filtered out": 4 },
    said: ["x"],
  });
  assert.deepEqual(report.add(none), ["x"]);
  const counts = { passed: 0, failed: 0, ignored: 1 };
  assert.deepEqual(report.add(ended("b", { tests: ["b ... ignored"], counts })), ["b ... ignored"]);
  assert.equal(last(report), "ok | 0 passed | 0 failed | 1 ignored | 4 filtered out (5ms)");
});

Deno.test("the longest begin first, as many at once as asked for, and none once it is over", async () => {
  const items = [1, 9, 3, 7].map((seconds) => ({ name: `${seconds}`, seconds }));
  const begun: string[] = [];
  let now = 0, most = 0;
  const run = async ({ name }: { name: string }) => {
    begun.push(name);
    most = Math.max(most, ++now);
    await new Promise((done) => setTimeout(done, 5));
    now--;
  };
  await runQueue(items, { width: 2, run });
  assert.deepEqual([begun, most], [["9", "7", "3", "1"], 2]);
  begun.length = 0;
  await runQueue(items, { width: 1, run, isOver: () => begun.length === 2 });
  assert.deepEqual(begun, ["9", "7"]);
});

Deno.test("the list of what takes long names files that are there, the longest first", async () => {
  const listed: [string, number][] = Object.entries(SECONDS);
  assert.ok(listed.length > 5);
  for (const [path] of listed) {
    assert.ok((await Deno.stat(new URL(`../${path}`, import.meta.url))).isFile, path);
  }
  const [first, seconds] = listed[0];
  assert.deepEqual([secondsOf(`./${first}`), secondsOf(first), secondsOf("x")], [
    seconds,
    seconds,
    0,
  ]);
  assert.equal(
    secondsText([["./a", 4.9], ["b", 5], ["./c", 8.6]].map(([name, seconds]) => ({
      name: String(name),
      seconds: Number(seconds),
    }))),
    '{\n  "c": 9,\n  "b": 5\n}\n',
  );
});
