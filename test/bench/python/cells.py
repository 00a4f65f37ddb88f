"""The benchmark's layers (models/*.frond) as one writes them where loops are the user's: what falls outside of the loop
by hand, then a step. Written once for PyTorch and JAX; `o` is either's functions, `p` gives a layer's weights by name.

A cell is `(inputs, start, step)`: inputs(o, p, x) for all steps at once, start(o, p, batch) a tuple of states, and
step(o, p, states, input) the next states and the output. Arrays are [batch, steps, features], weights as in spec/std.
"""


def zero_states(count):
    """Starts with zeros: `count` states of as many units as U has rows."""
    return lambda o, p, batch: tuple(o.zeros((batch, p("U").shape[0])) for _ in range(count))


def affine(W, b):
    return lambda o, p, x: x @ p(W) + p(b)


def lstm_step(o, p, states, x):
    h, c = states
    i, f, g, out = o.split(x + h @ p("U"), 4)
    c = o.sigmoid(f) * c + o.sigmoid(i) * o.tanh(g)
    h = o.sigmoid(out) * o.tanh(c)
    return (h, c), h


def gru_step(o, p, states, x):
    (h,) = states
    xr, xz, xn = o.split(x, 3)
    hr, hz, hn = o.split(h @ p("U") + p("bu"), 3)
    r, z = o.sigmoid(xr + hr), o.sigmoid(xz + hz)
    h = (1 - z) * o.tanh(xn + r * hn) + z * h
    return (h,), h


def layer_norm(o, p, name, x):
    centred = x - o.mean(x)
    return p(f"{name}.gain") * centred / o.sqrt(o.mean(centred * centred) + 1e-5) + p(f"{name}.bias")


def normalised_step(o, p, states, x):
    h, c = states
    i, f, g, out = o.split(x + layer_norm(o, p, "i.layerNorm2", h @ p("U")), 4)
    c = o.sigmoid(f) * c + o.sigmoid(i) * o.tanh(g)
    h = o.sigmoid(out) * o.tanh(layer_norm(o, p, "h.layerNorm", c))
    return (h, c), h


def min_gru_inputs(o, p, x):
    a, n = o.split(x @ p("W") + p("b"), 2)
    z = o.sigmoid(a)
    return o.concat((1 - z, z * n))


def min_gru_start(o, p, batch):
    return (o.zeros((batch, p("b").shape[0] // 2)),)


def min_gru_step(o, p, states, x):
    (h,) = states
    keep, new = o.split(x, 2)
    h = keep * h + new
    return (h,), h


def tidal_step(o, p, states, x):
    h, v = states
    i, f, g = o.split(x + h @ p("U"), 3)
    v = o.sigmoid(f) * v + o.sigmoid(i) * (o.tanh(g) - h)
    h = o.softsign(h + v)
    return (h, v), h


def echo_step(o, p, states, x):
    h, h2, h3, h4 = states
    a, n = o.split(x + h @ p("U") + h4 @ p("V"), 2)
    f = o.sigmoid(a)
    new = f * h + (1 - f) * o.tanh(n)
    return (new, h, h2, h3), new


def deepening_step(o, p, states, x):
    (h,) = states
    a, n = o.split(o.gelu(x + h @ p("U")) @ p("V") + p("c"), 2)
    f = o.sigmoid(a)
    h = f * h + (1 - f) * o.tanh(n)
    return (h,), h


def committee_inputs(o, p, x):
    return o.einsum("btd,kdn->btkn", x, p("W")) + p("b")


def committee_step(o, p, states, x):
    (m,) = states
    past = m.reshape((m.shape[0], -1))
    a, n = o.split(x + o.einsum("bu,kun->bkn", past, p("U")), 2)
    m = m + o.softmax(a, 1) * (o.tanh(n) - m)
    return (m,), m.reshape(past.shape)


def committee_start(o, p, batch):
    members, _, both = p("U").shape
    return (o.zeros((batch, members, both // 2)),)


def notebook_inputs(o, p, x):
    return o.concat((x @ p("W"), x @ p("P") + p("b")))


def notebook_step(o, p, states, x):
    h, S = states
    size = 3 * S.shape[1]
    k, v, q = o.split(o.tanh(x[:, :size] + h @ p("U")), 3)
    S = 0.9 * S + 0.3 * o.einsum("bi,bj->bij", k, v)
    h = o.tanh(x[:, size:] + h @ p("R") + o.einsum("bi,bij->bj", q, S) @ p("V"))
    return (h, S), h


def notebook_start(o, p, batch):
    size, units = p("V").shape
    return (o.zeros((batch, units)), o.zeros((batch, size, size)))


def resonator_step(o, p, states, x):
    y, z = states
    heard = y / o.sqrt(o.mean(y * y) + 1e-2)
    force = o.sin(x + heard @ p("U") + z @ p("V"))
    z = 0.9 * z + 0.3 * (force - o.sigmoid(p("rate")) * y)
    y = y + 0.3 * z
    return (y, z), y


CELLS = {
    "lstm": (affine("W", "b"), zero_states(2), lstm_step),
    "gru": (affine("W", "b"), zero_states(1), gru_step),
    "layer-norm-lstm": (
        lambda o, p, x: layer_norm(o, p, "i.layerNorm", x @ p("W")),
        zero_states(2),
        normalised_step,
    ),
    "min-gru": (min_gru_inputs, min_gru_start, min_gru_step),
    "tidal": (affine("W", "b"), zero_states(2), tidal_step),
    "echo": (affine("W", "b"), zero_states(4), echo_step),
    "deepening": (affine("W", "b"), zero_states(1), deepening_step),
    "committee": (committee_inputs, committee_start, committee_step),
    "notebook": (notebook_inputs, notebook_start, notebook_step),
    "resonator": (affine("W", "b"), zero_states(2), resonator_step),
}


def run(o, name, p, x, reverse=False):
    """The outputs of all steps; `o.loop` goes through them."""
    inputs, start, step = CELLS[name]
    return o.loop(lambda s, v: step(o, p, s, v), start(o, p, x.shape[0]), inputs(o, p, x), reverse)


def attend(o, p, data):
    """models/attention.frond: the decoder's outputs."""
    of = lambda name: lambda weight: p(f"{name}.{weight}")
    f = run(o, "gru", of("f"), data["x"])
    b = run(o, "gru", of("b"), data["x"], reverse=True)
    enc = o.concat((f, b))
    key = enc @ p("key.W") + p("key.b")
    first = o.tanh(b[:, 0] @ p("d.start.dense.W") + p("d.start.dense.b"))

    features = data["fed"].shape[2]
    d = of("d")
    fed = data["fed"] @ d("W")[:features] + d("b")
    heard = d("W")[features:]

    def step(states, x):
        (h,) = states
        a = o.softmax(o.einsum("bu,bsu->bs", h, key), 1)
        context = o.einsum("bs,bsu->bu", a, enc)
        return gru_step(o, d, states, x + context @ heard)

    return o.loop(step, (first,), fed, False)


def states_of(o, layer, p, data):
    """The states that a model's head sees, [batch, steps, units]."""
    of = lambda name: lambda weight: p(f"{name}.{weight}")
    if layer == "attention":
        return attend(o, p, data)
    if layer != "bidirectional":
        return run(o, layer, of("h"), data["x"])
    x = data["x"]
    for at in (1, 2):
        f = run(o, "lstm", of(f"f{at}"), x)
        b = run(o, "lstm", of(f"b{at}"), x, reverse=True)
        x = o.concat((f, b))
    return x
