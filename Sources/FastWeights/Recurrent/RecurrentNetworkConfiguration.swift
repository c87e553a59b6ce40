/// A stack of recurrent layers: its kind, its sizes, and its parameters.
///
///     let configuration = RecurrentNetworkConfiguration(.lstm(), input: 40, hidden: 128, layers: 2, bidirectional: true)
///     let network = RecurrentNetwork(configuration, seed: 1)
///
/// The layers have the sizes and the parameters of PyTorch's `nn.RNN`, `nn.LSTM` and `nn.GRU`: layer 0 takes I numbers a
/// step, every later one the H·directions outputs of the one before.
public struct RecurrentNetworkConfiguration: Sendable, Equatable {
    /// The kind of cell, the same in all layers.
    public var cell: Cell
    /// I, numbers of input a step.
    public var input: Int
    /// H, hidden units a layer and direction.
    public var hidden: Int
    /// Layers, one on the other.
    public var layers: Int
    /// Whether each layer also reads the sequence backwards, with parameters of its own.
    public var bidirectional: Bool
    /// Whether the cells have biases.
    public var bias: Bool
    /// The probability with which a number is dropped between two layers in training; what stays is divided by 1 - p.
    public var dropout: Float
    /// ε inside the square root of a layer norm.
    public var epsilon: Float
    /// The dense layer on top; nil gives the last layer's h.
    public var head: Head?

    /// Most layers of a network: a file cannot claim more.
    static let layerLimit = 256

    /// Traps unless the sizes are from 1 to 1,048,576, H·directions and those of a head too, the layers at most 256, the dropout is
    /// in 0..<1, ε is finite and at least 0, and the cell can have H units.
    public init(
        _ cell: Cell, input: Int, hidden: Int, layers: Int = 1, bidirectional: Bool = false, bias: Bool = true,
        dropout: Float = 0, epsilon: Float = 1e-5, head: Head? = nil
    ) {
        self.cell = cell
        self.input = input
        self.hidden = hidden
        self.layers = layers
        self.bidirectional = bidirectional
        self.bias = bias
        self.dropout = dropout
        self.epsilon = epsilon
        self.head = head
        if let problem { misuse(problem) }
    }

    /// What makes the network impossible; nil of a possible one.
    var problem: String? {
        let limit = sizeLimit
        if let problem = CellConfiguration.problem(cell, input: input, hidden: hidden, epsilon: epsilon) {
            return problem
        }
        guard features <= limit else {
            return "a layer gives at most \(limit) numbers a step, H·directions, found \(features)"
        }
        guard (1...Self.layerLimit).contains(layers) else {
            return "a network needs from 1 to \(Self.layerLimit) layers, found \(layers)"
        }
        guard (0..<1).contains(dropout) else {
            return "dropout needs a probability from 0 to below 1, found \(dropout)"
        }
        if let head, !(1...limit).contains(head.outputs) {
            return "a head needs from 1 to \(limit) outputs, found \(head.outputs)"
        }
        return nil
    }

    /// A network of one layer of a cell.
    init(_ cell: CellConfiguration) {
        self.init(cell.cell, input: cell.input, hidden: cell.hidden, epsilon: cell.epsilon)
    }

    /// 2 of a bidirectional network, otherwise 1.
    public var directions: Int { bidirectional ? 2 : 1 }
    /// H·directions, numbers that a layer gives a step.
    public var features: Int { hidden * directions }
    /// Numbers of output a step, or with a head `perSequence` a sequence: those of the head, or without one H·directions.
    public var output: Int { head?.outputs ?? features }

    /// The output's sizes for a batch: [T, B, output], or of a head `perSequence` [B, output].
    func outputSizes(steps: Int, batch: Int) -> [Int] {
        let hasSteps = head?.isPerStep ?? true
        return (hasSteps ? [steps] : []) + [batch, output]
    }

    /// The network's parameters by PyTorch's names, layer by layer and in each the forward direction first:
    /// `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, with `_reverse` behind those of the other direction.
    ///
    /// The fast weights and the associative LSTM have no `bias_hh`; layer norms add `norm_weight_l0`, `norm_bias_l0`, and in the LSTM
    /// `norm_cell_weight_l0`, `norm_cell_bias_l0`. A head has `head.weight` [outputs, H·directions] and `head.bias`.
    ///
    /// Traps on a configuration that a change since it was made has made impossible.
    public var layout: ParameterLayout {
        if let problem { misuse(problem) }
        var layout = ParameterLayout()
        for place in places { cell(at: place.layer).declare(in: &layout, suffix: place.suffix, bias: bias) }
        if let head {
            layout.append("head.weight", head.outputs, features)
            layout.append("head.bias", head.outputs)
        }
        return layout
    }

    /// A layer and direction of the stack.
    struct Place {
        let layer: Int
        let isReversed: Bool

        /// What stands behind PyTorch's names.
        var suffix: String { "_l\(layer)" + (isReversed ? "_reverse" : "") }
    }

    /// The cells in PyTorch's order.
    var places: [Place] {
        (0..<layers).flatMap { layer in
            (0..<directions).map { Place(layer: layer, isReversed: $0 == 1) }
        }
    }

    /// The cell of a layer.
    func cell(at layer: Int) -> CellConfiguration {
        CellConfiguration(cell, input: layer == 0 ? input : features, hidden: hidden, epsilon: epsilon)
    }

    /// Numbers a sample and cell of the state beside h.
    var memoryRows: Int { cell(at: 0).memoryRows }

    /// The letter of the state beside h in the names of tensors, and its sizes a sample and cell.
    var memoryTensor: (letter: String, sizes: [Int])? {
        switch cell {
        case .rnn, .gru: nil
        case .lstm: ("c", [hidden])
        case .fastWeights: ("A", [hidden, hidden])
        case .associativeLSTM(let options): ("c", [options.copies, hidden])
        }
    }
}
