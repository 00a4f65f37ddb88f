// The code of a scan (scan.ts): one function for all steps. Each row goes through time with some vectors of features
// at once, as many as hide the latency of the operations that wait for each other; what is carried stays in locals.
// Time is cut into parts, so that the rows of all examples at a step are read while they are near in memory.

import type { AxisId, NodeId } from "../../compiler/graph/graph.ts";
import { product } from "../plan/layout.ts";
import { add, binary, compare, expr, lane, least, load, loadSplat, mul, type Operand, select, splat, sub } from "./builder.ts";
import type { Expr, FunctionBuilder, Local } from "./code.ts";
import { filled, vectorOf } from "./expressions.ts";
import type { Kernel, Position } from "./kernel.ts";
import { computeMembers } from "./members.ts";
import type { Memory, Reference } from "./places.ts";
import type { Carried, Scan, ScanOperand, ScanSource, ScanSum } from "./scan.ts";
