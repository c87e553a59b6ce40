import Testing

@testable import FastWeights

/// What other codes' convolutional LSTMs compute is in the golden cases; here is where their gates go, and what must be
/// refused.
@Suite struct ConvolutionalWeightsTests {
    typealias Tensors = StateDictionaryTests.Tensors

    private static func network(_ code: ConvolutionalLSTMCode, _ tensors: Tensors, prefix: String? = nil) throws
        -> Network
    {
        try StateDictionary(tensors, source: "file").convolutionalNetwork(of: code, height: 2, width: 3, prefix: prefix)
    }

    private static func problem(_ code: ConvolutionalLSTMCode, _ tensors: Tensors, prefix: String? = nil) -> String? {
        do {
            _ = try network(code, tensors, prefix: prefix)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A cell of one map that reads one map, filters of one number: four gates of x and of h, 1 to 8, and biases.
    private static func cell(_ name: String, bias: Bool = true) -> Tensors {
        [("\(name)conv.weight", [4, 2, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8])]
            + (bias ? [("\(name)conv.bias", [4], [10, 20, 30, 40])] : [])
    }

    @Test func everyCodeHasItsOwnOrder() throws {
        let ndrplz = try Self.network(.ndrplz, Self.cell("cell_list.0."))
        #expect(ndrplz.parameters["0.weight_ih_l0"] == [1, 3, 7, 5])
        #expect(ndrplz.parameters["0.weight_hh_l0"] == [2, 4, 8, 6])
        #expect(ndrplz.parameters["0.bias_ih_l0"] == [10, 20, 40, 30])
        let xiaohui = try Self.network(.xiaohui9607, Self.cell("lstm1."))
        #expect(xiaohui.parameters["0.weight_ih_l0"] == [1, 5, 3, 7])
        #expect(xiaohui.parameters["0.bias_ih_l0"] == [10, 30, 20, 40])
        let tensorFlow = try Self.network(
            .tensorFlow,
            [
                ("state1/Gates/weights", [1, 1, 2, 4], [1, 3, 5, 7, 2, 4, 6, 8]),
                ("state1/Gates/biases", [4], [10, 20, 30, 40]),
            ])
        #expect(tensorFlow.configuration == xiaohui.configuration)
        for name in ["0.weight_ih_l0", "0.weight_hh_l0", "0.bias_ih_l0"] {
            #expect(tensorFlow.parameters[name] == xiaohui.parameters[name])
        }
        // 1 is added to f in these two alone, and there is no other difference in what the layers are.
        let layers = [ndrplz, xiaohui].map { $0.configuration.json.serialized() }
        #expect(layers[0].contains("\"forget_offset\":0") && layers[1].contains("\"forget_offset\":1"))
    }

    @Test func sizesAndOptionsFollowFromTheTensors() throws {
        let two = Self.tensors([
            "a.cell_list.0.conv_x.0.weight": [8, 3, 3, 5], "a.cell_list.0.conv_h.0.weight": [8, 2, 3, 5],
            "a.cell_list.0.conv_o.0.weight": [2, 4, 3, 5], "a.cell_list.0.conv_last.weight": [2, 4, 1, 1],
            "a.cell_list.1.conv_x.0.weight": [4, 2, 1, 1], "a.cell_list.1.conv_h.0.weight": [4, 1, 1, 1],
            "a.cell_list.1.conv_x.1.weight": [4, 2, 3], "a.cell_list.1.conv_x.1.bias": [4, 2, 3],
            "a.cell_list.1.conv_h.1.weight": [4, 2, 3], "a.cell_list.1.conv_h.1.bias": [4, 2, 3],
            "a.conv_last.weight": [6, 1, 1, 1], "b.weight": [7],
        ])
        let layers: [Layer] = [
            .convolutionalLSTM(2, kernel: MapSize(3, 5), hasBias: false),
            .convolutionalLSTM(1, kernel: 1, ConvolutionalLSTMOptions(hasLayerNorm: true), hasBias: false),
            .convolution(6, kernel: 1, hasBias: false, activation: nil),
        ]
        let network = try Self.network(.openSTL, two)
        #expect(network.configuration == NetworkConfiguration(.maps(channels: 3, height: 2, width: 3), layers))
        #expect(network.parameters["1.norm_hh_bias_l0"] == two.first { $0.name.hasSuffix("conv_h.1.bias") }!.values)
        let holes =
            Self.eight("net.cell0.")
            + Self.tensors([
                "net.cell0.Wci": [1, 2, 2, 3], "net.cell0.Wcf": [1, 2, 2, 3], "net.cell0.Wco": [1, 2, 2, 3],
            ])
        for (tensors, hasPeepholes) in [(Self.eight("net.cell0."), false), (holes, true)] {
            let cell = Layer.convolutionalLSTM(2, kernel: 3, ConvolutionalLSTMOptions(hasPeepholes: hasPeepholes))
            let network = try Self.network(.automan000, tensors)
            #expect(network.configuration == NetworkConfiguration(.maps(channels: 1, height: 2, width: 3), [cell]))
        }
    }

    private static func tensors(_ shapes: KeyValuePairs<String, [Int]>) -> Tensors {
        StateDictionaryTests.tensors(shapes)
    }

    /// A cell of two maps over one, a convolution for each gate.
    private static func eight(_ name: String) -> Tensors {
        ["i", "f", "c", "o"].flatMap { gate in
            tensors([
                "\(name)Wx\(gate).weight": [2, 1, 3, 3], "\(name)Wx\(gate).bias": [2],
                "\(name)Wh\(gate).weight": [2, 2, 3, 3],
            ])
        }
    }

    @Test func severalModulesNeedAPrefix() throws {
        let both = Self.cell("lstm1.") + Self.cell("lstm2.", bias: true)
        #expect(
            Self.problem(.xiaohui9607, both)
                == "file: 2 modules of convolutional LSTMs, choose one by its prefix: \"lstm1.\", \"lstm2.\".")
        #expect(try Self.network(.xiaohui9607, both, prefix: "lstm2.").parameters["0.weight_ih_l0"] == [1, 5, 3, 7])
        #expect(
            Self.problem(.xiaohui9607, both, prefix: "lstm3.")
                == "file: no weights of xiaohui9607 begin with \"lstm3.\"; found the prefixes \"lstm1.\", \"lstm2.\".")
        #expect(
            Self.problem(.automan000, both)
                == "file: expected weights of automan000, as cell0.Wxi.weight, found lstm1.conv.bias, lstm1.conv.weight, "
                + "lstm2.conv.bias, lstm2.conv.weight.")
        #expect(Self.problem(.ndrplz, [])?.contains("as cell_list.0.conv.weight, found no tensors") == true)
        #expect(Self.problem(.tensorFlow, [])?.contains("as Gates/weights, found") == true)
    }

    @Test func tensorsThatDoNotFitAreRefused() throws {
        func without(_ name: String, _ tensors: Tensors) -> Tensors { tensors.filter { $0.name != name } }
        func with(_ name: String, _ shape: [Int], _ tensors: Tensors) -> Tensors {
            without(name, tensors) + Self.tensors([name: shape])
        }
        let (one, eight) = (Self.cell(""), Self.eight("cell0."))
        #expect(Self.problem(.ndrplz, one) == nil && Self.problem(.automan000, eight) == nil)
        #expect(Self.problem(.ndrplz, without("conv.bias", one)) == nil)
        for (code, tensors, sentence) in [
            (.xiaohui9607, without("conv.bias", one), "missing tensors: conv.bias"),
            (.ndrplz, with("conv.bias", [3], one), "conv.bias should have the shape [4], found [3]"),
            (
                .ndrplz, with("conv.weight", [4, 2, 1], one),
                "conv.weight should have the shape […, …, …, …], found [4, 2, 1]"
            ),
            (.ndrplz, with("conv.weight", [4, 0, 1, 1], one), "found [4, 0, 1, 1]"),
            (
                .ndrplz, with("conv.weight", [6, 2, 1, 1], one),
                "has 6 maps of gates over 2 of x and h; expected 4·C over I + C"
            ),
            (.ndrplz, with("conv.weight", [4, 1, 1, 1], one), "has 4 maps of gates over 1 of x and h"),
            (.ndrplz, with("conv.weight", [4, 2, 2, 2], one), "filters have an odd number of rows and of columns"),
            (.ndrplz, one + Self.tensors(["norm.weight": [4]]), "unexpected tensors: norm.weight"),
            (.ndrplz, Self.cell("cell_list.1."), "expected layers from 0 on, found cell_list.1."),
            (
                .ndrplz, Self.cell("cell_list.0.") + Self.tensors(["cell_list.1.conv.weight": [8, 4, 1, 1]]),
                "over 1 + C"
            ),
            (.automan000, without("cell0.Whc.weight", eight), "missing tensors: cell0.Whc.weight"),
            (
                .automan000, with("cell0.Wxo.weight", [2, 3, 3, 3], eight),
                "should have the shape [2, 1, 3, 3], found [2, 3, 3, 3]"
            ),
            (.automan000, eight + Self.tensors(["cell0.Wci": [1, 2, 2, 3]]), "missing tensors: cell0.Wcf"),
            (
                .openSTL, Self.tensors(["conv_x.0.weight": [8, 3, 3, 3], "conv_h.0.weight": [8, 3, 3, 3]]),
                "conv_h.0.weight should have the shape [8, 2, 3, 3], found [8, 3, 3, 3]"
            ),
            (
                .openSTL,
                Self.tensors([
                    "conv_x.0.weight": [4, 3, 1, 1], "conv_h.0.weight": [4, 1, 1, 1], "conv_x.1.weight": [4, 3, 2],
                ]),
                "conv_x.1.weight should have the shape [4, 2, 3], found [4, 3, 2]"
            ),
        ] as [(ConvolutionalLSTMCode, Tensors, String)] {
            let found = Self.problem(code, tensors)
            #expect(found?.contains(sentence) == true, "\(sentence): \(found ?? "no problem")")
        }
    }

    @Test func arraysOfKerasAreReadInTheirOrder() throws {
        func array(_ shape: Int...) -> WeightArray {
            WeightArray(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) })
        }
        func problem(_ arrays: [WeightArray]) -> String? {
            do {
                _ = try Network(kerasConvolutionalLSTMs: arrays, height: 2, width: 3)
                return nil
            } catch {
                return "\(error)"
            }
        }
        let arrays = [array(1, 1, 2, 4), array(1, 1, 1, 4), array(4)]
        let network = try Network(kerasConvolutionalLSTMs: arrays, height: 2, width: 3)
        // Its second gate is f, its third c: this library's order.
        #expect(network.parameters["0.weight_ih_l0"] == [0, 4, 1, 5, 2, 6, 3, 7])
        #expect(
            network.parameters["0.weight_hh_l0"] == [0, 1, 2, 3] && network.parameters["0.bias_ih_l0"] == [0, 1, 2, 3])
        #expect(problem(arrays + [array(1, 3, 1, 8), array(1, 3, 2, 8)]) == nil)
        for wrong in [
            [], [arrays[0]], [arrays[2]], [arrays[0], arrays[2]], arrays + [array(4)],
            [array(1, 1, 2, 6), array(1, 1, 1, 6)],
            [array(1, 1, 2, 4), array(3, 1, 1, 4)], [array(1, 1, 0, 4), array(1, 1, 1, 4)],
            arrays + [array(1, 1, 2, 4), array(1, 1, 1, 4)],
            [array(2, 2, 1, 4), array(2, 2, 1, 4)],
        ] {
            #expect(problem(wrong) != nil, "\(wrong.map(\.shape))")
        }
        #expect(
            problem(arrays + [array(4)])
                == "Keras weights: expected a kernel [k, l, 1, 4·C], a recurrent kernel [k, l, C, 4·C] and perhaps a bias "
                + "[4·C] of a ConvLSTM2D, found arrays of the shapes [4].")
    }
}
