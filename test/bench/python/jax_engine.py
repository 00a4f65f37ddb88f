"""JAX: the layers of cells.py under lax.scan, the whole step jitted, Adam written out."""

import os
import types

import serve

# XLA takes as many threads as this says there are processors.
os.environ["NPROC"] = str(serve.threads())
os.environ["JAX_PLATFORMS"] = "cpu"

try:
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax
except ImportError:
    serve.missing("jax")

import cells

RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def probe():
    return {"available": True, "detail": f"jax {jax.__version__}, lax.scan and jit"}


def operations():
    def loop(step, states, inputs, reverse):
        _, outputs = lax.scan(step, states, jnp.swapaxes(inputs, 0, 1), reverse=reverse)
        return jnp.swapaxes(outputs, 0, 1)

    return types.SimpleNamespace(
        zeros=lambda shape: jnp.zeros(shape, jnp.float32),
        split=lambda x, n: jnp.split(x, n, axis=-1),
        concat=lambda xs: jnp.concatenate(xs, axis=-1),
        mean=lambda x: jnp.mean(x, axis=-1, keepdims=True),
        sigmoid=jax.nn.sigmoid,
        tanh=jnp.tanh,
        sin=jnp.sin,
        sqrt=jnp.sqrt,
        softsign=jax.nn.soft_sign,
        gelu=lambda x: jax.nn.gelu(x, approximate=True),
        softmax=lambda x, axis: jax.nn.softmax(x, axis=axis),
        einsum=jnp.einsum,
        loop=loop,
    )


def open(case, tensors):
    types_of = {"F32": np.float32, "I32": np.int32}
    arrays = {
        name: jnp.asarray(np.frombuffer(data, types_of[dtype]).reshape(shape))
        for name, (dtype, shape, data) in tensors.items()
    }
    data = {name: arrays.pop(name) for name in ("x", "y", "fed") if name in arrays}
    o = operations()

    def logits_of(weights, data):
        states = cells.states_of(o, case["layer"], weights.__getitem__, data)
        if case["model"] == "Last":
            return states[:, -1]
        return states @ weights["logits.W"] + weights["logits.b"]

    def loss_of(weights, data):
        result = logits_of(weights, data)
        if case["model"] == "Last":
            return jnp.mean(result * result)
        chosen = jnp.take_along_axis(result, data["y"][..., None], axis=-1)[..., 0]
        return jnp.mean(jax.nn.logsumexp(result, axis=-1) - chosen)

    if case["task"] == "infer":
        last = case["model"] == "Last"
        infer = jax.jit(lambda w, d: logits_of(w, d) if last else jax.nn.softmax(logits_of(w, d), axis=-1))

        def run():
            return np.asarray(infer(arrays, data))

        return serve.picked(run().reshape(-1)), run

    def update(weights, moments, step, data):
        loss, gradients = jax.value_and_grad(loss_of)(weights, data)
        step = step + 1
        correction = jnp.sqrt(1 - BETA2**step) / (1 - BETA1**step)
        mean = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, moments[0], gradients)
        square = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moments[1], gradients)
        epsilon = EPSILON * jnp.sqrt(1 - BETA2**step)
        moved = jax.tree.map(
            lambda w, m, v: w - RATE * correction * m / (jnp.sqrt(v) + epsilon), weights, mean, square
        )
        return moved, (mean, square), step, loss

    train = jax.jit(update, donate_argnums=(0, 1, 2))
    zeros = lambda: jax.tree.map(jnp.zeros_like, arrays)
    state = [arrays, (zeros(), zeros()), jnp.float32(0)]

    def run():
        state[0], state[1], state[2], loss = train(*state, data)
        return float(loss)

    return [run() for _ in range(serve.CHECKED_STEPS)], run


if __name__ == "__main__":
    serve.serve(types.SimpleNamespace(probe=probe, open=open))
