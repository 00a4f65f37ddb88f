#!/usr/bin/python3
"""Golden features of spoken digits, computed with NumPy independently of examples/spoken-digits/features.ts.

Run by hand, with Debian's `python3-numpy`: `/usr/bin/python3 test/golden/make_features.py`. It writes
`test/golden/features.json`: for a few recordings the log-mel energies of the whole recording and the features of the
speech in it. The formulas are those in the head of features.ts; rfft and matrix products take the place of loops.
"""

import json
import os
import wave

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDINGS = os.path.join(HERE, "..", "..", "examples", "spoken-digits", "recordings")
BANDS = 10


def log_mel(x, rate):
    length, hop = round(0.032 * rate), round(0.024 * rate)
    size = 1 << (length - 1).bit_length()
    x = np.pad(x, (0, max(0, length - len(x))))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    frames = np.lib.stride_tricks.sliding_window_view(x, length)[::hop] * window
    power = np.abs(np.fft.rfft(frames, size, axis=1)) ** 2 / window.sum() ** 2
    mel = np.linspace(*(2595 * np.log10(1 + np.array([100, 4000]) / 700)), BANDS + 2)
    corners = 700 * (10 ** (mel / 2595) - 1)
    bins = np.fft.rfftfreq(size, 1 / rate)
    filters = np.stack([np.interp(bins, corners[b : b + 3], [0, 1, 0], left=0, right=0) for b in range(BANDS)])
    return np.log(power @ filters.T + 1e-10)


def speech(x, rate):
    """Blocks within 30 dB of the loudest, joined to it over pauses of at most 0.2 s."""
    block = round(0.01 * rate)
    energy = (x[: len(x) // block * block].reshape(-1, block) ** 2).sum(1)
    loud = np.flatnonzero(energy > energy.max() * 1e-3)
    centre = int(np.flatnonzero(loud == energy.argmax())[0])
    gaps = np.diff(loud) > 20
    first = max((i + 1 for i in np.flatnonzero(gaps) if i < centre), default=0)
    last = min((i for i in np.flatnonzero(gaps) if i >= centre), default=len(loud) - 1)
    return x[loud[first] * block : (loud[last] + 1) * block]


def features(x, rate):
    energies = log_mel(speech(x, rate), rate)
    return energies - energies.mean()


def read(name):
    with wave.open(os.path.join(RECORDINGS, name)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768, file.getframerate()


def rounded(array):
    return {"shape": list(array.shape), "data": [float(f"{value:.9g}") for value in array.reshape(-1)]}


names = ["0_george_0.wav", "6_george_1.wav", "8_lucas_3.wav"]
recordings = {name: {"logMel": rounded(log_mel(*read(name))), "features": rounded(features(*read(name)))} for name in names}
# A chirp at another rate: a window (353) that is no power of two.
chirp_rate = 11025
i = np.arange(4000)
chirp = 0.5 * np.sin(2 * np.pi * (300 + 0.2 * i) * i / chirp_rate)
with open(os.path.join(HERE, "features.json"), "w") as file:
    json.dump({"recordings": recordings, "chirp": {"rate": chirp_rate, "logMel": rounded(log_mel(chirp, chirp_rate))}}, file)
    file.write("\n")
