@_spi(Laboratory) import FastWeights

/// Arrays and names that no file can hold, and parts of files that are of others.
extension Case {
    private static var weights: WeightArray { WeightArray(shape: [2, 2], values: [1, 2, 3, 4]) }

    static let files: [Case] = [
        Case(
            "array-count", "an array of shape [2, 3] has 6 numbers; 1 were given",
            WeightArray(shape: [2, 3], values: [1])),
        Case(
            "array-changed", "an array of shape [5, 2] has 10 numbers; 4 were given",
            doing: {
                var changed = weights
                changed.shape = [5, 2]
                _ = try Network(keras: [changed, changed])
            }),
        Case(
            "convolutional-array-changed", "an array of shape [5, 2] has 10 numbers; 4 were given",
            doing: {
                var changed = weights
                changed.shape = [5, 2]
                _ = try Network(kerasConvolutionalLSTMs: [changed], height: 2, width: 2)
            }),
        Case(
            "node-changed", "an array of shape [1, 1, 9] has 9 numbers; 4 were given",
            doing: {
                var changed = weights
                changed.shape = [1, 1, 9]
                _ = try Network(onnx: [ONNXWeights(input: changed, recurrent: changed)])
            }),
        Case(
            "tensor-twice", "two tensors are named w",
            StateDictionary([("w", [1], [1]), ("w", [1], [2])])),
        Case(
            "tensor-count", "the tensor w of shape [2] has 2 numbers; 1 were given", StateDictionary([("w", [2], [1])])),
        Case(
            "safetensors-count", "the tensor \"w\" of shape [2] has 2 numbers; 1 were given",
            SafeTensors.serialize([("w", [2], [1])])),
        Case(
            "safetensors-negative",
            "the tensor \"w\" has the shape [-1]; sizes are at least 0, and their product is at most \(Int.max)",
            SafeTensors.serialize([("w", [-1], [])])),
        Case(
            "safetensors-twice", "the tensor name \"w\" is reserved or given twice",
            SafeTensors.serialize([("w", [1], [1]), ("w", [1], [1])])),
        Case(
            "metadata-twice", "the metadata key \"k\" is given twice",
            SafeTensors.serialize([], metadata: [("k", "1"), ("k", "2")])),
        Case(
            "npy-count", "an array of shape [2] has 2 numbers; 1 were given",
            NumPyArray.serialize(shape: [2], values: [1])),
        Case(
            "npy-too-large",
            "an array has the shape [\(Int.max), 2]; sizes are at least 0, and their product is at most \(Int.max)",
            NumPyArray.serialize(shape: [.max, 2], values: [1])),
        Case(
            "npy-rank", "a NumPy array has at most 64 sizes, found 65",
            NumPyArray.serialize(shape: [Int](repeating: 1, count: 65), values: [1])),
        Case(
            "npz-twice", "two entries of a zip archive are named \"w.npy\"",
            NumPyArchive.serialize([("w", [1], [1]), ("w", [1], [1])])),
        Case(
            "zip-name", "the name of a zip archive's entry has at most 65535 bytes, found 65536",
            ZipArchive.serialize([(String(repeating: "w", count: 65_536), [])])),
        Case(
            "zip-entry",
            "the entry \"w\" ends at byte 151 and is of another archive than this of 22",
            doing: {
                let large = try ZipArchive(
                    bytes: ZipArchive.serialize([("w", [UInt8](repeating: 0, count: 100))]), source: "large")
                let empty = try ZipArchive(bytes: ZipArchive.serialize([]), source: "empty")
                _ = try empty.content(of: large.entries[0])
            }),
        Case(
            "gzip-limit", "a limit of bytes is at least 0, found -1",
            try Gzip.decompress([0x1F, 0x8B], source: "x", limit: -1)),
    ]
}
