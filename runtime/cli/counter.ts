// What is being done, live on a terminal; nothing elsewhere.

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

/** Says in words what is being done. */
export function liveLine(
  silent: boolean,
  { err }: Io,
): { readonly show: (text: string) => void; readonly clear: () => void } {
  if (silent || !err.terminal) return { show: () => {}, clear: () => {} };
  return {
    show: text => err.write(`\r\x1b[2K${text} `),
    clear: () => err.write("\r\x1b[2K"),
  };
}
