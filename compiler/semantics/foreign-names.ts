// Names that newcomers bring along from other languages and libraries, each with what Frond has instead.

import { didYouMean } from "../diagnostics/nearest.ts";

const functions: ReadonlyMap<string, string> = new Map([
  ["len", "the number of steps along an axis is `length(t)`"],
  ["linear", "the layer is called `dense`"],
  ["bidirectional", "write two calls, `f[t](..)` and `f[-t](..)`, and `concat` their results"],
  ["cat", "values are joined by `concat`"],
  ["stack", "values are joined by `concat`"],
  ["dot", "a product of vectors or matrices is written `a @ b`"],
  ["matmul", "a product of vectors or matrices is written `a @ b`"],
  ["pow", "powers are written `a ^ b`"],
  ["clip", "write `max(low, min(high, x))`"],
  ["clamp", "write `max(low, min(high, x))`"],
  ["ln", "the natural logarithm is `log(x)`"],
  ["average", "the mean is `mean(x)` over features, `mean[t](..)` along an axis"],
  ["if", "`where(condition, a, b)` chooses between two values"],
  ["float", "`real(i)` makes a number of an index or a truth value"],
  ["reverse", "what runs from the end is a call along `-t`: `gru[-t](..)`"],
  ["shift", "the step before is `x[t-1]`, the next one `x[t+1]`"],
  ["scan", "a recurrence is an equation: `h[t] = f(h[t-1], x[t])`"],
]);

const values: ReadonlyMap<string, string> = new Map([
  ["e", "e to the power of x is `exp(x)`"],
  ["pi", "write it out: 3.14159265"],
  ["π", "write it out: 3.14159265"],
  ["infinity", "infinity is written `inf`"],
  ["none", "what is not given is left out"],
  ["true", "did you mean `true`?"],
  ["false", "did you mean `false`?"],
]);

/** Help for the name of a function or layer that nothing defines. */
export function helpForFunction(name: string, candidates: Iterable<string>): readonly string[] {
  const help = functions.get(name.toLowerCase());
  return help === undefined ? didYouMean(name, candidates) : [help];
}

/** Help for the name of a value that nothing defines. */
export function helpForValue(name: string, candidates: Iterable<string>): readonly string[] {
  const near = didYouMean(name, candidates);
  const help = values.get(name.toLowerCase());
  return near.length > 0 || help === undefined ? near : [help];
}
