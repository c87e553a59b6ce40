/// A loss of a network's outputs: of a training by `TrainingOptions.loss`, and with its gradient for a loop of one's own.
///
///     let loss = Loss.crossEntropy(labelSmoothing: 0.1)
///     let (value, gradient) = loss(outputs, classes: labels)
///     let dx = pass.backward(gradient).input
///
/// Outputs are rows as `NetworkPass` gives them, [T, B, C] or [B, C]; a target belongs to each row, [T, B] or [B], or to
/// each number. Rows behind the end of a sequence get targets that do not count. Values, gradients and reductions are those
/// of PyTorch's function of the name given there.
public enum Loss: Sendable, Equatable {
    /// -Σ_c q_c log softmax(z)_c of logits z with the label y, q_c = (1 - ε)·w_y·[c = y] + ε/C·w_c: `cross_entropy`. The
    /// mean is Σ loss / Σ w_y. `weights` are w, one a class, or none for 1 each, `labelSmoothing` is ε; rows with the label
    /// `ignoring` do not count.
    case crossEntropy(weights: [Float] = [], labelSmoothing: Float = 0, ignoring: Int = -1)
    /// (y - t)²: `mse_loss`. Targets that are NaN do not count.
    case meanSquares
    /// -w·t·log σ(z) - (1 - t)·log(1 - σ(z)) of logits z with targets t from 0 to 1: `binary_cross_entropy_with_logits`.
    /// `positiveWeights` are w, one an output of a row, or none for 1 each. Targets that are NaN do not count.
    case binaryCrossEntropy(positiveWeights: [Float] = [])

    /// w of its classes or outputs; none for 1 each.
    var weights: [Float] {
        switch self {
        case .crossEntropy(let weights, _, _), .binaryCrossEntropy(let weights): weights
        case .meanSquares: []
        }
    }

    /// ε, what of a label goes to all classes.
    var smoothing: Float {
        if case .crossEntropy(_, let smoothing, _) = self { smoothing } else { 0 }
    }

    /// Whether its targets are classes; otherwise they are numbers.
    var isOfClasses: Bool {
        if case .crossEntropy = self { true } else { false }
    }

    /// Whether its targets are numbers from 0 to 1, and outputs logits of them.
    var isBinary: Bool {
        if case .binaryCrossEntropy = self { true } else { false }
    }

    /// What becomes of the losses of all targets that count.
    public enum Reduction: Sendable, Equatable {
        /// Their mean, not a number where there is none; of classes that weigh differently the weighted one.
        case mean
        /// Their sum.
        case sum
    }

    /// The loss of `outputs`, [rows, C], whose row r is of the class `targets[r]`, and ∂loss/∂outputs, zero in the rows that
    /// do not count.
    ///
    /// Traps on a loss of numbers, on outputs that are not a row a target, on classes that are not from 0 to C - 1, and on
    /// weights and a smoothing that cannot be. O(numbers).
    public func callAsFunction(
        _ outputs: [Float], classes targets: [Int], reduction: Reduction = .mean
    ) -> (value: Double, gradient: [Float]) {
        guard case .crossEntropy(let weights, _, let ignored) = self else {
            misuse("the loss \(self) is of numbers; it was given classes")
        }
        let width = targets.isEmpty ? 0 : outputs.count / targets.count
        require(
            width * targets.count == outputs.count && (width > 0 || targets.isEmpty),
            "outputs have a row of 1 or more numbers for each target; found \(outputs.count) numbers and \(targets.count) classes"
        )
        check(width: width)
        let labels = targets.map { target -> Int32 in
            if target == ignored { return -1 }
            require(
                (0..<width).contains(target),
                "classes are from 0 to \(width - 1), or \(ignored) where none counts; found \(target)")
            return Int32(truncatingIfNeeded: target)
        }
        let total = labels.reduce(0.0) { $1 < 0 ? $0 : $0 + (weights.isEmpty ? 1 : Double(weights[Int($1)])) }
        return labels.withUnsafeBufferPointer { labels in
            weights.withUnsafeBufferPointer { weights in
                let classes = ClassWeights(weights: weights.isEmpty ? nil : weights.baseAddress!, smoothing: smoothing)
                return reduce(outputs, width: width, by: reduction, total) { panel, rows, scale in
                    labelLoss(panel, width, labels.baseAddress! + rows.lowerBound, rows.count, scale, classes)
                }
            }
        }
    }

    /// The loss of `outputs`, whose number i is to be `targets[i]`, and ∂loss/∂outputs, zero where a target is NaN.
    ///
    /// Traps on a loss of classes, on targets of another count, on targets of `binaryCrossEntropy` that are not from 0 to 1,
    /// and on weights that cannot be. O(numbers).
    public func callAsFunction(
        _ outputs: [Float], numbers targets: [Float], reduction: Reduction = .mean
    ) -> (value: Double, gradient: [Float]) {
        require(
            outputs.count == targets.count,
            "outputs have a target each; found \(outputs.count) numbers and \(targets.count) targets")
        require(!isOfClasses, "the loss \(self) is of classes; it was given numbers")
        let (weights, isBinary) = (weights, isBinary)
        // Without weights the rows of the outputs do not matter: one number a lane.
        let width = max(weights.count, 1)
        require(
            outputs.count % width == 0,
            "outputs have a weight each in a row; found \(outputs.count) numbers and \(width) weights")
        check(width: width)
        var total = 0.0
        for target in targets where !target.isNaN {
            require(
                isBinary ? (0...1).contains(target) : target.isFinite,
                "targets of \(self) are \(isBinary ? "from 0 to 1" : "finite"), or nan where none counts; found \(target)"
            )
            total += 1
        }
        let wanted = Buffer<Lanes>(width)
        return reduce(outputs, width: width, by: reduction, total) { panel, rows, scale in
            wanted.pointer.update(repeating: Lanes(repeating: .nan), count: width)
            for (lane, row) in rows.enumerated() {
                for c in 0..<width { wanted.pointer[c][lane] = targets[row * width + c] }
            }
            return weights.withUnsafeBufferPointer {
                numberLoss(
                    panel, wanted.pointer, width, isBinary: isBinary, $0.isEmpty ? nil : $0.baseAddress!, scale)
            }
        }
    }

    /// The loss and the gradient from the losses of sixteen rows at a time, which leave their gradient in the panel.
    private func reduce(
        _ outputs: [Float], width: Int, by reduction: Reduction, _ total: Double,
        _ losses: (_ panel: Panel, _ rows: Range<Int>, _ scale: Float) -> BlockLoss
    ) -> (value: Double, gradient: [Float]) {
        let factor = reduction == .sum ? 1 : 1 / total
        var (sum, gradient) = (BlockLoss(), outputs)
        forEachPanel(of: &gradient, width: width) { panel, rows in
            sum += losses(panel, rows, factor.isFinite ? Float(factor) : 0)
        }
        return (sum.loss * factor, gradient)
    }

    /// Traps unless weights, where there are some, are as many as a row has numbers, and they and the smoothing can be.
    func check(width: Int) {
        require((0...1).contains(smoothing), "the smoothing of labels is from 0 to 1, found \(smoothing)")
        let weights = weights
        require(
            weights.isEmpty || weights.count == width,
            "weights are one each of \(width) \(isOfClasses ? "classes" : "outputs"), found \(weights.count)")
        if let weight = weights.first(where: { !($0 >= 0 && $0.isFinite) }) {
            misuse("weights are finite and at least 0, found \(weight)")
        }
    }
}

extension Loss: CustomStringConvertible {
    /// The loss as it is written in Swift, without the options that do nothing.
    public var description: String {
        func call(_ name: String, _ options: (name: String, isSet: Bool, value: String)...) -> String {
            let set = options.filter { $0.isSet }.map { "\($0.name): \($0.value)" }
            return set.isEmpty ? name : "\(name)(\(set.joined(separator: ", ")))"
        }
        let list = "[" + weights.map { "\($0)" }.joined(separator: ", ") + "]"
        switch self {
        case .crossEntropy(let weights, let smoothing, let ignored):
            return call(
                "crossEntropy", ("weights", !weights.isEmpty, list), ("labelSmoothing", smoothing != 0, "\(smoothing)"),
                ("ignoring", ignored != -1, "\(ignored)"))
        case .meanSquares: return "meanSquares"
        case .binaryCrossEntropy(let weights):
            return call("binaryCrossEntropy", ("positiveWeights", !weights.isEmpty, list))
        }
    }
}

// The kernels, by names that are not those of the losses.

private func labelLoss(
    _ panel: Panel, _ classes: Int, _ labels: UnsafePointer<Int32>, _ count: Int, _ scale: Float,
    _ weights: ClassWeights
) -> BlockLoss {
    crossEntropy(panel, classes: classes, targets: labels, count: count, scale: scale, weights)
}

private func numberLoss(
    _ panel: Panel, _ wanted: Panel, _ rows: Int, isBinary: Bool, _ weights: UnsafePointer<Float>?, _ scale: Float
) -> BlockLoss {
    isBinary
        ? binaryCrossEntropy(panel, wanted, rows: rows, weights: weights, scale: scale)
        : meanSquares(panel, wanted, rows: rows, scale: scale)
}
