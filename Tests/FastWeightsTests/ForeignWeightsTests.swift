import Testing

@testable import FastWeights

/// What Keras and ONNX compute is in the golden cases; here is what must be refused.
@Suite struct ForeignWeightsTests {
    private static func array(_ shape: Int...) -> WeightArray {
        WeightArray(shape: shape, values: CellTests.random(shape.reduce(1, *), UInt64(shape[0])))
    }

    private static func keras(_ arrays: [WeightArray], bidirectional: Bool = false) -> String? {
        do {
            _ = try RecurrentNetwork(keras: arrays, bidirectional: bidirectional)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func onnx(_ layers: ONNXWeights...) -> String? {
        do {
            _ = try RecurrentNetwork(onnx: layers)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func gatesAndAxesOfKerasAreExchanged() throws {
        // One unit and one input: the numbers are the gates themselves.
        let network = try RecurrentNetwork(keras: [
            WeightArray(shape: [1, 3], values: [1, 2, 3]), WeightArray(shape: [1, 3], values: [4, 5, 6]),
            WeightArray(shape: [2, 3], values: [7, 8, 9, 10, 11, 12]),
        ])
        #expect(network.configuration == RecurrentNetworkConfiguration(.gru, input: 1, hidden: 1))
        #expect(network.parameters["weight_ih_l0"] == [2, 1, 3])
        #expect(network.parameters["weight_hh_l0"] == [5, 4, 6])
        #expect(network.parameters["bias_ih_l0"] == [8, 7, 9])
        #expect(network.parameters["bias_hh_l0"] == [11, 10, 12])
    }

    @Test func gatesOfONNXAreExchanged() throws {
        let network = try RecurrentNetwork(onnx: [
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
        #expect(Self.onnx(ONNXWeights(input: w, recurrent: r, linearBeforeReset: true)) == nil)
    }

    @Test func arraysThatDoNotFitAreRefused() {
        let (kernel, recurrent, bias) = (Self.array(2, 12), Self.array(3, 12), Self.array(12))
        #expect(Self.keras([kernel, recurrent, bias]) == nil)
        #expect(Self.keras([kernel, recurrent]) == nil)
        for arrays in [
            [], [kernel], [bias], [kernel, bias], [kernel, recurrent, bias, bias], [recurrent, kernel, Self.array(5)],
            [Self.array(2, 6), Self.array(3, 6)], [Self.array(0, 12), recurrent], [kernel, Self.array(0, 12)],
            [kernel, recurrent, bias, kernel, recurrent, bias], [kernel, Self.array(3, 9)],
        ] {
            #expect(Self.keras(arrays) != nil, "\(arrays.map(\.shape))")
        }
        #expect(Self.keras([kernel, recurrent, bias], bidirectional: true) != nil)
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
}
