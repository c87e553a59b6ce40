extension Command {
    /// `fastweights info`.
    ///
    /// - Parameter advice: What would be faster on this processor than this build, a sentence without a full stop.
    static func info(advice: String?) -> Command {
        Command(
            name: "info", summary: "Show the version and machine, or what a file of tensors holds",
            discussion: """
                With a file, safetensors, .npz or .npy, what torch.save wrote (.pt), or the
                index.json of a model in several files: its tensors, the number of parameters,
                the metadata, and the recurrent networks in it with their sizes, of PyTorch's
                state dicts too. Of a .pt also the numbers and texts beside the tensors.
                """,
            positionals: [
                Positional(name: "file", arity: .optional, help: "Safetensors, .pt, .npz, .npy or an index.json")
            ],
            examples: ["info", "info model.safetensors"]
        ) { arguments in
            guard let path = arguments.positional("file").first else {
                Terminal.write(InfoReport.text(advice: advice))
                return 0
            }
            var report = try FileReport(path: path)
            report.width = Terminal.tableWidth()
            Terminal.write(try report.text)
            return 0
        }
    }
}

/// What `fastweights info` prints, and a bug report should begin with.
enum InfoReport {
    static func text(advice: String?) -> String {
        """
        Version           \(CommandLineTool.version)
        Operating system  \(Machine.operatingSystem), \(Machine.architecture)
        Cores             \(Machine.coreCount)
        Instructions      \(Machine.instructionSet)
        Multiply-add      \(Machine.trait.map { "fused, built with the trait \($0)" } ?? "separate, portable build")

        """ + (advice.map { "Faster here       \($0)\n" } ?? "")
    }
}

/// What `fastweights info FILE` prints.
struct FileReport {
    /// Columns that there are.
    var width = Int.max
    private let file: TensorFile

    init(path: String) throws { file = try TensorFile(path: path) }

    var text: String {
        get throws {
            let entries = try file.entries
            let tensors = entries.compactMap { try? $0.get() }
            let parameters = tensors.filter { $0.isFloatingPoint ?? false }.reduce(0) { $0 + $1.count }
            let others = Set(tensors.filter { $0.isFloatingPoint == nil }.map(\.type)).sorted()
            let parts = file.safeTensors?.partCount ?? 1
            var lines = [
                (
                    "File",
                    "\(file.path), \(FixedPoint.grouped(file.size)) bytes\(parts > 1 ? " in \(parts) parts" : "")"
                ),
                (
                    "Parameters",
                    "\(FixedPoint.grouped(parameters)) in \(entries.count) tensors"
                        + (others.isEmpty ? "" : ", without those of the types \(others.joined(separator: ", "))")
                ),
            ]
            lines += try networks.map { ("Network", $0) }
            if let others = file.torch?.others {
                // As many as one reads; a checkpoint may hold a vocabulary.
                lines += others.prefix(50).map { ("Value", "\($0.name): \($0.text)") }
                if others.count > 50 { lines.append(("Value", "and \(others.count - 50) more")) }
            }
            if let file = file.safeTensors {
                lines += file.metadata.sorted { $0.key < $1.key }.map { ("Metadata", "\($0.key): \($0.value)") }
            }
            for case .failure(let error) in entries { lines.append(("Unreadable", "\(error)")) }
            let head = lines.map { label, text in
                let lines = LineBreaks.lines(TextTable.singleLine(text), width: max(width - 12, 20))
                return TextTable.padded(label, to: 12) + lines.joined(separator: "\n" + TextTable.padded("", to: 12))
                    + "\n"
            }.joined()
            var table = TextTable(["tensor", "type", "shape", "numbers"], alignments: [.left, .left, .left, .right])
            for tensor in tensors {
                table.add([tensor.name, tensor.type, "\(tensor.shape)", FixedPoint.grouped(tensor.count)])
            }
            return head + (tensors.isEmpty ? "" : "\n" + table.plain(width: width))
        }
    }

    /// A line a network in the file: its sizes, or why it is none.
    private var networks: [String] {
        get throws {
            guard let dictionary = try file.stateDictionary else { return [] }
            if let configuration = try Network.configuration(of: dictionary) {
                _ = try dictionary.parameters(configuration.layout)
                return [configuration.summary]
            }
            return dictionary.recurrentPrefixes.map { prefix in
                let name = prefix.isEmpty ? "" : "\(prefix) "
                do {
                    return name
                        + (try dictionary.network(prefix: prefix).configuration.summary(isActivationKnown: false))
                } catch {
                    return name + "cannot be used: \(error)"
                }
            }
        }
    }
}

extension NetworkConfiguration {
    /// What it reads, and its layers with their options, in one line.
    var summary: String { summary(isActivationKnown: true) }

    /// The same; a state dict does not tell an RNN's activation.
    fileprivate func summary(isActivationKnown: Bool) -> String {
        ([definition.input.text] + layers.map { $0.summary(isActivationKnown) }).joined(separator: " → ")
    }
}

extension Layer {
    fileprivate func summary(_ isActivationKnown: Bool) -> String {
        let options = kind.options.map { option in
            let isOpen = option.key == "activation" && !isActivationKnown && kind is RNNLayer
            return "\(option.key) \(isOpen ? "tanh or relu" : Self.text(option.value, isActivationKnown))"
        }
        return kind.name + (options.isEmpty ? "" : "(\(options.joined(separator: ", ")))")
    }

    private static func text(_ value: JSON, _ isActivationKnown: Bool) -> String {
        if case .array(let elements) = value {
            return "[\(elements.map { text($0, isActivationKnown) }.joined(separator: ", "))]"
        }
        return (try? Layer(json: value))?.summary(isActivationKnown) ?? value.text ?? value.serialized()
    }
}
