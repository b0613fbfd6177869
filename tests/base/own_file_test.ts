import assert from "node:assert/strict";
import fc from "fast-check";
import {
  isModuleFile,
  isPath,
  isTableFile,
  rewardNameOf,
  taskNameOf,
} from "../../base/own_file.ts";
import { quoted } from "../../base/shell.ts";

Deno.test("a path is told from a name by its slash or its ending", () => {
  for (const word of ["a.ts", "my task.MTS", "C:\\x\\a.js", "./a.mjs"]) {
    assert.ok(isModuleFile(word) && isPath(word) && !isTableFile(word), word);
  }
  for (const word of ["prompts.csv", "/tmp/Meine Prompts.CSV"]) {
    assert.ok(isTableFile(word) && isPath(word) && !isModuleFile(word), word);
  }
  for (const word of ["./colors", "data/x.json", "a\\b"]) assert.ok(isPath(word), word);
  for (const word of ["colors", "gsm8k", "plan-b", "a.b", "ts"]) assert.ok(!isPath(word), word);
});

Deno.test("a task is called after its file, in letters of any script", () => {
  const names: [string, string][] = [
    ["./prompts.csv", "prompts"],
    ["/home/me/Meine Prompts (2).csv", "meine-prompts-2"],
    ["C:\\data\\My_Task.ts", "my-task"],
    ["提示.csv", "提示"],
    ["Éte\u0301.csv", "été"],
    ["….csv", "own"],
    ["../..", "own"],
  ];
  for (const [path, name] of names) assert.equal(taskNameOf(path), name, path);
});

Deno.test("a reward is called after its file or function, as a column of metrics may be", () => {
  const names: [string, string][] = [
    ["./my_reward.ts", "my_reward"],
    ["My-Reward 2.mts", "my_reward_2"],
    ["shortAnswer", "short_answer"],
    ["2nd.js", "own_2nd"],
    ["提示.ts", "own"],
    ["", "own"],
  ];
  for (const [path, name] of names) assert.equal(rewardNameOf(path), name, path);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    assert.match(rewardNameOf(text), /^[a-z][a-z0-9_]*$/);
    assert.match(taskNameOf(text), /^[^\s/\\.]+$/u);
  }));
});

Deno.test("a word is quoted as a shell takes it", () => {
  assert.equal(quoted("./prompts.csv:0.5,exact"), "./prompts.csv:0.5,exact");
  assert.equal(quoted("my task.ts"), "'my task.ts'");
  assert.equal(quoted("it's"), `'it'\\''s'`);
  assert.equal(quoted(""), "''");
});
