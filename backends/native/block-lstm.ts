// A loop that is an LSTM cell as one op of TensorFlow's, BlockLSTMV2. In a measurement it takes half the time of the loop
// at small sizes, where a turn costs more than its arithmetic, and as much at large ones. The op's own gradient is not
// used: it takes nearly twice as long as Frond's backward loop.

import type { NodeId } from "../../compiler/graph/graph.ts";
import type { Loop } from "../../compiler/schedule/schedule.ts";
import { type Cell, cellOf } from "./cell.ts";
import { type Site, wholeOf } from "./context.ts";
import { flag, ofType, type Tensor } from "./graph.ts";
import type { Scope } from "./scope.ts";
import type { Value } from "./values.ts";

/** With more, a turn's products cost so much that the loop is as fast, and faster where the op copies large weights. */
const mostUnits = 256;

/** Sets what the loop computes in the scope around it; false where it is no cell, or better a loop. */
export function asBlockLstm(site: Site, loop: Loop, outer: Scope): boolean {
  if (outer.loop !== null) return false;
  const cell = cellOf(site.graph, loop);
  if (cell === null || cell.units > mostUnits || !isReadByResults(site, cell)) return false;
  const given = [cell.x, cell.w, cell.u, cell.h, cell.c, ...(cell.bias === null ? [] : [cell.bias])];
  if (given.some(id => site.find(id, outer) === null)) return false;
  const last = site.graph.nodes.get(cell.results.at(-1)!)!;
  const tensors = site.ops.for(last, () => blockLstm(site, cell, loop, outer));
  const whole = { axes: [loop.axis], batched: true, shape: [cell.units] };
  for (const [k, id] of cell.results.entries()) outer.set(id, { ...whole, tensor: tensors[k]! });
  return true;
}

/** Whether nothing else of the cell is read elsewhere. */
function isReadByResults(site: Site, { nodes, results }: Cell): boolean {
  const isInside = (id: NodeId): boolean =>
    site.usersOf(id).every(user => user !== null && nodes.has(user.id));
  return [...nodes].every(id => results.includes(id) || isInside(id));
}

function blockLstm(site: Site, cell: Cell, { axis }: Loop, outer: Scope): readonly Tensor[] {
  const { ops, values } = site;
  const context = site.contextOf(outer);
  const read = (id: NodeId): Value => site.read(id, outer);
  const whole = (id: NodeId): Tensor => values.full(read(id), wholeOf(context, context.typeOf(id))).tensor;
  const featured = (value: Value, size: number): Tensor =>
    values.full(value, { axes: [], batched: false, shape: [size] }).tensor;
  const start = (id: NodeId): Tensor =>
    values.full(read(id), { axes: [], batched: true, shape: [cell.units] }).tensor;
  const zero = values.scalar(ops.real(0));
  const bias = featured(cell.bias === null ? zero : read(cell.bias), 4 * cell.units);
  const none = featured(zero, cell.units);
  const matrix = ops.concat([whole(cell.w), whole(cell.u)], 0);
  const turns = ops.long(context.extent(axis));
  const inputs = [turns, whole(cell.x), start(cell.c), start(cell.h), matrix, none, none, none, bias];
  const attributes = { T: ofType("real"), use_peephole: flag(false) };
  const names = inputs.map(({ name }) => name);
  return ops.add("BlockLSTMV2", names, attributes, "real", ops.root, cell.results.length);
}
