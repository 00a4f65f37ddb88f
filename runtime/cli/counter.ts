// A live count of what is done on a terminal; nothing elsewhere.

import type { Io } from "./io.ts";

export interface Counter {
  readonly show: (done: number) => void;
  readonly finish: () => void;
}

export function counter(what: string, of: number, unit: string, silent: boolean, io: Io): Counter {
  if (silent || !io.err.terminal) return { show: () => {}, finish: () => {} };
  return {
    show: done => io.err.write(`\r\x1b[2K${what} ${done}/${of} ${unit}`),
    finish: () => io.err.write("\r\x1b[2K"),
  };
}
