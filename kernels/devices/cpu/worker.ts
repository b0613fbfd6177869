/** Another thread of the CPU device: while a program runs it takes parts of its launches. @module */
import { Board } from "./board.ts";
import { runPart, type SharedLaunch } from "./launches.ts";

/** What the device sends. */
export interface Message {
  /** Where the parts are offered. */
  readonly board: SharedArrayBuffer;
  /** Number of the run that begins. */
  readonly run: number;
  /** The program that runs. */
  readonly program: number;
  /** Its launches by their place in it, when it is new to this thread; others are the device's alone. */
  readonly launches?: ReadonlyMap<number, SharedLaunch>;
  /** Programs that will not run again. */
  readonly forget: readonly number[];
}

/** Milliseconds without a program until this thread goes home, so that no process waits for it for ever. */
const IDLE = 5000;

const programs = new Map<number, ReadonlyMap<number, SharedLaunch>>();
let leaving: ReturnType<typeof setTimeout> | undefined;

// In a page's types this is the page's own thread, which gets no such messages.
(globalThis as unknown as EventTarget).addEventListener("message", (event) => {
  const { run, program, launches, forget, ...rest } = (event as MessageEvent<Message>).data;
  const board = new Board(rest.board);
  clearTimeout(leaving);
  for (const one of forget) programs.delete(one);
  if (launches) programs.set(program, launches);
  help(board, run, programs.get(program)!);
  leaving = setTimeout(() => {
    board.leave();
    close();
  }, IDLE);
});

/** Takes parts until the run is over. */
function help(board: Board, run: number, launches: ReadonlyMap<number, SharedLaunch>): void {
  for (let taken; (taken = board.takeOf(run));) {
    try {
      runPart(launches.get(taken.step)!, taken.left);
    } catch (error) {
      board.fail(error);
    }
    board.done();
  }
}
