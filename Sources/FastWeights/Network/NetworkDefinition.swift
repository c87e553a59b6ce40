/// A network's layers in their places: what its configuration comes to.
final class NetworkDefinition: @unchecked Sendable {
    /// Most steps after which all schedules begin again together, so that phases of them can be added.
    private static let periodLimit = 1 << 53

    /// What it reads.
    let input: LayerShape
    let root: PlacedList
    /// Parameters, their first values, and what can be wrong alone in them.
    let scope: ParameterScope
    /// The state of a sequence: of each part the leaf that it belongs to, and its number there.
    let states: [(part: StatePart, leaf: Int, index: Int)]

    /// Throws when a layer cannot read what it is given.
    init(_ input: LayerShape, _ layers: [NamedLayer]) throws(LayerProblem) {
        var scope = ParameterScope()
        let root = try PlacedList.placed(layers, input, &scope)
        guard root.period <= Self.periodLimit else {
            throw LayerProblem(
                sentence: "the schedules of the layers begin again together after more than \(Self.periodLimit) steps")
        }
        (self.input, self.root, self.scope) = (input, root, scope)
        var states: [(part: StatePart, leaf: Int, index: Int)] = []
        for (leaf, layer) in root.leaves.enumerated() {
            for (index, part) in layer.state.enumerated() { states.append((part: part, leaf: leaf, index: index)) }
        }
        self.states = states
    }

    var layout: Parameters.Layout { scope.layout }
    var output: LayerShape { root.output }
    var takesTokens: Bool { input.vocabulary != nil }
    /// Multiplications of the layers that are dense or convolutions for one step of one sequence, forward.
    var multiplications: Int { root.leaves.reduce(0) { $0 + $1.multiplications } }
    /// Steps after which every layer does the same again.
    var period: Int { root.period }

    /// The parameters made ready for passes.
    func weights(_ block: Parameters) -> NetworkWeights { NetworkWeights(self, block) }
}

/// A network's parameters made ready for passes, for any number of them on any threads to read.
final class NetworkWeights: @unchecked Sendable {
    let definition: NetworkDefinition
    let root: LayerWeights
    private let leaves: [LayerWeights]
    /// The tables that stand for tokens, whose gradients lie behind those of the parameters in the blocks of a step.
    let tables: [TokenTable]
    /// Floats of such a block.
    let gradientCount: Int
    /// Where a step's gradients are added up in such a block: all parameters but those whose gradients come of tables, and
    /// the tables.
    let sums: [Range<Int>]
    /// Pieces of `pack`.
    let pieces: Int

    init(_ definition: NetworkDefinition, _ block: Parameters) {
        self.definition = definition
        root = definition.root.weights(block)
        leaves = root.leaves
        pieces = leaves.reduce(0) { $0 + $1.pieces }
        var tables: [TokenTable] = []
        var count = definition.layout.blockCount
        for leaf in leaves {
            guard let table = leaf.table else { continue }
            table.place(at: count, behind: tables.first)
            count += table.count
            tables.append(table)
        }
        (self.tables, gradientCount) = (tables, count)
        sums = Self.sums(count, without: tables.flatMap { $0.written })
    }

    private static func sums(_ count: Int, without written: [Parameter]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var end = 0
        for parameter in written.sorted(by: { $0.offset < $1.offset }) {
            if parameter.offset > end { ranges.append(end..<parameter.offset) }
            end = max(end, parameter.offset + (parameter.count + 15) / 16 * 16)
        }
        return end < count ? ranges + [end..<count] : ranges
    }

    var block: Parameters { root.block }

    func pack() { for piece in 0..<pieces { pack(piece: piece) } }

    /// Takes in a piece of the parameters as they are now.
    func pack(piece: Int) {
        var piece = piece
        for leaf in leaves {
            if piece < leaf.pieces { return leaf.pack(piece: piece) }
            piece -= leaf.pieces
        }
    }

    /// Pieces of `writeTableGradients`.
    var tablePieces: Int { tables.reduce(0) { $0 + $1.gradientPieces } }

    /// From the tables' gradients in `gradients` those of the parameters behind them: a piece.
    func writeTableGradients(
        _ gradients: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>, piece: Int
    ) {
        var piece = piece
        for table in tables {
            if piece < table.gradientPieces {
                return table.writeGradients(block.pointer, gradients, into: target, piece: piece)
            }
            piece -= table.gradientPieces
        }
    }
}
