/** Tasks with settings of their own: how they are opened, and that no setting is anybody else's. @module */
import assert from "node:assert/strict";
import { defineOptions, type OptionRows } from "../../base/options.ts";
import { command as train } from "../../cli/commands/train.ts";
import { settingsTable } from "../../experiment/settings.ts";
import { listAlgorithms } from "../../rl/algorithms/registry.ts";
import { listRewards } from "../../rewards/registry.ts";
import { colors } from "../../tasks/colors.ts";
import { csvDefinition } from "../../tasks/csv.ts";
import { openTask, openTaskNow } from "../../tasks/open.ts";
import { findTask, listTasks } from "../../tasks/registry.ts";
import { checkTask, type Task, type TaskDefinition } from "../../tasks/task.ts";

const ROWS = {
  level: { kind: "integer", default: 1, min: 1, max: 3, doc: "how hard", group: "Task" },
  data: { kind: "text", doc: "file", group: "Task" },
} as const satisfies OptionRows;

/** `levels` gives as many prompts as its level; where `data` is set it reads that first. */
const levels: TaskDefinition<{ level: number; data?: string }> = {
  name: "levels",
  summary: "prompts by level",
  options: defineOptions("the task levels", ROWS),
  open({ level, data }, { readData }) {
    const train = Array.from({ length: level }, (_, i) => ({ id: `${i}`, prompt: `p${i}` }));
    const task = { ...colors(), name: "levels", examples: { train, heldout: [] } };
    if (data === undefined) return task;
    return readData!(data).then(({ name }): Task => ({ ...task, summary: `read ${name}` }));
  },
};

Deno.test("a task is opened with its own settings, those of others are left alone", async () => {
  const { task, settings, options } = await openTask(levels, { level: 3, clip: 0.1 });
  assert.equal(task.examples.train.length, 3);
  assert.deepEqual(settings, { level: 3 });
  assert.equal(options.owner, "the task levels");
  const read = await openTask(levels, { data: "a.csv" }, {
    readData: (name) => Promise.resolve({ name: `./${name}`, bytes: new Uint8Array() }),
  });
  assert.equal(read.task.summary, "read ./a.csv");
  assert.deepEqual(read.settings, { level: 1, data: "a.csv" });
});

Deno.test("what is open stays as it is, a task is taken as it is", async () => {
  const opened = await openTask(levels, { level: 2 });
  const again = await openTask(opened, { level: 3 });
  assert.deepEqual([again.task, again.settings], [opened.task, { level: 2 }]);
  const own = colors(), { task, options, settings } = await openTask(own, { level: 2 });
  assert.deepEqual([task, options.names, settings], [own, [], {}]);
});

Deno.test("values of a task's settings are checked, and one that reads files must be waited for", async () => {
  await assert.rejects(openTask(levels, { level: 4 }), {
    name: "RangeError",
    message: "Cannot configure the task levels as level must be at most 3: it is 4",
  });
  assert.throws(() => openTaskNow(levels, { level: "2" }), {
    name: "TypeError",
    message: 'Cannot configure the task levels as level must be an integer: it is "2"',
  });
  const later = { ...levels, open: () => Promise.reject(new Error("no data")) };
  assert.throws(() => openTaskNow(later), {
    name: "TypeError",
    message: "Cannot use the task levels at once as it reads files: await openTask()",
  });
  await assert.rejects(openTask(later), new Error("no data"));
  assert.throws(() => openTaskNow("colours"), /there are only .*did you mean "colors"\?/);
  const none = { ...levels, open: () => ({ name: "levels" }) as Task };
  await assert.rejects(openTask(none), {
    name: "TypeError",
    message:
      "Cannot train on levels as it must be a name, or an object as tasks/task.ts says: it is an " +
      "object with name",
  });
});

Deno.test("no setting of a task has the name of a flag, or of a setting of trainer, algorithms or rewards", () => {
  const tables = [...listTasks(), csvDefinition("prompts.csv") as unknown as TaskDefinition];
  for (const { name, options } of tables) {
    for (const algorithm of listAlgorithms()) {
      assert.ok(settingsTable(algorithm, listRewards(), options).names.includes("batchSize"), name);
    }
    for (const setting of options.names) {
      assert.ok(
        !Object.hasOwn(train.spec.flags, setting),
        `--${setting} is a flag; so has ${name}`,
      );
    }
    assert.equal(findTask(listTasks()[0].name), listTasks()[0]);
  }
  const [ppo] = listAlgorithms();
  const table = (name: string) =>
    defineOptions("the task clash", { [name]: { kind: "integer", doc: "", group: "Task" } });
  for (const name of ["batchSize", "clipLow", "epochs", "semanticPower", "seed", "totalSteps"]) {
    assert.throws(
      () => settingsTable(ppo, listRewards(), table(name) as never),
      new RegExp(`as names must differ: both have ${name}$`),
      name,
    );
  }
});

Deno.test("a task holds out nothing that it trains on, and its answers are texts", async () => {
  const { task } = await openTask("colors");
  const of = (train: unknown[], heldout: unknown[]) => () =>
    checkTask({ ...task, examples: { train, heldout } } as never);
  const example = (id: string, prompt: string, answer?: unknown) => ({ id, prompt, answer });
  assert.throws(
    of([example("a", "one"), example("b", "two")], [example("c", "two")]),
    /as what is held out is never trained on: the prompt of c, "two", is both/,
  );
  assert.throws(of([example("a", "one", 5)], []), /an answer is a text: that of a is 5/);
  of([example("a", "one"), example("b", "one", "x")], [example("c", "two")])();
});
