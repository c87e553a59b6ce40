/// A layer of a network: its kind and options.
///
///     let layers: [Layer] = [.embedding(100), .lstm(64), .lastStep, .dense(10)]
///
/// A layer has no numbers of its own; a `Network` gives it its place, and parameters.
public struct Layer: Sendable, Equatable, CustomStringConvertible {
    let kind: any LayerKind

    init(_ kind: any LayerKind) { self.kind = kind }

    /// The layer as it stands in files.
    var json: JSON {
        .object([JSON.Member(key: "layer", value: .string(kind.name))] + kind.options)
    }

    /// Kind and options, as they stand in files.
    public var description: String { json.serialized() }

    /// Whether kind and options are the same.
    public static func == (a: Layer, b: Layer) -> Bool { a.json == b.json }
}

/// A kind of layer with its options: all that is said about the kind is in the file that declares it.
///
/// Bound to classes, so that Embedded Swift takes it.
protocol LayerKind: AnyObject, Sendable {
    /// In files.
    var name: String { get }
    /// The options, in files.
    var options: [JSON.Member] { get }
    /// Names of options that these leave out where they are as usual.
    var unwrittenOptions: [String] { get }
    /// Whether it multiplies what it reads: then tokens below it are a table, see `TokenTable`.
    var readsTable: Bool { get }
    /// The layer of this kind.
    var layer: Layer { get }
    /// The layer as a recurrent cell; nil of all others.
    var cell: (any CellKind)? { get }
    /// The layer in every form that computes the same, for checks; the first is itself.
    var forms: [any LayerKind] { get }
    /// Why it cannot read values of a shape; nil if it can.
    func problem(reading input: LayerShape) -> String?
    /// The layer in a network, its parameters declared. What it reads has no problem.
    func placed(_ input: LayerInput, _ scope: inout ParameterScope) -> PlacedLayer
}

extension LayerKind {
    var readsTable: Bool { false }
    var layer: Layer { Layer(self) }
    var cell: (any CellKind)? { nil }
    var forms: [any LayerKind] { [self] }
    var options: [JSON.Member] { [] }
    var unwrittenOptions: [String] { [] }
}

/// A part of a layer's state, of each sequence.
struct StatePart: Sendable, Equatable {
    /// As "h" or "c".
    let letter: String
    let sizes: [Int]
    /// The letter between what stands before and behind the names of the layer's parameters.
    var name = ""
    var count: Int { sizes.reduce(1, *) }
}

/// A layer in its place in a network: it knows what it reads and gives, and where its parameters stand.
class PlacedLayer {
    let input: LayerShape
    let output: LayerShape
    /// The layers that it is made of.
    let children: [PlacedLayer]

    init(_ input: LayerShape, _ output: LayerShape, children: [PlacedLayer] = []) {
        (self.input, self.output, self.children) = (input, output, children)
    }

    /// What goes on from one step to the next, beside that of the children.
    var state: [StatePart] { [] }
    /// Whether the first part of the state is what it gives, as h of a recurrent layer.
    var givesState: Bool { false }
    /// Whether a stream takes it about as long as sixteen sequences side by side.
    var prefersLanes: Bool { children.contains { $0.prefersLanes } }
    /// The table of an embedding; nil of all other layers.
    var embedding: (vocabulary: Int, weight: Parameter)? { nil }
    /// Rows of the state that goes from window to window of a sequence, as `Carry.state` has it.
    var carriedRows: Int { children.reduce(0) { $0 + $1.carriedRows } + state.reduce(0) { $0 + $1.count } }
    /// Whether what it gives are probabilities, not numbers that a softmax makes such.
    var givesProbabilities: Bool { children.last?.givesProbabilities ?? false }
    /// Multiplications of a step of one sequence, forward, of layers that are a product.
    var multiplications: Int { 0 }
    /// Whether forward alone its y stands in panels that only the layer above it reads, so that another may use them again.
    var sparesOutputs: Bool { false }
    /// The matrices that streams keep in the precision they are asked for.
    var streamMatrices: [Parameter] { children.flatMap { $0.streamMatrices } }
    /// Whether it must know a sequence's end before its first step.
    var isReversed: Bool { children.contains { $0.isReversed } }
    /// Whether it is cheaper over whole sequences than over windows of them, and its blocks over sequences of one length.
    var prefersWhole: Bool { children.contains { $0.prefersWhole } }
    /// Steps after which it does the same again.
    var period: Int {
        children.reduce(1) { all, child in
            let (product, overflow) = (all / commonDivisor(all, child.period)).multipliedReportingOverflow(
                by: child.period)
            return overflow ? .max : product
        }
    }

    /// Its parameters made ready for passes.
    func weights(_ block: Parameters) -> LayerWeights { LayerWeights(self, block) }

    /// A pass over sixteen sequences.
    func pass(_ weights: LayerWeights, _ input: PassInput, _ plan: PassPlan) -> LayerPass {
        misuse("each kind of layer has its own pass")
    }

    /// Its parameters laid out for streams.
    func streamWeights(_ weights: LayerWeights, _ precision: WeightPrecision) -> LayerStreamWeights {
        PassStreamWeights(weights, precision)
    }

    /// A stream of one sequence.
    func stream(_ shared: LayerStreamWeights) -> LayerStream {
        PassStream(unsafeDowncast(shared, to: PassStreamWeights.self))
    }

    /// Those of the layer and all it is made of that have no children, in their order.
    final var leaves: [PlacedLayer] { children.isEmpty ? [self] : children.flatMap { $0.leaves } }
}

private func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }

/// A layer's parameters made ready for passes, for any number of them on any threads to read.
class LayerWeights {
    let layer: PlacedLayer
    let block: Parameters
    let children: [LayerWeights]

    init(_ layer: PlacedLayer, _ block: Parameters) {
        (self.layer, self.block) = (layer, block)
        children = layer.children.map { $0.weights(block) }
    }

    /// The numbers of all parameters of the network.
    final var numbers: UnsafeMutablePointer<Float> { block.pointer }

    /// Pieces of `pack`, beside those of the children.
    var pieces: Int { 0 }
    /// Takes in a piece of the parameters as they are now.
    func pack(piece: Int) {}
    /// The table that stands for the tokens below.
    var table: TokenTable? { nil }

    final var leaves: [LayerWeights] { children.isEmpty ? [self] : children.flatMap { $0.leaves } }
}

/// What a pass reads.
struct PassInput {
    /// x(t), lent by what is below; not there where it reads tokens.
    var x: PanelSequence
    /// Where ∂L/∂x(t) goes, lent as well; nil where nobody asks. May be the panels of x: who writes there has read x.
    var dx: PanelSequence?
    /// Whether ∂L/∂x is added to what is there.
    var addsGradient = false
    /// Tokens, sixteen a step.
    var tokens: UnsafeMutablePointer<UInt16>?
}

/// What passes are made for.
struct PassPlan {
    /// T, steps at most.
    var steps: Int
    var carry: Carry
    /// Whether a backward pass follows each forward one.
    var trains: Bool
    /// For `accumulateOuterProducts`: one for all passes of a block, as they take turns.
    var scratch: Panel
    /// Panels for y of a layer that spares its outputs; nil where it makes its own.
    var spare: PanelSequence?
}

/// One forward pass of a block of sequences, or a window of it.
struct Run {
    /// The sequences, with as many steps as they have in the window.
    var block: LaneBlock
    /// The number of the window's first step in the sequences.
    var firstStep = 0
    /// Whether another window follows: then nobody reads what the network gives once a sequence.
    var goesOn = false
    /// What dropout drops; nil where it does not act.
    var dropoutSeed: UInt64?

    var steps: Int { block.steps }
}

/// A layer over one block of sixteen sequences: the buffers of both passes, made once; the passes allocate nothing.
///
/// 1. What is below leaves x(t) in the panels that it has lent, 0 behind a sequence's end or anything.
/// 2. `forward` leaves y(t) in `outputs`; it takes the steps of a run in ranges, from the first to the last.
/// 3. What is above leaves ∂L/∂y(t) of every step in `outputGradients`, 0 behind a sequence's end.
/// 4. `backward`, once, adds the gradients of the parameters to a block, and leaves ∂L/∂x(t) in the lent panels.
class LayerPass {
    let layer: PlacedLayer
    let children: [LayerPass]
    /// y, a panel a step, or one of the sequence.
    final let outputs: PanelSequence
    /// Where ∂L/∂y goes, of a pass that trains; may be the panels of y.
    final let outputGradients: PanelSequence

    init(_ layer: PlacedLayer, outputs: PanelSequence, gradients: PanelSequence, children: [LayerPass] = []) {
        (self.layer, self.outputs, outputGradients, self.children) = (layer, outputs, gradients, children)
    }

    func forward(_ run: Run, _ range: Range<Int>) { misuse("each kind of layer has its own forward pass") }

    func backward(_ run: Run, _ gradients: UnsafeMutablePointer<Float>) {
        misuse("each kind of layer has its own backward pass")
    }

    /// Begins the next run where the last one ended.
    func goOn() { for child in children { child.goOn() } }
    /// Begins the next run from the zero state.
    func clearState() { for child in children { child.clearState() } }

    /// Rows of the state as `Carry` has it.
    var carriedRows: Int { children.reduce(0) { $0 + $1.carriedRows } }

    /// Takes the state that `storeState` has left, to begin from.
    func loadState(_ source: Panel) {
        var source = source
        for child in children {
            child.loadState(source)
            source += child.carriedRows
        }
    }

    /// Copies the last state.
    func storeState(_ target: Panel) {
        var target = target
        for child in children {
            child.storeState(target)
            target += child.carriedRows
        }
    }

    /// Of a part of the layer's own state: where that before the first step goes, and after `forward` that behind the last.
    func initialState(_ part: Int) -> Panel { misuse("the layer has no state") }
    func finalState(_ part: Int) -> Panel { misuse("the layer has no state") }
    /// Where ∂L/∂(that behind the last step) goes, and after `backward` ∂L/∂(that before the first).
    func finalStateGradient(_ part: Int) -> Panel { misuse("the layer has no state") }
    func initialStateGradient(_ part: Int) -> Panel { misuse("the layer has no state") }
    /// Says that both were set, by who starts from a state and ends with a gradient of it.
    func setsState(initial: Bool, finalGradient: Bool) {}

    final var leaves: [LayerPass] { children.isEmpty ? [self] : children.flatMap { $0.leaves } }
}
