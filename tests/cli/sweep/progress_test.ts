/** What a sweep shows while it is under way, and how long it says that it takes. */
import assert from "node:assert/strict";
import { TimeLeft } from "../../../cli/sweep/left.ts";
import { liveLine, SweepProgress } from "../../../cli/sweep/progress.ts";
import type { Terminal } from "../../../cli/terminal.ts";

/** A sweep of runs that take a second a step, 3 s before the first one ends and 2 s after the last. */
class Simulated {
  now = 0;
  readonly lefts: { at: number; said: number }[] = [];
  readonly #events: { at: number; call: () => void }[] = [];
  readonly left: TimeLeft;

  constructor(
    readonly steps: readonly number[],
    readonly options: { jobs: number; isTold?: boolean },
  ) {
    const runs = steps.map((of, i) => [i, options.isTold ? of : undefined] as const);
    this.left = new TimeLeft(new Map(runs), { jobs: options.jobs, now: () => this.now });
    const waiting = [...steps.keys()];
    const next = () => {
      const i = waiting.shift();
      if (i === undefined) return;
      const began = this.now, of = steps[i];
      this.left.begin(i);
      this.#at(began + 1, () => this.left.follow(i, 0, of));
      for (let step = 1; step <= of; step++) {
        this.#at(began + 2 + step, () => this.left.follow(i, step, of));
      }
      this.#at(began + 4 + of, () => {
        this.left.end(i, true);
        this.lefts.push({ at: this.now, said: this.left.seconds }); // as the line of its end has it
        next();
      });
    };
    for (let job = 0; job < options.jobs; job++) next();
    for (;;) {
      const event = this.#events.sort((a, b) => a.at - b.at).shift();
      if (!event) return;
      this.now = event.at;
      event.call();
      this.lefts.push({ at: this.now, said: this.left.seconds });
    }
  }

  #at(at: number, call: () => void): void {
    this.#events.push({ at, call });
  }
}

Deno.test("what is left counts runs under way, how many go on at once, and how far they are", () => {
  for (
    const [steps, options] of [
      [[10, 10, 10, 10, 10, 10], { jobs: 2 }],
      [[10, 10, 10, 10, 10], { jobs: 2 }],
      [[10, 10, 10, 10], { jobs: 8 }],
      [[10, 10, 10], { jobs: 1 }],
      [[5, 20, 5, 20], { jobs: 2, isTold: true }],
      [[1, 1, 1, 1], { jobs: 2 }],
    ] as const
  ) {
    const { now: whole, lefts } = new Simulated(steps, options);
    const about = `${steps} ${JSON.stringify(options)}`;
    const off = lefts.map(({ at, said }) => Math.abs(at + said - whole));
    const known = off.filter((seconds) => !Number.isNaN(seconds));
    // Before a run has ended nobody knows what comes after its last step.
    assert.ok(Math.max(...known) <= 2 * steps.length, `${about}: off by ${Math.max(...known)}`);
    const ended = lefts.findIndex(({ at }) => at >= 4 + Math.min(...steps));
    assert.ok(Math.max(...off.slice(ended)) < 0.01, `${about}: ${off.slice(ended)}`);
    assert.equal(lefts.at(-1)!.said, 0);
  }
});

Deno.test("what a run does that fails, or a resumed one skips, is not taken for the time of a whole one", () => {
  let now = 0;
  const left = new TimeLeft(new Map([[0, undefined], [1, undefined]]), { jobs: 1, now: () => now });
  left.begin(0);
  now = 1;
  left.end(0, false);
  assert.ok(Number.isNaN(left.seconds), "nothing is known of the other");
  left.begin(1);
  left.follow(1, 30, 40); // resumed: ten are left
  now = 2;
  left.follow(1, 31, 40);
  now = 4;
  left.follow(1, 32, 40);
  assert.equal(left.seconds, 16);
});

const cells = ["1", "2", "3"].map((seed) => ({
  ...{ folder: seed, values: { learningRate: "5e-5", seed }, words: ["colors"] },
}));

/** A terminal that remembers, and a sweep of three runs of four steps with two at once. */
function sweep(more: { quiet?: boolean } = {}) {
  const said: string[] = [], clock = { now: 0 };
  const terminal: Terminal = {
    ...{ out() {}, write() {}, fancy: false, columns: 60 },
    err: (line) => said.push(line),
  };
  const show = { jobs: 2, quiet: false, now: () => clock.now, ...more };
  const progress = new SweepProgress(terminal, { cells, open: [0, 1, 2] }, show);
  progress.begin(0);
  progress.begin(1);
  return { said, clock, progress };
}

Deno.test("where nobody watches, a line now and then says which runs are under way, and how far", () => {
  const { said, clock, progress } = sweep();
  const take = (at: number, step: number) => {
    clock.now = at;
    progress.follow(0, step, 4);
  };
  take(1, 0);
  take(10, 1);
  take(20, 2);
  assert.deepEqual(said, []);
  take(31, 3);
  assert.deepEqual(said, [
    "0 of 3  left 0:52  under way: learningRate 5e-5, seed 1 at",
    "step 3 of 4; learningRate 5e-5, seed 2 begins",
  ]);
  take(40, 4);
  assert.equal(said.length, 2);
  progress.end(0, true);
  assert.deepEqual([progress.count, progress.isOver], ["1 of 3", false]);
  const quiet = sweep({ quiet: true });
  quiet.clock.now = 100;
  quiet.progress.follow(0, 1, 4);
  assert.deepEqual(quiet.said, []);
});

Deno.test("a live line has room for each run's end, or counts those for which it has none", () => {
  const runs = [
    { name: "learningRate 5e-5, seed 3", at: { step: 12, steps: 40 } },
    { name: "learningRate 2e-4, seed 1", at: { step: 3, steps: 40 } },
    { name: "learningRate 2e-4, seed 2" },
  ];
  const head = "  2 of 6  left 1:51";
  assert.equal(
    liveLine(head, runs.slice(0, 2), 99),
    `${head}  learningRate 5e-5, seed 3 12/40  learningRate 2e-4, seed 1 3/40`,
  );
  assert.equal(
    liveLine(head, runs, 79),
    `${head}  …5e-5, seed 3 12/40  …2e-4, seed 1 3/40  …2e-4, seed 2 -`,
  );
  assert.equal(liveLine(head, runs, 39), `${head}  … seed 3 12/40  +2`);
  for (let room = 1; room < 120; room++) {
    for (let count = 0; count <= 3; count++) {
      assert.ok([...liveLine(head, runs.slice(0, count), room)].length <= room, `${room} ${count}`);
    }
  }
});

Deno.test("a line that was printed above a bar is not lost where the bar is closed at once", async () => {
  const code = `import { Bar } from ${
    JSON.stringify(import.meta.resolve("../../../cli/progress.ts"))
  };
    const bar = new Bar({ out() {}, write() {}, err() {}, fancy: true, columns: 80 });
    bar.open(3, 0);
    bar.say("the last word");
    bar.close();`;
  const { stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdout: "null",
    stderr: "piped",
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.ok(success, said);
  assert.match(said, /the last word/);
});
