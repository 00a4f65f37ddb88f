// What kind of value each attribute of each op is, for reading graphs from text: the one place where attributes come
// from outside the type checker. Total over OpAttrs, so a new op or attribute does not compile before it is here.

import type { OpAttrs, OpName } from "./graph.ts";

/** A value as the text form writes it. */
export type Written = number | boolean | string | readonly Written[] | Fields;
export type Fields = { readonly [name: string]: Written };

type Kind = (value: Written | undefined) => boolean;

const number: Kind = value => typeof value === "number";
const integer: Kind = value => Number.isInteger(value);
const boolean: Kind = value => typeof value === "boolean";
const string: Kind = value => typeof value === "string";
const isList = (value: Written | undefined): value is readonly Written[] => Array.isArray(value);
const listOf =
  (kind: Kind, length?: number): Kind =>
  value =>
    isList(value) && value.every(kind) && (length === undefined || value.length === length);
const oneOf =
  (...words: readonly string[]): Kind =>
  value =>
    words.some(word => word === value);
const record =
  (fields: Readonly<Record<string, Kind>>): Kind =>
  value =>
    isRecord(value) && mismatch(value, fields) === null;

const isRecord = (value: Written | undefined): value is Fields =>
  typeof value === "object" && !Array.isArray(value);

const integers = listOf(integer);
const strings = listOf(string);
const dtype = oneOf("real", "index", "bool");
const none = {};
const reduced = { dims: integers, axes: strings, batch: boolean, keep: boolean };
const window = {
  image: listOf(integer, 3),
  kernel: listOf(integer, 2),
  stride: listOf(integer, 2),
  padding: listOf(integer, 4),
};

const attributeKinds: { readonly [O in OpName]: { readonly [A in keyof OpAttrs[O]]: Kind } } = {
  constant: { dtype, shape: integers, values: listOf(number) },
  parameter: { name: string, shape: integers, axes: strings },
  input: { name: string, dtype, shape: integers, axes: strings, batched: boolean },
  state: { name: string, dtype, shape: integers, axes: strings },
  length: { axis: string },
  index: { axis: string },
  batchSize: none,
  random: { distribution: oneOf("uniform", "normal"), site: integer, shape: integers, axes: strings },
  neg: none,
  exp: none,
  log: none,
  log1p: none,
  sqrt: none,
  sin: none,
  cos: none,
  tanh: none,
  sigmoid: none,
  softplus: none,
  abs: none,
  sign: none,
  floor: none,
  not: none,
  stopGradient: none,
  cast: { dtype },
  add: none,
  sub: none,
  mul: none,
  div: none,
  pow: none,
  maximum: none,
  minimum: none,
  expdiff: none,
  equal: none,
  notEqual: none,
  less: none,
  lessEqual: none,
  greater: none,
  greaterEqual: none,
  and: none,
  or: none,
  where: none,
  accumulate: { type: record({ dtype, shape: integers, axes: strings, batched: boolean }) },
  broadcast: { shape: integers, axes: strings, batched: boolean },
  reshape: { shape: integers },
  transpose: { perm: integers },
  slice: { dim: integer, start: integer, size: integer },
  pad: { dim: integer, before: integer, after: integer },
  concat: { dim: integer },
  argmax: { dim: integer },
  oneHot: { size: integer },
  gather: none,
  scatterAdd: { size: integer, axes: strings, batch: boolean },
  patches: window,
  unpatches: window,
  sum: reduced,
  max: reduced,
  logsumexp: reduced,
  contract: { left: integers, right: integers, out: integers, axes: strings, batch: boolean },
  shift: { axis: string, offset: integer },
  at: { axis: string, from: oneOf("first", "last"), offset: integer },
  stack: { axis: string },
};

function mismatch(value: Fields, kinds: Readonly<Record<string, Kind>>): string | null {
  for (const [name, kind] of Object.entries(kinds)) {
    if (!(name in value)) return `the attribute \`${name}\` is missing`;
    if (!kind(value[name])) return `the attribute \`${name}\` has a wrong value`;
  }
  const extra = Object.keys(value).find(name => !(name in kinds));
  return extra === undefined ? null : `there is no attribute \`${extra}\``;
}

export const isOp = (name: string): name is OpName => Object.hasOwn(attributeKinds, name);

/** What is wrong with the attributes of an op, or null. */
export const attributeProblem = (op: OpName, attrs: Fields): string | null =>
  mismatch(attrs, attributeKinds[op]);

export const attributesFit = <O extends OpName>(op: O, attrs: Fields): attrs is Fields & OpAttrs[O] =>
  attributeProblem(op, attrs) === null;
