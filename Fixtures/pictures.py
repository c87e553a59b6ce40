"""PNG files by Pillow and by hand, and a file of TensorFlow's records packed by hand, for Fixtures/files.

A picture of H rows and W columns has in channel c of the pixel (y, x) the byte (37 y² + 11 x c + 5 x + 29 c) mod 256; of a
palette of 20 colors, which Pillow needs 8 bits for, the entry (x + 3 y) mod 7. A clip b has in byte k of frame t (50 b + 20 t + 7 k) mod 256, as its second
camera sees it 100 more; its action is b + t / 4 + n / 16, its state the negative of that.
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 6, 5


def pixels(channels):
    y, x, c = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), np.arange(channels), indexing="ij")
    return ((37 * y * y + 11 * x * c + 5 * x + 29 * c) % 256).astype(np.uint8)


def palette():
    return [value % 256 for i in range(20) for value in (40 * i, 255 - 30 * i, 17 * i)]


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def colored():
    y, x = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")
    image = Image.fromarray(((x + 3 * y) % 7).astype(np.uint8), "L").convert("P")
    image.putdata(((x + 3 * y) % 7).ravel().tolist())
    image.putpalette(palette())
    return image


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def filtered(rows, step):
    """Each row by another filter, all five in turn."""
    result = b""
    above = [0] * len(rows[0])
    for number, row in enumerate(rows):
        kind = number % 5
        line = [kind]
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            nearest = min((abs(above[i] - corner), 0, left), (abs(left - corner), 1, above[i]),
                          (abs(left + above[i] - 2 * corner), 2, corner))[2]
            line.append((value - [0, left, above[i], (left + above[i]) // 2, nearest][kind]) % 256)
        result += bytes(line)
        above = row
    return result


def by_hand(channels):
    """Every filter, the data in three chunks, and chunks that need not be known."""
    rows = pixels(channels).reshape(HEIGHT, -1).astype(int).tolist()
    data = zlib.compress(filtered(rows, channels), 9)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"gAMA", struct.pack(">I", 45455))
            + chunk(b"IDAT", data[:5]) + chunk(b"IDAT", b"") + chunk(b"IDAT", data[5:]) + chunk(b"tEXt", b"a\0b")
            + chunk(b"IEND", b""))


def crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content):
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def record(content):
    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def varint(number):
    result = b""
    while number >= 0x80:
        result, number = result + bytes([number & 0x7F | 0x80]), number >> 7
    return result + bytes([number])


def field(number, content):
    return varint(8 * number + 2) + varint(len(content)) + content


def example(features):
    """tf.train.Example of (name, list's kind, its values encoded) each."""
    return field(1, b"".join(field(1, field(1, name.encode()) + field(2, field(kind, values)))
                             for name, kind, values in features))


def clips(count=3, frames=4, side=6):
    for b in range(count):
        features = [("length", 3, field(1, varint(frames))), ("name", 1, field(1, b"clip") + field(1, b"\xff"))]
        for t in range(frames):
            k = np.arange(3 * side * side)
            action = [b + t / 4 + n / 16 for n in range(4)]
            for camera, more in (("image_main", 0), ("image_aux1", 100)):
                features.append((f"{t}/{camera}/encoded", 1,
                                 field(1, bytes(((50 * b + 20 * t + 7 * k + more) % 256).astype(np.uint8)))))
            # Floats packed, as TensorFlow writes them, and one by one, as older writers did.
            features.append((f"{t}/action", 2, field(1, struct.pack("<4f", *action))))
            features.append((f"{t}/endeffector_pos", 2, b"".join(b"\x0d" + struct.pack("<f", -a) for a in action[:3])))
        yield record(example(features))


def files():
    yield "gray.png", saved(Image.fromarray(pixels(1)[:, :, 0]))
    yield "gray_alpha.png", saved(Image.fromarray(pixels(2)))
    yield "rgb.png", saved(Image.fromarray(pixels(3)))
    yield "rgba.png", saved(Image.fromarray(pixels(4)))
    yield "palette.png", saved(colored())
    yield "palette_alpha.png", saved(colored(), transparency=bytes([0, 100, 200]))
    yield "deep.png", saved(Image.fromarray(pixels(1)[:, :, 0].astype(np.uint16) * 257))
    yield "bits.png", saved(Image.fromarray(pixels(1)[:, :, 0] > 99))
    for channels in range(1, 5):
        content = by_hand(channels)
        read = np.asarray(Image.open(io.BytesIO(content))).reshape(HEIGHT, WIDTH, channels)
        assert (read == pixels(channels)).all()
        yield f"filters_{channels}.png", content
    yield "clips.tfrecord", b"".join(clips())
