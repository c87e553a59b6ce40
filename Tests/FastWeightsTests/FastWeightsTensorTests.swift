import Foundation
import Testing

@testable import FastWeights

/// Fast weights from a file without our metadata, by the names, shapes and order of norms that the article
/// "Importing from PyTorch" gives; and its schema of the metadata.
@Suite struct FastWeightsTensorTests {
    private static let article: String = {
        let folder = #filePath.dropLast("Tests/FastWeightsTests/FastWeightsTensorTests.swift".count)
        let path = folder + "Sources/FastWeights/FastWeights.docc/ImportingFromPyTorch.md"
        return (try? String(contentsOfFile: String(path), encoding: .utf8)) ?? ""
    }()

    /// The cells of the table with this head, row by row.
    private static func table(_ head: String) throws -> [[String]] {
        let start = try #require(article.range(of: "\n| \(head) |\n| --- |"), "no table \(head)")
        return article[start.upperBound...].split(separator: "\n").dropFirst().prefix { $0.hasPrefix("| ") }.map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
    }

    private static func unquoted(_ cell: String) -> String { cell.trimmingCharacters(in: ["`"]) }

    private static let options = [
        FastWeightsOptions(), FastWeightsOptions(innerSteps: 3, hasSeparateNorms: true),
        FastWeightsOptions(innerSteps: 2, normalizesFirst: true, hasSeparateNorms: true),
        FastWeightsOptions(innerSteps: 0), FastWeightsOptions(innerSteps: 2, hasLayerNorm: false),
    ]

    @Test(arguments: options, [true, false])
    func theTableHasTheNamesAndShapes(options: FastWeightsOptions, hasBias: Bool) throws {
        let norms = options.hasLayerNorm ? options.innerSteps + (options.normalizesFirst ? 1 : 0) : 0
        let sizes = ["H": 5, "I": 3, "N": norms]
        var expected: [String] = []
        for row in try Self.table("tensor | shape | what it is") {
            let forms = row[1].split(separator: ";")
            let shape = options.hasSeparateNorms ? forms[forms.count - 1] : forms[0]
            let list = try #require(shape.firstMatch(of: /\[(?<sizes>[^\]]*)\]/)).sizes
            if row[0].contains("bias_ih") && !hasBias || row[0].contains("norm_") && norms == 0 { continue }
            let numbers = try list.split(separator: ", ").map { try #require(sizes[String($0)]) }
            expected.append("\(Self.unquoted(row[0])) \(numbers)")
        }
        #expect(expected.count >= 2)
        let configuration = NetworkConfiguration(
            .numbers(3), [NamedLayer(layer: .fastWeights(5, options, hasBias: hasBias), prefix: "")])
        #expect(configuration.layout.windows.map { "\($0.name) \($0.shape)" } == expected)
    }

    /// A file with nothing but tensors, in another order, of an encoder and a head.
    private static let tensors = [
        ("head.weight", [5, 20]), ("head.bias", [5]), ("rnn.norm_bias_l0", [3, 20]), ("rnn.norm_weight_l0", [3, 20]),
        ("rnn.bias_ih_l0", [20]), ("rnn.weight_hh_l0", [20, 20]), ("rnn.weight_ih_l0", [20, 3]),
    ].enumerated().map { i, tensor in
        (name: tensor.0, shape: tensor.1, values: CellTests.random(tensor.1.reduce(1, *), UInt64(i + 1)))
    }

    /// What the equations in the articles give of these tensors.
    private static func outputs(_ input: [Float]) -> [Double] {
        let numbers = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.values.map(Double.init)) })
        func product(_ name: String, _ x: [Double]) -> [Double] {
            let w = numbers[name]!
            return (0..<w.count / x.count).map { r in x.indices.reduce(0) { $0 + w[r * x.count + $1] * x[$1] } }
        }
        func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
        func f(_ z: [Double], norm row: Int) -> [Double] {
            let mean = z.reduce(0, +) / 20
            let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20
            return z.indices.map { r in
                let (gain, bias) = (
                    numbers["rnn.norm_weight_l0"]![row * 20 + r], numbers["rnn.norm_bias_l0"]![row * 20 + r]
                )
                return max(0, gain * (z[r] - mean) / (variance + 1e-5).squareRoot() + bias)
            }
        }
        var (h, A) = (
            [Double](repeating: 0, count: 20), [[Double]](repeating: .init(repeating: 0, count: 20), count: 20)
        )
        for t in 0..<input.count / 3 {
            let x = input[t * 3..<t * 3 + 3].map(Double.init)
            let b = sum(sum(product("rnn.weight_hh_l0", h), product("rnn.weight_ih_l0", x)), numbers["rnn.bias_ih_l0"]!)
            h = f(b, norm: 0)
            for s in 0..<2 { h = f(sum(b, A.map { row in zip(row, h).reduce(0) { $0 + $1.0 * $1.1 } }), norm: 1 + s) }
            for r in h.indices { for c in h.indices { A[r][c] = 0.95 * A[r][c] + 0.5 * h[r] * h[c] } }
        }
        return sum(product("head.weight", h), numbers["head.bias"]!)
    }

    private static func file(metadata: [(String, String)] = []) throws -> SafeTensors {
        try SafeTensors(bytes: SafeTensors.serialize(tensors, metadata: metadata), source: "file")
    }

    private static let cell = FastWeightsOptions(innerSteps: 2, normalizesFirst: true, hasSeparateNorms: true)
    private static let layers: [(layer: Layer, name: String)] = [
        (.fastWeights(20, cell), "rnn"), (.lastStep, ""), (.dense(5), "head"),
    ]

    @Test func tensorsByTheseNamesGiveWhatTheEquationsGive() throws {
        let network = try Network(StateDictionary(Self.file()), .numbers(3), Self.layers)
        let input = CellTests.random(4 * 3, 9)
        let expected = Self.outputs(input)
        let scale = expected.map(abs).max()!
        for (found, value) in zip(network.run(input, steps: 4, batch: 1).outputs, expected) {
            #expect(abs(Double(found) - value) < 1e-5 * scale)
        }
        // With the article's metadata the same file needs no list.
        let json = try #require(Self.article.firstMatch(of: /```json\n(?<text>[^`]*)```/)).text
        let format = try #require(Self.table("key | text").first { $0[0] == "`format`" })
        let metadata = [("format", Self.unquoted(format[1])), ("config", String(json))]
        let own = try Network(Self.file(metadata: metadata))
        #expect(own.configuration.layers == network.configuration.layers)
        expectSame(own.parameters.block.array, network.parameters.block.array)
    }

    /// Options are not guessed: without a list, and with one that does not fit, an error says what to do.
    @Test func whatNoNameTellsHasToBeSaid() throws {
        func problem(_ body: () throws -> Network) -> String {
            do {
                _ = try body()
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            problem { try Network(Self.file()) }
                == "file: rnn.bias_ih_l0 without rnn.bias_hh_l0, rnn.norm_bias_l0, rnn.norm_weight_l0 of a layer like "
                + ".fastWeights(20, options), whose options the names do not tell; give the layers, as "
                + "Network(dictionary, .numbers(3), [(.fastWeights(20, options), \"rnn\")]).")
        let others = [(Layer.fastWeights(20, FastWeightsOptions(hasLayerNorm: false)), "rnn")]
        #expect(
            problem { try Network(StateDictionary(Self.file()), .numbers(3), others) }
                == "file: unexpected tensors: rnn.norm_bias_l0, rnn.norm_weight_l0.")
        let shared = [(Layer.fastWeights(20), "rnn")]
        #expect(
            problem { try Network(StateDictionary(Self.file()), .numbers(3), shared) }
                == "file: wrong shapes: rnn.norm_weight_l0 [3, 20] instead of [20], rnn.norm_bias_l0 [3, 20] instead of [20]."
        )
        for (layer, text) in [
            (Layer.rnn(4, hasLayerNorm: true), ".rnn(4, hasLayerNorm: true)"),
            (.lstm(4, hasLayerNorm: true), ".lstm(4, hasLayerNorm: true)"),
            (.fastWeights(4, hasBias: false), ".fastWeights(4, options)"),
            (.associativeLSTM(4), "by a list of layers and names"),
        ] {
            let tensors = Network(NetworkConfiguration(.numbers(2), [layer]), seed: 1).tensors()
            let found = problem { try StateDictionary(tensors).network() }
            #expect(found.contains(text) && !found.contains("missing"), "\(found)")
        }
    }

    @Test func theMetadataIsAsTheArticleSays() throws {
        let network = Network(
            NetworkConfiguration(.numbers(3), Self.layers.map(\.layer)), seed: 1, labels: ["a", "b", "c", "d", "e"])
        let file = try SafeTensors(bytes: network.serialized(), source: "file")
        let keys = try Self.table("key | text")
        #expect(keys.map { Self.unquoted($0[0]) }.sorted() == file.metadata.keys.sorted())
        #expect(file.metadata["format"] == Self.unquoted(keys[0][1]))

        // All options, with the values that they have where they are left out.
        let rows = try Self.table("option | value | in Swift")
        let kind = Layer.fastWeights(20).kind
        let names = Set(kind.options.map(\.key) + kind.unwrittenOptions)
        #expect(Set(rows.map { Self.unquoted($0[0]) } + ["hidden"]) == names && rows.count == names.count - 1)
        let options = rows.map { "\"\(Self.unquoted($0[0]))\": \(Self.unquoted($0[1]))" }.joined(separator: ", ")
        let layer = try Layer(
            json: try JSON(parsing: "{\"layer\": \"fast_weights\", \"hidden\": 20, \(options)}".utf8))
        #expect(layer == .fastWeights(20))
    }
}
