"""Makes numpy.npz and others: one array of each kind that Frond reads. Needs numpy, and safetensors for the last.

    python3 test/golden/make_npz.py
"""

import pathlib

import numpy

here = pathlib.Path(__file__).parent
values = numpy.arange(-3, 9).reshape(2, 3, 2)
arrays = {f"f{n}": (values / 8).astype(f"<f{n}") for n in (4, 8)}
arrays |= {f"i{n}": values.astype(f"<i{n}") for n in (1, 2, 4, 8)}
arrays |= {f"u{n}": (values + 3).astype(f"<u{n}") for n in (1, 2, 4, 8)}
arrays["b1"] = values > 2
arrays["fortran"] = numpy.asfortranarray(values.astype("<f4"))
arrays["wide"] = numpy.array([2**40, -1], dtype="<i8")
arrays["scalar"] = numpy.float32(0.5)
arrays["empty"] = numpy.zeros((0, 3), dtype="<f4")
numpy.savez_compressed(here / "numpy.npz", **arrays)
numpy.savez(
    here / "numpy-refused.npz",
    big=values.astype(">f4"),
    half=values.astype("<f2"),
    text=numpy.array(["a", "b"]),
    complex=values.astype("<c8"),
    fields=numpy.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]),
)
with open(here / "version2.npy", "wb") as file:
    numpy.lib.format.write_array(file, values.astype("<f4"), version=(2, 0))
try:
    from safetensors.numpy import save_file

    tensors = {
        "f4": numpy.array([[0.5, 1.5], [2.5, 3.5]], dtype="<f4"),
        "f8": numpy.array([0.1]),
        "i4": numpy.array(-7, dtype="<i4"),
        "i8": numpy.array([1, -1], dtype="<i8"),
        "u1": numpy.array([0, 255], dtype="u1"),
        "b": numpy.array([True, False]),
    }
    save_file(tensors, here / "numpy.safetensors", metadata={"made": "by numpy"})
except ImportError:
    print("no safetensors package: numpy.safetensors is left as it is")
