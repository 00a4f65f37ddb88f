"""Serves an engine to test/bench/remote.ts: a request is a line of JSON, and so is the reply, behind a mark.

An engine has `probe()`, a dict as engine.ts's Probe, and `open(case, tensors)`, which gives `(check, run)`. Tensors come
as `(dtype, shape, bytes)`. The first argument is the number of threads.
"""

import json
import math
import struct
import sys
import time
import types

MARK = "=> "
CHECKED_STEPS = 2
CHECKED_RESULTS = 64
SHORTEST = 1.0


def threads():
    return int(sys.argv[1])


def picked(values):
    """The results that are compared, of a flat list of all."""
    count = min(len(values), CHECKED_RESULTS)
    return [float(values[i * len(values) // count]) for i in range(count)]


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensors[name] = (entry["dtype"], entry["shape"], bytearray(body[start:end]))
    return tensors


class Sampler:
    """As timer.ts: samples of as many calls as take a millisecond."""

    def __init__(self, run):
        self.run = run
        self.calls = 1

    def time(self, budget):
        samples = []
        end = time.perf_counter() + budget / 1000
        while not samples or time.perf_counter() < end:
            start = time.perf_counter()
            for _ in range(self.calls):
                self.run()
            took = 1000 * (time.perf_counter() - start)
            if took >= SHORTEST / 2:
                samples.append(took / self.calls)
            if took < SHORTEST:
                self.calls = math.ceil(self.calls * min(10, 1.2 * SHORTEST / took))
        return samples


def serve(engine):
    sampler = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            value = None
            if request["do"] == "probe":
                value = engine.probe()
            elif request["do"] == "open":
                value, run = engine.open(request["case"], read_safetensors(request["file"]))
                sampler = Sampler(run)
            elif request["do"] == "time":
                value = sampler.time(request["budget"])
            elif request["do"] == "close":
                sampler = None
            reply = {"value": value}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(MARK + json.dumps(reply), flush=True)


def missing(package):
    """Says so, to whoever asks, and ends."""
    reason = f'not installed (python3 -c "import {package}" fails)'
    serve(types.SimpleNamespace(probe=lambda: {"available": False, "reason": reason}))
    sys.exit()
