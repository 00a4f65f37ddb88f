// Several threads run one program: each has a range of the examples and goes through all of time with it; what no
// example owns (weights, gradients, updates) is done by one of them or in parts. They meet at barriers.
//
// The team's words stand at a fixed place of shared memory; whoever starts the threads writes the last three.

import { add, compare, expr, FunctionBuilder, mul, type Operand } from "./builder.ts";
import type { Expr, Func, Local } from "./code.ts";

/** Addresses in bytes. */
export const teamWords = {
  /** Threads that have come to the barrier. */
  arrived: 64,
  /** Barriers passed. */
  passed: 68,
  /** Runs begun, or -1: time to leave. */
  job: 72,
  threads: 76,
  /** 1 where thread 0 may sleep: a page's main thread must not. */
  mayWait: 80,
  /** 1 where a thread has failed: nobody waits any more. */
  failed: 84,
  /** Of each thread the first row and the one after its last. */
  ranges: 128,
} as const;

export const mostThreads = 32;
/** The first address behind the team's words. */
export const teamEnd = teamWords.ranges + 8 * mostThreads;

/** Tries before a thread sleeps: some microseconds, longer than the others usually take. */
const spins = 4000;

const atomic = (address: number): Expr => ({ kind: "atomicLoad", type: "i32", address: expr(address) });

/** Waits until the word is no longer `expected`: spins for a while, then sleeps. */
function awaitChange(f: FunctionBuilder, address: number, expected: Local, maySleep: Operand): void {
  const tries = f.let(0);
  const value = f.let(expected);
  f.doWhile(() => {
    f.set(tries, add(tries, 1));
    f.if(compare("gt", tries, spins), () =>
      f.if(compare("ne", maySleep, 0), () =>
        f.add({ kind: "wait", address: expr(address), expected: expr(expected) }),
      ),
    );
    f.set(value, atomic(address));
    return compare("eq", value, expected);
  });
}

/** (thread): returns when all threads have called it. */
export function barrier(): Func {
  const f = new FunctionBuilder("barrier");
  const thread = f.param();
  const passed = f.let(atomic(teamWords.passed));
  const failed = f.let(atomic(teamWords.failed));
  const before = f.local("i32");
  f.set(before, { kind: "atomicAdd", type: "i32", address: expr(teamWords.arrived), value: expr(1) });
  const threads = f.let(atomic(teamWords.threads));
  f.if(
    compare("eq", add(before, 1), threads),
    () => {
      f.add({ kind: "atomicStore", address: expr(teamWords.arrived), value: expr(0) });
      f.add({ kind: "atomicStore", address: expr(teamWords.passed), value: add(passed, 1) });
      f.add({ kind: "notify", address: expr(teamWords.passed) });
    },
    () => {
      const maySleep = f.let(1);
      f.if(compare("eq", thread, 0), () => f.set(maySleep, atomic(teamWords.mayWait)));
      f.if(compare("eq", failed, 0), () => awaitChange(f, teamWords.passed, passed, maySleep));
    },
  );
  return f.finish();
}

/** (thread): runs with each job, until told to leave. */
export function workerLoop(run: Func): Func {
  const f = new FunctionBuilder("work");
  const thread = f.param();
  const seen = f.let(0);
  f.doWhile(() => {
    awaitChange(f, teamWords.job, seen, 1);
    f.set(seen, atomic(teamWords.job));
    f.if(compare("ne", seen, -1), () => f.call(run, [thread]));
    return compare("ne", seen, -1);
  });
  return f.finish();
}

/** The rows of a thread. */
export function ownRows(f: FunctionBuilder, thread: Operand): { readonly from: Local; readonly to: Local } {
  const entry = f.let(mul(thread, 8));
  const word = (offset: number): Local =>
    f.let({ kind: "load", type: "i32", address: expr(entry), offset: teamWords.ranges + offset });
  return { from: word(0), to: word(4) };
}
