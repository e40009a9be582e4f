"""Makes the files in this folder: python3 make.py, with NumPy 2."""

import numpy as np

ARRAYS = {
    "f4": np.array([[0.5, -1.5, np.inf], [np.nan, 1e-45, -0.0]], dtype="f4"),
    "f8": np.array([[0.5, -1.5, -np.inf], [np.nan, 5e-324, -0.0]], dtype="f8"),
    "i8": np.array([[-(2**63), -1, 0], [1, 2, 2**63 - 1]], dtype="i8"),
    "b1": np.array([[True, False, True], [False, False, True]]),
}
layouts = {}
for name, array in ARRAYS.items():
    np.save(f"{name}.npy", array)
    np.save(f"{name}_fortran.npy", np.asfortranarray(array))
    for order in "CF":
        layouts[f"{name}_little_{order}"] = array.astype(array.dtype.newbyteorder("<"), order=order)
        layouts[f"{name}_big_{order}"] = array.astype(array.dtype.newbyteorder(">"), order=order)
np.savez("layouts.npz", **layouts)
np.savez_compressed("compressed.npz", zeros=np.zeros((100, 100)), **ARRAYS)

np.save("scalar.npy", np.float32(7.0))
np.save("empty.npy", np.zeros((0, 3), dtype="i8"))
np.save("int32.npy", np.arange(3, dtype="i4"))
np.save("structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i8")]))
for version in [(2, 0), (3, 0)]:
    with open(f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, ARRAYS["f4"], version=version)
