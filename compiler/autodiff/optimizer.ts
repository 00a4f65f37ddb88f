// A training step as one graph: gradients, clipping and the optimiser's update are nodes like all others, so they
// are checked, scheduled, fused and run by the same code as the model.

import type { NodeId } from "../graph/graph.ts";
import type { OptimizerConfig, ParameterSpec } from "../lower/model.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { StateSpec, Update } from "../program/program.ts";
import { unreachable } from "../unreachable.ts";

export interface TrainingStep {
  readonly states: readonly StateSpec[];
  readonly updates: readonly Update[];
}

/** A parameter, its node and the node of its gradient. */
export interface Trainable {
  readonly spec: ParameterSpec;
  readonly value: NodeId;
  readonly gradient: NodeId;
}

/**
 * Adds clipping by global norm and the optimiser's update: an output `update.NAME` for each parameter and each state.
 *
 * @param clipNorm gradients are scaled by min(1, clipNorm / norm), norm over all of them (Pascanu, Mikolov & Bengio
 *   2013, "On the difficulty of training recurrent neural networks", algorithm 1); null leaves them as they are.
 */
export function addOptimizer(
  builder: GraphBuilder,
  trainables: readonly Trainable[],
  optimizer: OptimizerConfig,
  clipNorm: number | null,
): TrainingStep {
  const step = new StepBuilder(builder);
  const scale =
    clipNorm === null
      ? null
      : builder.withPlace({ label: "clip" }, () => clippingScale(builder, trainables, clipNorm));
  const clipped = trainables.map(({ gradient, ...rest }) => ({
    ...rest,
    gradient:
      scale === null
        ? gradient
        : builder.withPlace({ label: `clip ${rest.spec.name}` }, () => builder.mul(gradient, scale)),
  }));
  switch (optimizer.kind) {
    case "sgd":
      for (const one of clipped) {
        builder.withPlace({ label: `update ${one.spec.name}` }, () => sgd(step, one, optimizer));
      }
      break;
    case "adam":
      adam(step, clipped, optimizer);
      break;
    default:
      unreachable(optimizer);
  }
  return { states: step.states, updates: step.updates };
}

/** Collects the states and updates while the graph grows. */
class StepBuilder {
  readonly states: StateSpec[] = [];
  readonly updates: Update[] = [];
  readonly builder: GraphBuilder;
  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  /** A value kept between steps, of the parameter's type (a scalar without one), zeros at first. */
  state(name: string, like: ParameterSpec | null): NodeId {
    const shape = like?.shape ?? [];
    const axes = like?.axes ?? [];
    this.states.push({ name, dtype: "real", shape, axes, initial: 0 });
    return this.builder.node("state", [], { name, dtype: "real", shape, axes });
  }

  update(target: string, value: NodeId): void {
    const output = `update.${target}`;
    this.updates.push({ target, output });
    this.builder.output(output, value);
  }
}

/** min(1, clipNorm / norm); a norm that is NaN stays visible in the gradients. */
function clippingScale(builder: GraphBuilder, trainables: readonly Trainable[], clipNorm: number): NodeId {
  const squares = trainables.map(({ gradient, spec }) =>
    builder.sum(builder.mul(gradient, gradient), { dims: spec.shape.map((_, dim) => dim), axes: spec.axes }),
  );
  const norm = builder.sqrt(
    squares.reduce((total, square) => builder.add(total, square), builder.constant(0)),
  );
  const limit = builder.constant(clipNorm);
  return builder.where(builder.greater(norm, limit), builder.div(limit, norm), builder.constant(1));
}

/** Sutskever et al. 2013 in the form of PyTorch: v' = momentum v + g; p' = p - rate v' (Nesterov: g + momentum v'). */
function sgd(
  step: StepBuilder,
  { spec, value, gradient }: Trainable,
  { rate, momentum, nesterov }: Extract<OptimizerConfig, { kind: "sgd" }>,
): void {
  const { builder } = step;
  let direction = gradient;
  if (momentum !== 0) {
    const name = `sgd.velocity.${spec.name}`;
    const keep = builder.constant(momentum);
    const velocity = builder.add(builder.mul(keep, step.state(name, spec)), gradient);
    step.update(name, velocity);
    direction = nesterov ? builder.add(gradient, builder.mul(keep, velocity)) : velocity;
  }
  step.update(spec.name, builder.sub(value, builder.mul(builder.constant(rate), direction)));
}

/**
 * Kingma & Ba 2015, algorithm 1. The bias corrections 1 - beta^t are kept as the moving averages' own weights,
 * w' = beta w + (1 - beta): the same numbers, without the cancellation of 1 - 0.999^t in float32.
 */
function adam(
  step: StepBuilder,
  trainables: readonly Trainable[],
  { rate, beta1, beta2, epsilon }: Extract<OptimizerConfig, { kind: "adam" }>,
): void {
  const { builder } = step;
  const average = (name: string, spec: ParameterSpec | null, beta: number, value: NodeId): NodeId => {
    const kept = builder.mul(builder.constant(beta), step.state(name, spec));
    const next = builder.add(kept, builder.mul(builder.constant(1 - beta), value));
    step.update(name, next);
    return next;
  };
  const [weight1, weight2] = builder.withPlace({ label: "adam" }, () => [
    average("adam.weight1", null, beta1, builder.constant(1)),
    average("adam.weight2", null, beta2, builder.constant(1)),
  ]);
  const move = ({ spec, value, gradient }: Trainable): void => {
    const m = builder.div(average(`adam.m.${spec.name}`, spec, beta1, gradient), weight1);
    const square = builder.mul(gradient, gradient);
    const v = builder.div(average(`adam.v.${spec.name}`, spec, beta2, square), weight2);
    const direction = builder.div(m, builder.add(builder.sqrt(v), builder.constant(epsilon)));
    step.update(spec.name, builder.sub(value, builder.mul(builder.constant(rate), direction)));
  };
  for (const one of trainables) {
    builder.withPlace({ label: `update ${one.spec.name}` }, () => move(one));
  }
}
