import Testing

@testable import FastWeights

/// What Keras and ONNX compute is in the golden cases; here is what must be refused.
@Suite struct ForeignWeightsTests {
    private static func array(_ shape: Int...) -> WeightArray {
        WeightArray(shape: shape, values: CellTests.random(shape.reduce(1, *), UInt64(shape[0])))
    }

    private static func keras(_ arrays: [WeightArray], isBidirectional: Bool = false) -> String? {
        do {
            _ = try Network(keras: arrays, isBidirectional: isBidirectional)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func onnx(_ layers: ONNXWeights...) -> String? {
        do {
            _ = try Network(onnx: layers)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func gatesAndAxesOfKerasAreExchanged() throws {
        // One unit and one input: the numbers are the gates themselves.
        let network = try Network(keras: [
            WeightArray(shape: [1, 3], values: [1, 2, 3]), WeightArray(shape: [1, 3], values: [4, 5, 6]),
            WeightArray(shape: [2, 3], values: [7, 8, 9, 10, 11, 12]),
        ])
        #expect(network.configuration == NetworkConfiguration.stack(.gru, input: 1, hidden: 1))
        #expect(network.parameters["weight_ih_l0"] == [2, 1, 3])
        #expect(network.parameters["weight_hh_l0"] == [5, 4, 6])
        #expect(network.parameters["bias_ih_l0"] == [8, 7, 9])
        #expect(network.parameters["bias_hh_l0"] == [11, 10, 12])
    }

    @Test func gatesOfONNXAreExchanged() throws {
        let network = try Network(onnx: [
            ONNXWeights(
                input: WeightArray(shape: [1, 4, 1], values: [1, 2, 3, 4]),
                recurrent: WeightArray(shape: [1, 4, 1], values: [5, 6, 7, 8]),
                bias: WeightArray(shape: [1, 8], values: [1, 2, 3, 4, 5, 6, 7, 8]))
        ])
        #expect(network.parameters["weight_ih_l0"] == [1, 3, 4, 2])
        #expect(network.parameters["weight_hh_l0"] == [5, 7, 8, 6])
        #expect(network.parameters["bias_ih_l0"] == [1, 3, 4, 2])
        #expect(network.parameters["bias_hh_l0"] == [5, 7, 8, 6])
    }

    @Test func resetsBeforeTheProductAreRefused() {
        let keras = Self.keras([Self.array(2, 9), Self.array(3, 9), Self.array(9)])
        #expect(keras?.contains("reset_after=False") == true)
        let (w, r) = (Self.array(1, 9, 2), Self.array(1, 9, 3))
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r))?.contains("linear_before_reset = 0") == true)
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r, isLinearBeforeReset: true)) == nil)
    }

    @Test func arraysThatDoNotFitAreRefused() {
        let (kernel, recurrent, bias) = (Self.array(2, 12), Self.array(3, 12), Self.array(12))
        #expect(Self.keras([kernel, recurrent, bias]) == nil)
        #expect(Self.keras([kernel, recurrent]) == nil)
        for arrays in [
            [], [kernel], [bias], [kernel, bias], [kernel, recurrent, bias, bias], [recurrent, kernel, Self.array(5)],
            [Self.array(2, 6), Self.array(3, 6)], [Self.array(0, 12), recurrent], [kernel, Self.array(0, 12)],
            [kernel, recurrent, bias, kernel, recurrent, bias], [kernel, Self.array(3, 9)],
            [kernel, WeightArray(shape: [], values: [1]), Self.array(3, 12), recurrent],
        ] {
            #expect(Self.keras(arrays) != nil, "\(arrays.map(\.shape))")
        }
        #expect(Self.keras([kernel, recurrent, bias], isBidirectional: true) != nil)
        let (w, r, b) = (Self.array(1, 12, 2), Self.array(1, 12, 3), Self.array(1, 24))
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r, bias: b)) == nil)
        for node in [
            ONNXWeights(input: r, recurrent: w), ONNXWeights(input: w, recurrent: kernel),
            ONNXWeights(input: w, recurrent: r, bias: bias), ONNXWeights(input: Self.array(3, 12, 2), recurrent: r),
            ONNXWeights(input: Self.array(2, 12, 2), recurrent: r),
            ONNXWeights(input: w, recurrent: Self.array(1, 12, 0)),
            ONNXWeights(input: WeightArray(shape: [], values: [1]), recurrent: r),
        ] {
            #expect(Self.onnx(node) != nil, "\(node.input.shape), \(node.recurrent.shape)")
        }
        #expect(Self.onnx() != nil)
        // The second layer reads three numbers, not two.
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r), ONNXWeights(input: w, recurrent: r)) != nil)
    }

    // MARK: Arrays that can be read in two ways, or in none

    private static func matrices(_ inputs: Int, _ units: Int, gates: Int) -> [WeightArray] {
        [array(inputs, gates * units), array(units, gates * units)]
    }

    private static func gru(_ inputs: Int, bias: Bool) -> [WeightArray] {
        matrices(inputs, 2, gates: 3) + (bias ? [array(2, 6)] : [])
    }

    private static func lstm(_ inputs: Int, _ units: Int, bias: Bool = true) -> [WeightArray] {
        matrices(inputs, units, gates: 4) + (bias ? [array(4 * units)] : [])
    }

    /// A bias of GRU(2) has the shape of the next layer's kernel.
    @Test func noGuessWhereTwoReadingsFit() throws {
        let three = (0..<3).flatMap { Self.gru($0 == 0 ? 3 : 2, bias: false) }
        #expect(
            Self.keras(three)
                == "Keras weights: arrays of the shapes [3, 6], [2, 6], [2, 6], [2, 6], [2, 6], [2, 6] can be read as "
                + "2 layers with biases: [true, true] and as 3 layers with biases: [false, false, false]; say which by the "
                + "argument biases, each layer's use_bias.")
        for (biases, layers) in [([true, true], 2), ([false, false, false], 3)] {
            let network = try Network(keras: three, biases: biases)
            #expect(
                network.configuration
                    == NetworkConfiguration.stack(.gru, input: 3, hidden: 2, layers: layers, bias: biases[0]))
            // The second layer's kernel, transposed and with its gates in PyTorch's order.
            let kernel = three[biases[0] ? 3 : 2].transposed.reordered([1, 0, 2])
            #expect(network.parameters["weight_ih_l1"] == kernel.values)
            if biases[0] {
                let bias = three[5]
                #expect(network.parameters["bias_hh_l1"] == bias.part(1, of: 2).reordered([1, 0, 2]).values)
            }
        }
        // Five arrays: the bias is the first layer's or the second's.
        let mixed = Self.gru(3, bias: true) + Self.gru(2, bias: false)
        #expect(Self.keras(mixed)?.contains("[true, false] and as 2 layers with biases: [false, true]") == true)
        for biases in [[true], [true, true], [false, false], [], [true, false, true]] {
            #expect(throws: WeightsError.self, "\(biases)") { try Network(keras: mixed, biases: biases) }
        }
        // Where only one reading fits there is nothing to ask: two layers, or another number of inputs or units.
        #expect(Self.keras(Self.gru(3, bias: false) + Self.gru(2, bias: false)) == nil)
        #expect(Self.keras(Self.gru(3, bias: true)) == nil)
        let wide = (0..<3).flatMap { Self.matrices($0 == 0 ? 2 : 3, 3, gates: 3) }
        #expect(Self.keras(wide) == nil)
    }

    @Test func noGuessInWrappersEither() throws {
        // Two units in all, of two directions: a bias has the shape of the next layer's forward kernel.
        func layer(_ inputs: Int, bias: Bool) -> [WeightArray] {
            (0..<2).flatMap { _ in Self.matrices(inputs, 1, gates: 3) + (bias ? [Self.array(2, 3)] : []) }
        }
        let one = layer(2, bias: true)
        let network = try Network(keras: one + layer(2, bias: true), isBidirectional: true)
        func wanted(bias: Bool) -> NetworkConfiguration {
            NetworkConfiguration.stack(.gru, input: 2, hidden: 1, layers: 2, isBidirectional: true, bias: bias)
        }
        #expect(network.configuration == wanted(bias: true))
        let none = try Network(keras: layer(2, bias: false) + layer(2, bias: false), isBidirectional: true)
        #expect(none.configuration == wanted(bias: false))
    }

    @Test func manyLayersAreReadInNoTime() {
        // Arrays that can be cut in more ways than there are atoms, and of which none or too many fit.
        let arrays = [[WeightArray]](repeating: [Self.array(2, 6)], count: 300).flatMap { $0 }
        #expect(Self.keras(arrays)?.contains("can be read as") == true)
        #expect(
            Self.keras(arrays + [Self.array(5, 5)])?.contains(
                "found arrays of the shapes [5, 5] behind GRU(2) of 2 inputs, GRU") == true)
        #expect(Self.keras(arrays + arrays + arrays) == "Keras weights: 900 arrays; there may be 768.")
    }

    @Test func aLayerWithoutBiasBesideOthersHasZeros() throws {
        let zeros = WeightArray(shape: [20], values: [Float](repeating: 0, count: 20))
        let arrays = Self.lstm(3, 5) + Self.lstm(5, 5, bias: false)
        let network = try Network(keras: arrays)
        let wanted = try Network(keras: arrays + [zeros])
        #expect(network.configuration == wanted.configuration)
        #expect(network.configuration == NetworkConfiguration.stack(.lstm(), input: 3, hidden: 5, layers: 2))
        expectSame(network.parameters.block.array, wanted.parameters.block.array)
        #expect(network.parameters["bias_ih_l1"] == zeros.values && network.parameters["bias_ih_l0"] != zeros.values)

        let (w, r) = ([Self.array(1, 20, 3), Self.array(1, 20, 5)], Self.array(1, 20, 5))
        func onnx(_ second: WeightArray?) throws -> Network {
            try Network(onnx: [
                ONNXWeights(input: w[0], recurrent: r, bias: Self.array(1, 40)),
                ONNXWeights(input: w[1], recurrent: r, bias: second),
            ])
        }
        let none = WeightArray(shape: [1, 40], values: [Float](repeating: 0, count: 40))
        try expectSame(onnx(nil).parameters.block.array, onnx(none).parameters.block.array)
        #expect(try onnx(nil).parameters["bias_ih_l0"] != zeros.values)
    }

    @Test func theRefusalSaysWhatWasFound() {
        #expect(
            Self.keras(Self.lstm(3, 6) + [Self.array(6, 2), Self.array(2)])
                == "Keras weights: expected a kernel [I, G·H], a recurrent kernel [H, G·H] and perhaps a bias of each "
                + "SimpleRNN, LSTM or GRU, found arrays of the shapes [6, 2], [2] behind LSTM(6) of 3 inputs; arrays of "
                + "other layers, as Dense, cannot be loaded here.")
        let wrapped = Self.lstm(3, 6) + Self.lstm(3, 6) + Self.lstm(12, 6)
        #expect(
            Self.keras(wrapped, isBidirectional: true)
                == "Keras weights: expected a forward and a backward cell in each bidirectional layer, found LSTM(6) of 3 "
                + "inputs, LSTM(6) of 3 inputs, LSTM(6) of 12 inputs; layers in one direction and bidirectional ones cannot be "
                + "loaded as one network.")
        #expect(
            Self.keras(wrapped)
                == "Keras weights: found LSTM(6) of 3 inputs, LSTM(6) of 3 inputs, LSTM(6) of 12 inputs: layer 1 reads 6 "
                + "numbers a step, not 3; layers in one direction and bidirectional ones cannot be loaded as one network."
        )
        #expect(Self.keras([])?.contains("found no arrays") == true)
        let (w, r) = (Self.array(1, 24, 3), Self.array(1, 24, 6))
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r), ONNXWeights(input: w, recurrent: r)) != nil)
    }

    /// Layers of one kind and size are a module of PyTorch, others are named by their places.
    @Test func layersOfUnequalSizesAreNamedByTheirPlaces() throws {
        let arrays = Self.lstm(3, 6) + Self.lstm(6, 4, bias: false)
        let network = try Network(keras: arrays)
        #expect(network.configuration == NetworkConfiguration(.numbers(3), [.lstm(6), .lstm(4, hasBias: false)]))
        #expect(network.parameters["1.weight_ih_l0"] == arrays[3].transposed.values)
        let (w, r) = (Self.array(1, 24, 3), Self.array(1, 24, 6))
        let nodes = try Network(onnx: [
            ONNXWeights(input: w, recurrent: r),
            ONNXWeights(input: Self.array(1, 16, 6), recurrent: Self.array(1, 16, 4)),
        ])
        #expect(
            nodes.configuration
                == NetworkConfiguration(.numbers(3), [.lstm(6, hasBias: false), .lstm(4, hasBias: false)]))
        let same = try Network(keras: Self.lstm(3, 6) + Self.lstm(6, 6))
        #expect(same.configuration == NetworkConfiguration.stack(.lstm(), input: 3, hidden: 6, layers: 2))
        #expect(same.tensors(prefix: "rnn.").last?.name == "rnn.bias_hh_l1")
    }
}
