import assert from "node:assert/strict";
import { Board } from "../../../../kernels/devices/cpu/board.ts";

Deno.test("each part on offer is taken once, and those of a run only while it lasts", () => {
  const board = new Board(), other = new Board(board.memory);
  assert.equal(board.take(), undefined);
  board.begin(7);
  for (const step of [0, 5]) {
    board.offer(step, 4);
    assert.deepEqual([board.take(), board.take()], [4, 3]);
    assert.deepEqual(other.takeOf(7), { step, left: 2 });
    assert.deepEqual(other.takeOf(7), { step, left: 1 });
    assert.equal(board.take(), undefined);
    for (let part = 0; part < 4; part++) board.done();
    board.wait(4);
  }
  assert.equal(other.takeOf(6), undefined); // an older run
  board.offer(6, 1);
  board.end();
  assert.equal(other.takeOf(7), undefined);
  assert.equal(board.take(), undefined);
  assert.equal(board.helped, 4);
});

Deno.test("a part of an older launch cannot be taken after many others", () => {
  const board = new Board();
  board.begin(1);
  for (let launch = 0; launch < 2 ** 22 + 2; launch++) { // its number has 22 bits
    board.offer(launch, 1);
    if (board.take() !== 1 || board.take() !== undefined) assert.fail(`${launch}`);
  }
});

Deno.test("the first failure is kept until it is asked for, cut where it is long", () => {
  const board = new Board(), other = new Board(board.memory);
  assert.equal(board.failure(), undefined);
  other.fail(new RangeError("no möre"));
  other.fail(new Error("later"));
  assert.equal(board.failure(), "RangeError: no möre");
  assert.equal(board.failure(), undefined);
  other.fail("x".repeat(5000));
  assert.equal(board.failure(), "x".repeat(1024));
});

Deno.test("a thread that leaves says so", () => {
  const board = new Board();
  assert.equal(board.left, false);
  new Board(board.memory).leave();
  assert.equal(board.left, true);
});

Deno.test("a part that another thread takes between look and claim is not taken again", () => {
  const board = new Board(), other = new Board(board.memory), { compareExchange } = Atomics;
  board.offer(0, 3);
  let isFirst = true;
  Reflect.set(Atomics, "compareExchange", (...claim: unknown[]) => {
    if (isFirst) {
      isFirst = false;
      assert.equal(other.take(), 3);
    }
    return Reflect.apply(compareExchange, Atomics, claim);
  });
  try {
    assert.deepEqual([board.take(), board.take(), board.take()], [2, 1, undefined]);
  } finally {
    Atomics.compareExchange = compareExchange;
  }
});
