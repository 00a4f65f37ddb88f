// Random draws. Each use in each instance is a site of its own; sites are numbered as lowering meets them, which
// depends on the program alone. A draw differs along the axes of its result, those included that a layer is mapped
// over.

import { report } from "../../diagnostics/report.ts";
import type { NodeId } from "../../graph/graph.ts";
import type { BuiltinLowering, BuiltinUse } from "./use.ts";

const draw = (use: BuiltinUse, distribution: "uniform" | "normal", shape: readonly number[]): NodeId =>
  use.builder.random(distribution, use.instance.lowering.nextSite(), shape, use.resultAxes);

/**
 * Inverted dropout (Srivastava et al. 2014): what is kept is scaled up, so that nothing changes outside training.
 * The site is counted in both modes, so that other draws are the same in both.
 */
function dropout(use: BuiltinUse): NodeId {
  const { builder, instance } = use;
  const rate = use.number("rate");
  if (!(rate >= 0 && rate < 1)) {
    const values = { name: "rate", wanted: "at least 0 and below 1", value: rate };
    instance.refuse(report("F0720", values, use.expression.span));
  }
  const x = use.arg(0);
  const uniform = draw(use, "uniform", use.shape);
  if (instance.lowering.mode === "infer" || rate === 0) return x;
  const kept = builder.greaterEqual(uniform, builder.constant(rate));
  return builder.where(kept, builder.div(x, builder.constant(1 - rate)), builder.constant(0));
}

/** The Gumbel trick: argmax(log p + g) with g = -log(-log u) has the probabilities p (Gumbel 1954). */
function sample(use: BuiltinUse): NodeId {
  const { builder } = use;
  const uniform = draw(use, "uniform", use.shapeOf(0));
  const gumbel = builder.neg(builder.log(builder.neg(builder.log(uniform))));
  return builder.argmax(builder.add(builder.log(use.arg(0)), gumbel), 0);
}

export const drawLowerings = {
  dropout,
  bernoulli: use => use.builder.less(draw(use, "uniform", use.shape), use.arg(0)),
  normal: use => draw(use, "normal", use.shape),
  uniform: use => draw(use, "uniform", use.shape),
  sample,
} as const satisfies Record<string, BuiltinLowering>;
