/// What kind of file some bytes are, by how they begin: a reader that was handed another kind than its own says which it
/// is, and what to do with it.
enum FileKind: Equatable, CaseIterable {
    case safeTensors
    /// The list of a model's parts that are safetensors files of their own, `….safetensors.index.json`.
    case safeTensorsIndex
    case numPyArray
    case numPyArchive
    case idx
    case gzip
    /// Compressed by bzip2, xz or zstd.
    case compressed
    /// A zip archive of something else than the kinds here.
    case zip
    /// What `torch.save` writes, a zip archive.
    case torch
    /// What it wrote before PyTorch 1.6, pickles one behind the other.
    case legacyTorch
    /// What `torch.jit.save` writes.
    case torchScript
    case pickle
    /// What Keras 3 saves, `.keras`.
    case keras
    /// Of Keras before, `.h5`, and of others.
    case hdf5
    case onnx
    case gguf
    case tensorFlowLite
    case png
    case jpeg
    case gif
    /// In a container: MP4 and QuickTime, AVI, Matroska and WebM.
    case video
    case gitLFSPointer
    case webPage
    case json
    case table
    case text

    /// How the files of some kinds begin.
    private static let beginnings: [(kind: FileKind, bytes: [UInt8])] = [
        (.numPyArray, NumPyHeader.magic),
        (.gzip, [0x1F, 0x8B]),
        (.compressed, Array("BZh".utf8)), (.compressed, [0xFD] + Array("7zXZ".utf8)),
        (.compressed, [0x28, 0xB5, 0x2F, 0xFD]),
        (.hdf5, [0x89] + Array("HDF\r\n\u{1A}\n".utf8)),
        (.gguf, Array("GGUF".utf8)),
        (.png, PNG.signature), (.jpeg, [0xFF, 0xD8, 0xFF]), (.gif, Array("GIF8".utf8)),
        (.video, [0x1A, 0x45, 0xDF, 0xA3]),
    ]

    /// The number that torch.save wrote first into its pickles, with its instruction.
    private static let legacyNumber: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// Nil for bytes that begin like nothing known here.
    ///
    /// - Complexity: O(1), of zip archives O(*n* log *n*) in the number of entries, of JSON O(*n*) in the bytes.
    init?(_ bytes: [UInt8]) {
        if Self.isSafeTensors(bytes) {
            self = .safeTensors
        } else if let kind = Self.beginnings.first(where: { bytes.starts(with: $0.bytes) })?.kind {
            self = kind
        } else if bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0x50, 0x4B, 5, 6]) {
            self = Self.kind(ofZip: bytes)
        } else if bytes.count >= 8, bytes[4..<8].elementsEqual("TFL3".utf8) {
            self = .tensorFlowLite
        } else if Self.isVideo(bytes) {
            self = .video
        } else if bytes.count >= 4, bytes[0] == 0, bytes[1] == 0, IDX.types[bytes[2]] != nil, bytes[3] < 8 {
            self = .idx
        } else if Self.isLegacyTorch(bytes) {
            self = .legacyTorch
        } else if bytes.count >= 3, bytes[0] == 0x80, (2...5).contains(bytes[1]), bytes.last == UInt8(ascii: ".") {
            self = .pickle
        } else if Self.isONNX(bytes) {
            self = .onnx
        } else if let kind = Self.kind(ofText: bytes) {
            self = kind
        } else {
            return nil
        }
    }

    /// A length that a header may have, and the brace that begins it.
    private static func isSafeTensors(_ bytes: [UInt8]) -> Bool {
        let start = SafeTensorsHeader.prefixLength
        return bytes.count > start && bytes[start] == UInt8(ascii: "{")
            && bytes.littleEndian(UInt64.self, at: 0) <= UInt64(SafeTensorsHeader.lengthLimit)
    }

    /// A protocol, from 4 on a frame, and the number.
    private static func isLegacyTorch(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 2 && bytes[0] == 0x80
            && bytes.dropFirst(bytes[1] < 4 ? 2 : 11).starts(with: legacyNumber)
    }

    /// Field 1 of protobuf's ModelProto, `ir_version`, from 3 on, and behind it the tag of one of its other fields.
    private static func isONNX(_ bytes: [UInt8]) -> Bool {
        let tags: [UInt8] = [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72]
        return bytes.count >= 4 && bytes[0] == 0x08 && (3..<0x80).contains(bytes[1]) && tags.contains(bytes[2])
    }

    /// A box of type ftyp, as MP4 and QuickTime begin, or a RIFF of AVI.
    private static func isVideo(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 12
            && (bytes[4..<8].elementsEqual("ftyp".utf8)
                || bytes.starts(with: "RIFF".utf8) && bytes[8..<12].elementsEqual("AVI ".utf8))
    }

    private static func kind(ofZip bytes: [UInt8]) -> FileKind {
        let names = ZipDirectory.names(bytes)
        func has(_ suffix: String) -> Bool { names.contains { $0.hasSuffix(suffix) } }
        if has("/data.pkl") {
            return has("/constants.pkl") || names.contains { $0.contains("/code/") } ? .torchScript : .torch
        }
        if names.contains("config.json"), has(".weights.h5") { return .keras }
        return has(NumPyArchive.suffix) || names.isEmpty ? .numPyArchive : .zip
    }

    private static func kind(ofText bytes: [UInt8]) -> FileKind? {
        var text = bytes.prefix(1 << 12)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        // No control characters, and at least half of it ASCII.
        guard !text.isEmpty, text.count(where: { $0 > 0x7F }) * 2 <= text.count,
            text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || (0x09...0x0D).contains($0) })
        else { return nil }
        let word = text.drop { $0 <= 0x20 }
        switch word.first {
        case UInt8(ascii: "<"): return .webPage
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return contains(Array("\"weight_map\"".utf8), bytes) ? .safeTensorsIndex : .json
        case nil: return .text
        default:
            if word.starts(with: "version https://git-lfs".utf8) { return .gitLFSPointer }
            // As many separators in the first line as in the second, and any.
            let lines = word.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false).prefix(2)
            let counts = lines.map { line in
                line.count { $0 == 0x09 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") }
            }
            return counts.count == 2 && counts[0] == counts[1] && counts[0] > 0 ? .table : .text
        }
    }

    private static func contains(_ word: [UInt8], _ bytes: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0] == word[0] && bytes[$0...].starts(with: word) }
    }
}

// MARK: - Sentences

extension FileKind {
    /// What it is, with an article.
    var name: String {
        switch self {
        case .safeTensors: "a safetensors file"
        case .safeTensorsIndex: "the index of a model in several safetensors files"
        case .numPyArray: "an array of NumPy, .npy"
        case .numPyArchive: "an archive of NumPy, .npz"
        case .idx: "an IDX file, as MNIST's"
        case .gzip: "a gzip file"
        case .compressed: "a compressed file"
        case .zip: "a zip archive"
        case .torch: "a PyTorch file, as torch.save writes it"
        case .legacyTorch: "a PyTorch file, as torch.save wrote it before PyTorch 1.6"
        case .torchScript: "a TorchScript file, as torch.jit.save writes it"
        case .pickle: "a pickle of Python"
        case .keras: "a Keras model"
        case .hdf5: "an HDF5 file, as Keras' .h5"
        case .onnx: "an ONNX model"
        case .gguf: "a GGUF file"
        case .tensorFlowLite: "a TensorFlow Lite model"
        case .png: "a PNG image"
        case .jpeg: "a JPEG image"
        case .gif: "a GIF"
        case .video: "a video"
        case .gitLFSPointer: "a pointer of Git LFS, which stands for the file"
        case .webPage: "a web page or XML"
        case .json: "a JSON text"
        case .table: "a table in text, as CSV"
        case .text: "a text"
        }
    }

    /// What makes the right file of it, whichever was expected.
    var remedy: String? {
        switch self {
        case .gitLFSPointer: "Fetch the file itself with git lfs pull."
        case .webPage:
            "The address gave a page and not the file; download the file itself, from Hugging Face with /resolve/ in the address instead of /blob/."
        case .gzip, .compressed, .zip: "Unpack it first."
        case .jpeg, .gif, .video:
            "Make a folder of PNGs of it, one a frame: \(Self.makingFrames)"
        default: nil
        }
    }

    /// How ffmpeg makes numbered PNGs of what has frames.
    static let makingFrames = "mkdir CLIP && ffmpeg -i FILE -vf scale=64:64 CLIP/%04d.png"

    /// What to do with the file at `path` where tensors were expected.
    func advice(path: String) -> String? {
        /// A text of Python's.
        func quoted(_ text: some StringProtocol) -> String { JSON.string(String(text)).serialized() }
        // The same name with another ending.
        let stem = path.lastIndex(of: ".").flatMap { path[$0...].contains("/") ? nil : path[..<$0] } ?? path[...]
        let (source, safeTensors, npz) = (quoted(path), quoted(stem + ".safetensors"), quoted(stem + ".npz"))
        func python(_ modules: String, _ call: String) -> String { "\n    import \(modules)\n    \(call)" }
        let saving = "Save it as safetensors in Python:"
        switch self {
        case .torch: return "Open it by its path with Network(path:), StateDictionary, TorchFile, run or info."
        case .legacyTorch:
            let load = "torch.load(\(source), map_location=\"cpu\", weights_only=True)"
            return "Save it again in Python, in the form of today:"
                + python("torch", "torch.save(\(load), \(quoted(stem + ".new.pt")))")
        case .torchScript:
            let dictionary = "torch.jit.load(\(source), map_location=\"cpu\").state_dict()"
            return "Save its state dict in Python:"
                + python("torch", "torch.save(\(dictionary), \(quoted(stem + ".state.pt")))")
        case .numPyArray:
            return saving
                + python(
                    "numpy, safetensors.numpy",
                    "safetensors.numpy.save_file({\"input\": numpy.load(\(source))}, \(safeTensors))")
        case .numPyArchive:
            return saving
                + python(
                    "numpy, safetensors.numpy",
                    "safetensors.numpy.save_file(dict(numpy.load(\(source))), \(safeTensors))")
        case .table:
            return "Save its numbers in Python, with its own delimiter, and skiprows=1 where it begins with names:"
                + python(
                    "numpy",
                    "numpy.save(\(quoted(stem + ".npy")), numpy.loadtxt(\(source), delimiter=\",\", dtype=\"f4\"))")
        case .keras, .hdf5:
            return "Save a model's arrays in Python, and read them with Network(keras:):"
                + python("keras, numpy", "numpy.savez(\(npz), *keras.models.load_model(\(source)).get_weights())")
        case .onnx:
            let arrays = "{t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(\(source)).graph.initializer}"
            return "Save its arrays in Python, and read those of a node with Network(onnx:):"
                + python("numpy, onnx.numpy_helper", "numpy.savez(\(npz), **\(arrays))")
        case .pickle: return "Loading it could run any code; save its arrays as safetensors where it was made."
        case .gguf, .tensorFlowLite: return "Take the model that it was made from, as safetensors."
        case .safeTensorsIndex:
            return "Open it by its path, with the files that it names beside it: Network(path:), run, info."
        case .json, .png, .jpeg, .gif, .video:
            return "The weights are in another file, as a rule model.safetensors beside it."
        default: return remedy
        }
    }
}
