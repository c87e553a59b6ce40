"""Small files in other formats, written by NumPy, gzip, zipfile and Pillow themselves: Fixtures/files.

    python files.py   the same bytes every time

The numbers follow from their index, so that a test can say what a file must hold:
x(i) = i - 11 in a signed type, i in an unsigned one, (i - 11) / 4 in floating point, i % 3 == 0 for truth values.
"""

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

import pictures

FOLDER = Path(__file__).resolve().parent / "files"
DATE = (1980, 1, 1, 0, 0, 0)


def numbers(code, shape, order="<"):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    values = {"f": (i - 11) / 4, "i": i - 11, "u": i, "b": i % 3 == 0}[code[0]]
    return values.astype(order + code).reshape(shape)


def npy(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle=True)
    return file.getvalue()


def npz(save, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def zipped(entries, comment=b""):
    """A zip archive as zipfile writes it when sizes are known: no 64-bit fields."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = comment
        for name, content, method in entries:
            archive.writestr(zipfile.ZipInfo(name, DATE), content, method)
    return file.getvalue()


def zipped_64(entries):
    """As `zipped`, but with the fields that zipfile otherwise writes for archives beyond 2 GiB or 65,535 entries."""
    limits = zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = 100, 1
    content = zipped(entries)
    zipfile.ZIP64_LIMIT, zipfile.ZIP_FILECOUNT_LIMIT = limits
    return content


def skewed(count):
    """Bytes of which some are frequent and some rare, so that codes of every length occur; a third of them repeats."""
    state, content = 1, bytearray()
    while len(content) < count:
        state = (state * 1103515245 + 12345) % 2**31
        high = state >> 16
        if high % 64 == 0 and len(content) > 300:
            distance = high * 7 % min(len(content), 32768) + 1
            for _ in range(32):
                content.append(content[-distance])
        else:
            content.append(min(high & -high, 128) + (high >> 7) % 64 * (high % 4 == 0))
    return bytes(content[:count])


def deflated(content, level=9, strategy=zlib.Z_DEFAULT_STRATEGY):
    """A gzip member with header fields left out, by one of zlib's ways to compress."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, 31, 9, strategy)
    return compressor.compress(content) + compressor.flush()


def with_header_fields(content):
    """A gzip member with every optional field, the header's checksum included."""
    header = b"\x1f\x8b\x08\x1f" + bytes(4) + b"\x02\xff"
    header += struct.pack("<H", 6) + b"AB\x02\x00xy" + b"a name\0" + b"a comment\0"
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    return header + deflated(content)[10:]


def idx(code, array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def files():
    for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]:
        yield f"{code}.npy", npy(numbers(code, (2, 3, 4)))
        if code[1] != "1":
            yield f"{code}_big.npy", npy(numbers(code, (2, 3, 4), ">"))
    yield "scalar.npy", npy(numbers("f4", ()))
    yield "vector.npy", npy(numbers("f4", (5,)))
    yield "matrix.npy", npy(numbers("f4", (5, 7)))
    yield "wide.npy", npy(numbers("f4", (1, 2, 1, 3, 1, 2, 1, 1, 2, 1, 1, 1)))
    yield "empty.npy", npy(numbers("f4", (3, 0, 2)))
    yield "columns.npy", npy(np.asfortranarray(numbers("f4", (2, 3, 4))))
    yield "columns_i2_big.npy", npy(np.asfortranarray(numbers("i2", (5, 7), ">")))
    yield "version_2.npy", npy(numbers("f4", (2, 3)), (2, 0))
    yield "version_3.npy", npy(numbers("f4", (2, 3)), (3, 0))
    yield "objects.npy", npy(np.array([None, "text"], dtype=object))
    yield "records.npy", npy(np.zeros(3, dtype=[("a", "<f4"), ("b", "<i4")]))
    yield "complex.npy", npy(np.zeros(3, dtype="<c8"))

    arrays = {"kernel": numbers("f4", (3, 4)), "bias": numbers("f4", (4,)), "ü scalar": numbers("f4", ())}
    yield "stored.npz", npz(np.savez, **arrays)
    yield "compressed.npz", npz(np.savez_compressed, **arrays | {"counts": numbers("i8", (40, 30))})
    yield "zipfile.npz", zipped([("a.npy", npy(numbers("f4", (2, 3))), zipfile.ZIP_DEFLATED),
                                 ("b.npy", npy(numbers("u1", (5,))), zipfile.ZIP_STORED)], b"a comment")
    yield "directory_64.npz", zipped_64([("a.npy", npy(numbers("f4", (2, 3))), zipfile.ZIP_STORED),
                                         ("b.npy", npy(numbers("u1", (5,))), zipfile.ZIP_DEFLATED)])
    yield "no_arrays.npz", npz(np.savez)
    yield "bzip2.npz", zipped([("a.npy", npy(numbers("f4", (2, 3))), zipfile.ZIP_BZIP2)])
    yield "text.zip", zipped([("folder/text.txt", skewed(3000), zipfile.ZIP_DEFLATED)])

    content = skewed(70_000)
    yield "gzip.gz", gzip.compress(content, mtime=0)
    yield "stored.gz", deflated(content[:3000], level=0)
    yield "fixed.gz", deflated(content[:3000], strategy=zlib.Z_FIXED)
    yield "huffman.gz", deflated(content[:3000], strategy=zlib.Z_HUFFMAN_ONLY)
    yield "runs.gz", deflated(bytes(100_000))
    yield "fields.gz", with_header_fields(content[:300])
    yield "members.gz", b"".join(gzip.compress(part, mtime=0) for part in (content[:300], b"", content[300:700]))
    yield "empty.gz", gzip.compress(b"", mtime=0)

    for name, code, dtype in [("ubyte", 8, "u1"), ("sbyte", 9, "i1"), ("short", 11, "i2"), ("int", 12, "i4"),
                              ("float", 13, "f4"), ("double", 14, "f8")]:
        yield f"idx3-{name}", idx(code, numbers(dtype, (2, 3, 4)))
    yield "idx0-int", idx(12, numbers("i4", ()))
    yield "idx1-ubyte.gz", gzip.compress(idx(8, numbers("u1", (5,))), mtime=0)
    yield from pictures.files()


def write_all():
    FOLDER.mkdir(exist_ok=True)
    written = {name: content for name, content in files()}
    for name, content in written.items():
        (FOLDER / name).write_bytes(content)
    for path in FOLDER.iterdir():
        if path.name not in written:
            path.unlink()  # of a file that was renamed or dropped
    print(f"{len(written)} files of other formats, {sum(map(len, written.values())):,} bytes")


if __name__ == "__main__":
    write_all()
