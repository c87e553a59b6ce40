/// A dense layer on top of a network: y = W·x + b, with W `head.weight` [outputs, H·directions] and b `head.bias`.
///
///     .perSequence(10)     // ten classes, or numbers, a sequence
///     .perStep(3)          // three a step
///
/// It gives logits or numbers as they are; the loss of a training, and `softmax`, are not part of it.
public enum Head: Sendable, Equatable {
    /// One y a sequence, from the last layer's last h of each direction: that of the sequence's own end, and of the
    /// reversed direction, which ends there, that of the first step.
    case perSequence(Int)
    /// One y a step, from the last layer's h at that step.
    case perStep(Int)

    /// Numbers of y.
    public var outputs: Int {
        switch self {
        case .perSequence(let count), .perStep(let count): count
        }
    }

    var isPerStep: Bool { if case .perStep = self { true } else { false } }
}

extension Head {
    var json: JSON {
        ["outputs": .number(Double(outputs)), "per": .string(isPerStep ? "step" : "sequence")]
    }

    init(json: JSON) throws(ConfigurationError) {
        let reader = ConfigurationReader(json: json, place: "head")
        let outputs = try reader.count("outputs")
        switch try reader.text("per") {
        case "step": self = .perStep(outputs)
        case "sequence": self = .perSequence(outputs)
        case let other:
            throw ConfigurationError(
                description: "the head's configuration needs per as step or sequence, found \"\(other)\"")
        }
    }
}

/// Pointers to a head's windows in a block of parameters or of gradients.
struct HeadParameters {
    let weight: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>

    init(_ block: Parameters) {
        weight = block.pointer(to: "head.weight")
        bias = block.pointer(to: "head.bias")
    }
}

/// A head over one block of sequences, the buffers of both passes made once.
final class HeadPass {
    /// y of every step, or of the sequence alone; ∂L/∂y in the backward pass.
    let outputs: PanelSequence
    /// What a head a sequence reads: the last h of each direction.
    let last: Panel
    private let rows: Int
    private let columns: Int
    private let arena = Arena()

    /// Buffers for a head that reads `columns` numbers, over `steps` steps.
    init(_ head: Head, columns: Int, steps: Int) {
        (rows, self.columns) = (head.outputs, columns)
        outputs = arena.panels(head.isPerStep ? steps : 1, rows: rows)
        last = arena.panels(1, rows: head.isPerStep ? 0 : columns)[0]
    }

    /// y(t) = W·x(t) + b for the panels of x in `range`.
    func forward(_ p: HeadParameters, _ x: PanelSequence, _ range: Range<Int>) {
        for t in range {
            let y = outputs[t]
            for r in 0..<rows { y[r] = Lanes(repeating: p.bias[r]) }
            multiply(p.weight, rows: rows, columns: columns, by: x[t], into: y, accumulate: true)
        }
    }

    /// From ∂L/∂y in `outputs` the gradients of W and b, added to `g`, and ∂L/∂x into `dx`.
    func backward(
        _ p: HeadParameters, _ x: PanelSequence, count: Int, gradients g: HeadParameters, scratch: Panel,
        into dx: PanelSequence
    ) {
        accumulateOuterProducts(
            outputs, rows: rows, x, columns: columns, count: count, scratch: scratch, into: g.weight)
        accumulateSums(outputs, rows: rows, count: count, into: g.bias)
        for t in 0..<count {
            multiplyTransposed(
                p.weight, rows: rows, columns: columns, by: outputs[t], into: dx[t], accumulate: false)
        }
    }
}
