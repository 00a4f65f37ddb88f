// What is known beforehand of backends that `auto` may choose from: every one of the registry but the oracle. Without
// an entry here a backend is tried like any other.

/** By a backend's name. */
export interface Prospect {
  /** Never faster than that one, which need only be there. */
  readonly behind?: string;
  /** Milliseconds that it takes until it could run a first program: programs too small to repay that do without it. */
  readonly opens?: number;
  /** Slow on purpose: only where it is asked for. */
  readonly isOracle?: true;
}

const inNode = typeof process === "object" && typeof process.versions?.node === "string";

/** In Node these run in the page of a browser, which has to be started: nothing that anybody does unasked. */
const graphics: Prospect = { opens: inNode ? 3000 : 300 };

const prospects: ReadonlyMap<string, Prospect> = new Map<string, Prospect>([
  ["reference", { isOracle: true }],
  // Of 300 runs of the tests' models, training and inference, batch 1 and 32, none was faster: 1.4 times slower at the
  // least (nothing but the call), 3.8 times in the middle, more than ten times where there is work.
  ["cpu", { behind: "wasm" }],
  ["native", { opens: 700 }],
  ["webgl", graphics],
  ["webgpu", graphics],
]);

export const prospectOf = (name: string): Prospect => prospects.get(name) ?? {};
