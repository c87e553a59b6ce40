/// A kind of recurrent cell with its options, before it has a size: what the experiments compare.
enum Cell: Sendable, Equatable {
    /// Elman's network; see `Layer.rnn`. `identity` starts W_hh as the identity matrix and the biases at zero.
    case rnn(activation: Activation, hasLayerNorm: Bool = false, identity: Bool = false)
    /// Long short-term memory; see `Layer.lstm`.
    case lstm(hasLayerNorm: Bool = false)
    /// Gated recurrent unit; see `Layer.gru`.
    case gru
    /// The fast-weights network; see `Layer.fastWeights`.
    case fastWeights(FastWeightsOptions = FastWeightsOptions())
    /// The associative LSTM; see `Layer.associativeLSTM`.
    case associativeLSTM(AssociativeLSTMOptions = AssociativeLSTMOptions())

    /// The IRNN: ReLU, identity recurrent matrix.
    static func irnn(hasLayerNorm: Bool = false) -> Cell {
        .rnn(activation: .relu, hasLayerNorm: hasLayerNorm, identity: true)
    }

    /// The cell with H hidden units.
    func layer(_ hidden: Int) -> Layer { Layer(kind(hidden)) }

    /// Its sizes with H hidden units.
    func sizes(hidden: Int) -> CellSizes { kind(hidden).sizes }

    /// Rows of the gates with H hidden units.
    func rows(hidden: Int) -> Int { sizes(hidden: hidden).rows }

    /// Why the cell cannot have so many hidden units; nil if it can.
    func problem(hidden: Int) -> String? { kind(hidden).problem }

    private func kind(_ hidden: Int) -> any CellKind {
        switch self {
        case .rnn(let activation, let hasLayerNorm, let identity):
            RNNLayer(hidden: hidden, activation, hasLayerNorm: hasLayerNorm, isIdentity: identity)
        case .lstm(let hasLayerNorm): LSTMLayer(hidden: hidden, hasLayerNorm: hasLayerNorm)
        case .gru: GRULayer(hidden: hidden)
        case .fastWeights(let options): FastWeightsLayer(hidden: hidden, options)
        case .associativeLSTM(let options): AssociativeLSTMLayer(hidden: hidden, options)
        }
    }

    /// The cell as it stands in results and settings, with what it reads.
    func json(input: Int, hidden: Int) -> JSON {
        let kind = kind(hidden)
        return .object([JSON.Member("cell", kind.name)] + kind.options + [JSON.Member("input", input)])
    }
}
