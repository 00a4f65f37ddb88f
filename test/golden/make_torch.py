#!/usr/bin/python3
"""Golden values from PyTorch: recurrent layers, their gradients, and optimiser trajectories.

Run by hand, with Debian's `python3-torch` (1.13): `/usr/bin/python3 test/golden/make_torch.py`.
It writes `test/golden/torch/NAME.frond` (the program) and `NAME.json` (random inputs and weights in Frond's layout,
and what PyTorch computes from them in float64). The files' form is described in test/golden/README.md.

Layouts. PyTorch keeps weights as [gates*units, in]; Frond multiplies from the right, so W = weight_ih transposed,
U = weight_hh transposed. Gate order is i, f, g, o (LSTM) and r, z, n (GRU), the same in both. Frond's LSTM and Elman
layer have one bias: bias_hh is zero here and takes no part. Frond's GRU (reset after the product) has both, b and bu.
"""

import json
import math
import os

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240501)

BATCH, STEPS, INPUTS, UNITS, CLASSES = 3, 5, 4, 3, 3
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}


def tensor(value):
    """JSON form of a tensor; json writes the shortest decimals that read back to the same float64."""
    value = value.detach()
    dtype = "real" if value.dtype.is_floating_point else "index"
    return {"dtype": dtype, "shape": list(value.shape), "data": value.reshape(-1).tolist()}


def tensors(named):
    return {name: tensor(value) for name, value in named.items()}


def frond_parameters(module, layer, prefix, suffix="", grad=False):
    """PyTorch's parameters of one layer and direction under Frond's names and in Frond's layout."""
    pick = lambda name: getattr(module, f"{name}_l{layer}{suffix}")
    value = lambda name: pick(name).grad if grad else pick(name)
    named = {f"{prefix}.W": value("weight_ih").T, f"{prefix}.U": value("weight_hh").T, f"{prefix}.b": value("bias_ih")}
    if isinstance(module, torch.nn.GRU):
        named[f"{prefix}.bu"] = value("bias_hh")
    return named


def randomise(module):
    """Uniform in -0.8..0.8, so that gates leave their linear range; bias_hh is zero except for the GRU."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.uniform_(-0.8, 0.8)
            if name.startswith("bias_hh") and not isinstance(module, torch.nn.GRU):
                parameter.zero_()


def run(module, x, lengths, initial=None):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, state = module(packed, initial) if initial is not None else module(packed)
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0], state


def write(name, program, values):
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, f"{name}.frond"), "w") as file:
        file.write(program)
    with open(os.path.join(OUT, f"{name}.json"), "w") as file:
        entries = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in values.items())
        file.write("{\n" + entries + "\n}\n")


def layer_case(name, kind, lengths, bidirectional=False, layers=1, initial=False):
    """One module; loss = mean over examples of the sum over real steps of r[t] . y[t], r random."""
    module = KINDS[kind](INPUTS, UNITS, num_layers=layers, bidirectional=bidirectional, batch_first=True)
    randomise(module)
    lengths = torch.tensor(lengths)
    x = torch.randn(BATCH, STEPS, INPUTS, requires_grad=True)
    width = UNITS * (2 if bidirectional else 1)
    r = torch.randn(BATCH, STEPS, width)
    inputs = {"x": x, "r": r}
    state = None
    if initial:
        inputs["h0"] = torch.randn(BATCH, UNITS, requires_grad=True)
        state = inputs["h0"][None]
        if kind == "lstm":
            inputs["c0"] = torch.randn(BATCH, UNITS, requires_grad=True)
            state = (state, inputs["c0"][None])

    y, _ = run(module, x, lengths, state)
    real = (torch.arange(STEPS)[None] < lengths[:, None])[:, :, None]
    loss = (torch.where(real, r * y, torch.zeros(()))).sum() / BATCH
    loss.backward()

    places = [(0, "f", ""), (0, "b", "_reverse")] if bidirectional else [(0, "h", "")]
    if layers == 2:
        places = [(0, "a", ""), (1, "h", "")]
    collect = lambda grad: {
        key: value
        for layer, prefix, suffix in places
        for key, value in frond_parameters(module, layer, prefix, suffix, grad).items()
    }
    write(
        name,
        layer_program(name, kind, bidirectional, layers, initial),
        {
            "origin": f"PyTorch {torch.__version__}, float64",
            "lengths": {"t": lengths.tolist()},
            "inputs": tensors(inputs),
            "parameters": tensors(collect(False)),
            "outputs": tensors({"y": y}),
            "loss": loss.item(),
            "gradients": tensors(collect(True)),
            "inputGradients": tensors({k: v.grad for k, v in inputs.items() if v.requires_grad}),
        },
    )


def layer_program(name, kind, bidirectional, layers, initial):
    title = "".join(part.capitalize() for part in name.split("-"))
    lines = [
        f"// Against PyTorch: {name}.json (made by make_torch.py).",
        f"model {title}(features: size = {INPUTS}, units: size = {UNITS}) {{",
        "  axis t",
        "  input x[t]: real[features]",
        f"  input r[t]: real[{'2*units' if bidirectional else 'units'}]",
    ]
    if initial:
        lines.append("  input h0: real[units]")
        if kind == "lstm":
            lines.append("  input c0: real[units]")
    lines.append("")
    if bidirectional:
        lines += [f"  f[t] = {kind}[t](x[t], units)", f"  b[t] = {kind}[-t](x[t], units)", "  z[t] = concat(f[t], b[t])"]
    elif layers == 2:
        lines += [f"  a[t] = {kind}[t](x[t], units)", f"  h[t] = {kind}[t](a[t], units)"]
    elif initial and kind == "lstm":
        lines += ["  (h[t], c[t]) = lstm[t](x[t], units)", "  h[t<0] = h0", "  c[t<0] = c0"]
    else:
        lines.append(f"  h[t] = {kind}[t](x[t], units)")
        if initial:
            lines.append("  h[t<0] = h0")
    value = "z[t]" if bidirectional else "h[t]"
    lines += ["", f"  output y[t] = {value}", f"  loss = sum[t](r[t] @ {value})", "}", ""]
    return "\n".join(lines)


def optimizer_case(name, optimizer, clip):
    """Ten steps on one batch: LSTM, dense, cross-entropy; loss = mean over examples of the mean over real steps."""
    lstm = torch.nn.LSTM(INPUTS, UNITS, batch_first=True)
    dense = torch.nn.Linear(UNITS, CLASSES)
    randomise(lstm)
    randomise(dense)
    trained = [lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0, dense.weight, dense.bias]
    lstm.bias_hh_l0.requires_grad_(False)
    lengths = torch.tensor([3, 5, 1])
    x = 2 * torch.randn(BATCH, STEPS, INPUTS)
    y = torch.randint(0, CLASSES, (BATCH, STEPS))
    real = torch.arange(STEPS)[None] < lengths[:, None]

    def named(grad=False):
        value = lambda p: (p.grad if grad else p).detach().clone()
        return {
            "h.W": value(lstm.weight_ih_l0).T,
            "h.U": value(lstm.weight_hh_l0).T,
            "h.b": value(lstm.bias_ih_l0),
            "logits.W": value(dense.weight).T,
            "logits.b": value(dense.bias),
        }

    start = tensors(named())
    kind, settings = optimizer
    algorithm = make_optimizer(kind, settings, trained)
    steps = []
    for _ in range(10):
        logits = dense(run(lstm, x, lengths)[0])
        each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), y, reduction="none")
        loss = (torch.where(real, each, torch.zeros(())).sum(1) / lengths).mean()
        algorithm.zero_grad()
        loss.backward()
        norm = math.sqrt(sum((p.grad**2).sum().item() for p in trained))
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        algorithm.step()
        steps.append({"loss": loss.item(), "norm": norm, "parameters": tensors(named())})
    write(
        name,
        optimizer_program(name, kind, settings, clip),
        {
            "origin": f"PyTorch {torch.__version__}, float64",
            "optimizer": {"kind": kind, **settings},
            "clip": None if clip is None else {"norm": clip, "epsilon": 1e-6},
            "lengths": {"t": lengths.tolist()},
            "inputs": tensors({"x": x, "y": y}),
            "parameters": start,
            "steps": steps,
        },
    )


def make_optimizer(kind, settings, trained):
    if kind == "adam":
        betas = (settings["beta1"], settings["beta2"])
        return torch.optim.Adam(trained, lr=settings["rate"], betas=betas, eps=settings["epsilon"])
    return torch.optim.SGD(
        trained, lr=settings["rate"], momentum=settings["momentum"], nesterov=settings["nesterov"]
    )


def optimizer_program(name, kind, settings, clip):
    title = "".join(part.capitalize() for part in name.split("-"))
    write_value = lambda value: {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    arguments = ", ".join(f"{key}: {write_value(value)}" for key, value in settings.items())
    clipping = f"clip: norm({clip}), " if clip is not None else ""
    return f"""// Against PyTorch: {name}.json (made by make_torch.py).
model {title}(features: size = {INPUTS}, units: size = {UNITS}, classes: size = {CLASSES}) {{
  axis t
  input  x[t]: real[features]
  target y[t]: index(classes)

  h[t]      = lstm[t](x[t], units)
  logits[t] = dense(h[t], classes)

  output p[t] = softmax(logits[t])
  loss = mean[t](crossEntropy(logits[t], y[t]))

  train {{ optimizer: {kind}({arguments}), {clipping}batch: {BATCH}, epochs: 10 }}
}}
"""


FULL, VARIED = [5, 5, 5], [3, 5, 1]
ADAM = {"rate": 0.05, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
SGD = {"rate": 0.5, "momentum": 0.9, "nesterov": False}

for kind in KINDS:
    layer_case(kind, kind, FULL)
    layer_case(f"{kind}-lengths", kind, VARIED)
    layer_case(f"{kind}-bidirectional", kind, FULL, bidirectional=True)
    layer_case(f"{kind}-bidirectional-lengths", kind, VARIED, bidirectional=True)
    layer_case(f"{kind}-stacked", kind, FULL, layers=2)
    layer_case(f"{kind}-stacked-lengths", kind, VARIED, layers=2)
    layer_case(f"{kind}-initial", kind, VARIED, initial=True)
optimizer_case("adam", ("adam", ADAM), None)
optimizer_case("adam-clip", ("adam", ADAM), 0.3)
optimizer_case("sgd-momentum", ("sgd", SGD), None)
optimizer_case("sgd-momentum-clip", ("sgd", SGD), 0.3)
optimizer_case("sgd-nesterov-clip", ("sgd", {**SGD, "nesterov": True}), 0.3)
