// Softmax and cross-entropy of a panel of logits: one sample a lane, one class a row.

/// What a softmax subtracted and divided by, of each lane: log p = (z - largest) - logarithm, which is exact for any
/// finite logits; adding the two first would round the logarithm away beside a large logit.
struct SoftmaxScale {
    /// max z.
    var largest: Lanes
    /// log Σ e^(z - max).
    var logarithm: Lanes
}

/// Turns logits into probabilities, p = e^(z - max) / Σ e^(z - max).
@discardableResult
func softmax(_ logits: Panel, classes: Int) -> SoftmaxScale {
    var largest = logits[0]
    for c in 1..<max(classes, 1) { largest = largest.lanewiseMax(logits[c]) }
    var sum = Lanes.zero
    for c in 0..<classes {
        let e = (logits[c] - largest).exponential()
        logits[c] = e
        sum += e
    }
    let inverse = 1 / sum
    for c in 0..<classes { logits[c] *= inverse }
    var logarithm = Lanes.zero
    for lane in 0..<Lanes.width {
        // NaN and infinities have no exponent to take apart; they are the caller's to report.
        logarithm[lane] = sum[lane].isFinite ? Float(naturalLogarithm(Double(sum[lane]))) : .nan
    }
    return SoftmaxScale(largest: largest, logarithm: logarithm)
}

/// What `crossEntropy` found in one block.
struct BlockLoss {
    /// Σ of -log p(target) over the block's samples, in nats; or of squares.
    var loss = 0.0
    /// Samples whose most probable class is not the target (the first of equals counts).
    var errors = 0

    static func += (a: inout BlockLoss, b: BlockLoss) {
        a.loss += b.loss
        a.errors += b.errors
    }
}

/// Loss and errors of the first `count` lanes. In: logits. Out: scale·(p - onehot(target)), the gradient of
/// scale·Σ loss by the logits, zero in the lanes behind `count`. A lane with a negative target does not count either.
func crossEntropy<Label: FixedWidthInteger>(
    _ logits: Panel, classes: Int, targets: UnsafePointer<Label>, count: Int, scale: Float
) -> BlockLoss {
    var result = BlockLoss()
    let values = floats(logits)
    var weight = Lanes.zero
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Lanes.width) { targetLogits in
        for lane in 0..<count where targets[lane] >= 0 {
            let target = Int(truncatingIfNeeded: targets[lane])
            require(target < classes, "target \(target) is not among \(classes) classes")
            var best = 0
            for c in 1..<max(classes, 1) where values[c * Lanes.width + lane] > values[best * Lanes.width + lane] {
                best = c
            }
            if best != target { result.errors += 1 }
            targetLogits[lane] = values[target * Lanes.width + lane]
            weight[lane] = scale
        }
        let scale = softmax(logits, classes: classes)
        for lane in 0..<count where targets[lane] >= 0 {
            result.loss += Double(scale.logarithm[lane]) + Double(scale.largest[lane] - targetLogits[lane])
        }
    }
    for c in 0..<classes { logits[c] *= weight }
    for lane in 0..<count where targets[lane] >= 0 {
        values[Int(truncatingIfNeeded: targets[lane]) * Lanes.width + lane] -= scale
    }
    return result
}

/// Σ of (y - target)² over the targets that are not NaN. In: y, `rows` numbers a lane. Out: 2·scale·(y - target), the
/// gradient of scale·Σ loss, zero where the target is NaN.
func meanSquares(_ y: Panel, _ targets: Panel, rows: Int, scale: Float) -> BlockLoss {
    var result = BlockLoss()
    for r in 0..<rows {
        let target = targets[r]
        let d = (y[r] - target).replacing(with: 0, where: target .!= target)
        result.loss += Double((d * d).laneSum)
        y[r] = d * (2 * scale)
    }
    return result
}
