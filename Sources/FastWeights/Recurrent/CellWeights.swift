/// One cell's parameters made ready for a run, for any number of threads to read.
final class CellWeights: @unchecked Sendable {
    let configuration: CellConfiguration
    let parameters: CellParameters
    let recurrent: RecurrentWeights
    /// What every projection begins with: b_ih, and b_hh where it is simply added; [gate rows].
    let bias: Buffer<Float>
    private let absentBias: Buffer<Float>?
    private let block: Parameters

    /// Ready for the parameters of `block` as they are now; `pack` takes in what has changed.
    init(_ configuration: CellConfiguration, _ block: Parameters, suffix: String = "", bias: Bool = true) {
        let rows = configuration.gateRows
        self.configuration = configuration
        self.block = block
        absentBias = bias ? nil : Buffer(rows)
        parameters = CellParameters(block, suffix: suffix, absentBias: absentBias?.pointer)
        recurrent = RecurrentWeights(configuration)
        self.bias = Buffer(rows)
        pack()
    }

    func pack() {
        recurrent.pack(parameters.recurrentWeight)
        parameters.copyBias(0..<configuration.gateRows, configuration.plainBiasRows, into: bias.pointer)
    }
}

extension RecurrentNetworkConfiguration {
    /// The cells of a block of parameters, or of gradients, in PyTorch's order.
    func weights(_ block: Parameters) -> [CellWeights] {
        places.map { CellWeights(cell(at: $0.layer), block, suffix: $0.suffix, bias: bias) }
    }
}
