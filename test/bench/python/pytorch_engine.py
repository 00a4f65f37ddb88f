"""PyTorch: nn.LSTM and nn.GRU where they are, else the layers of cells.py in a Python loop; torch.optim.Adam in its
fastest form."""

import time
import types

import serve

try:
    import torch
    from torch import nn
except ImportError:
    serve.missing("torch")

import cells

ADAM = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-7}
FORMS = ({"foreach": True}, {"fused": True}, {"foreach": False})
TRIAL_SECONDS = 0.1


def probe():
    return {"available": True, "detail": f"torch {torch.__version__}, eager, Adam foreach or fused"}


def operations():
    def loop(step, states, inputs, reverse):
        steps = range(inputs.shape[1])
        outputs = [None] * inputs.shape[1]
        pieces = inputs.unbind(1)
        for at in reversed(steps) if reverse else steps:
            states, outputs[at] = step(states, pieces[at])
        return torch.stack(outputs, 1)

    return types.SimpleNamespace(
        zeros=torch.zeros,
        split=lambda x, n: x.chunk(n, -1),
        concat=lambda xs: torch.cat(xs, -1),
        mean=lambda x: x.mean(-1, keepdim=True),
        sigmoid=torch.sigmoid,
        tanh=torch.tanh,
        sin=torch.sin,
        sqrt=torch.sqrt,
        softsign=nn.functional.softsign,
        gelu=lambda x: nn.functional.gelu(x, approximate="tanh"),
        softmax=lambda x, axis: torch.softmax(x, axis),
        einsum=torch.einsum,
        loop=loop,
    )


def tensor(entry):
    dtype, shape, data = entry
    values = torch.frombuffer(data, dtype={"F32": torch.float32, "I32": torch.int32}[dtype])
    return values.reshape(shape).clone()


class Library(nn.Module):
    """nn.LSTM or nn.GRU with Frond's weights; gates are in the same order."""

    def __init__(self, case, weights):
        super().__init__()
        layer = case["layer"]
        both = layer == "bidirectional"
        kind = nn.GRU if layer == "gru" else nn.LSTM
        layers = 2 if both else 1
        self.layer = kind(case["inputs"], case["units"], layers, batch_first=True, bidirectional=both)
        for at in range(layers):
            for name, suffix in ((f"f{at + 1}", ""), (f"b{at + 1}", "_reverse")) if both else (("h", ""),):
                end = f"_l{at}{suffix}"
                own = self.layer.__getattr__
                own("weight_ih" + end).data = weights[f"{name}.W"].T.contiguous().clone()
                own("weight_hh" + end).data = weights[f"{name}.U"].T.contiguous().clone()
                own("bias_ih" + end).data = weights[f"{name}.b"].clone()
                second = weights.get(f"{name}.bu")
                other = own("bias_hh" + end)
                other.data = torch.zeros_like(weights[f"{name}.b"]) if second is None else second.clone()
                # Two biases that are only ever added would learn twice as fast as one.
                other.requires_grad_(second is not None)

    def forward(self, data):
        return self.layer(data["x"])[0]


class Own(nn.Module):
    """A layer of cells.py."""

    def __init__(self, case, weights):
        super().__init__()
        self.name = case["layer"]
        self.o = operations()
        self.weights = nn.ParameterDict({safe(k): v.clone() for k, v in weights.items() if not k.startswith("logits.")})

    def forward(self, data):
        return cells.states_of(self.o, self.name, lambda name: self.weights[safe(name)], data)


def safe(name):
    return name.replace(".", "_")


class Model(nn.Module):
    def __init__(self, case, weights):
        super().__init__()
        made = Library if case["layer"] in ("lstm", "gru", "bidirectional") else Own
        self.states = made(case, weights)
        self.tags = case["model"] == "Tagger"
        if self.tags:
            self.head = nn.Linear(*weights["logits.W"].shape)
            self.head.weight.data = weights["logits.W"].T.contiguous().clone()
            self.head.bias.data = weights["logits.b"].clone()

    def forward(self, data):
        states = self.states(data)
        return self.head(states) if self.tags else states[:, -1]

    def loss(self, data):
        result = self(data)
        if not self.tags:
            return (result * result).mean()
        return nn.functional.cross_entropy(result.flatten(0, 1), data["y"].flatten())


def open(case, tensors):
    torch.set_num_threads(serve.threads())
    weights = {name: tensor(entry) for name, entry in tensors.items()}
    data = {name: weights.pop(name) for name in ("x", "y", "fed") if name in weights}
    if "y" in data:
        data["y"] = data["y"].long()
    return inference(case, weights, data) if case["task"] == "infer" else training(case, weights, data)


def inference(case, weights, data):
    model = Model(case, weights).eval()

    def run():
        with torch.inference_mode():
            result = model(data)
            return torch.softmax(result, -1) if model.tags else result

    return serve.picked(run().flatten()), run


def training(case, weights, data):
    def make(form):
        model = Model(case, weights)
        optimizer = torch.optim.Adam(model.parameters(), **ADAM, **form)

        def run():
            optimizer.zero_grad(set_to_none=True)
            loss = model.loss(data)
            loss.backward()
            optimizer.step()
            return loss.item()

        return run

    form = fastest(make)
    run = make(form)
    return [run() for _ in range(serve.CHECKED_STEPS)], run


def fastest(make):
    """The form of Adam that makes steps fastest; old versions lack some."""
    times = {}
    for at, form in enumerate(FORMS):
        try:
            run = make(form)
            run()
        except Exception:
            continue
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < TRIAL_SECONDS:
            run()
            count += 1
        times[at] = (time.perf_counter() - start) / count
    return FORMS[min(times, key=times.get)]


if __name__ == "__main__":
    serve.serve(types.SimpleNamespace(probe=probe, open=open))
