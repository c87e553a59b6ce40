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
    /// Σ of -log p(target) over the block's samples, in nats.
    var loss = 0.0
    /// Samples whose most probable class is not the target (the first of equals counts).
    var errors = 0

    static func += (a: inout BlockLoss, b: BlockLoss) {
        a.loss += b.loss
        a.errors += b.errors
    }
}

/// Loss and errors of the first `count` lanes. In: logits. Out: scale·(p - onehot(target)), the gradient of
/// scale·Σ loss by the logits, zero in the lanes behind `count`.
func crossEntropy(
    _ logits: Panel, classes: Int, targets: UnsafePointer<UInt8>, count: Int, scale: Float
) -> BlockLoss {
    var result = BlockLoss()
    let values = floats(logits)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Lanes.width) { targetLogits in
        for lane in 0..<count {
            let target = Int(targets[lane])
            precondition(target < classes, "target \(target) is not among \(classes) classes")
            var best = 0
            for c in 1..<max(classes, 1) where values[c * Lanes.width + lane] > values[best * Lanes.width + lane] {
                best = c
            }
            if best != target { result.errors += 1 }
            targetLogits[lane] = values[target * Lanes.width + lane]
        }
        let scale = softmax(logits, classes: classes)
        for lane in 0..<count {
            result.loss += Double(scale.logarithm[lane]) + Double(scale.largest[lane] - targetLogits[lane])
        }
    }
    var weight = Lanes.zero
    for lane in 0..<count { weight[lane] = scale }
    for c in 0..<classes { logits[c] *= weight }
    for lane in 0..<count { values[Int(targets[lane]) * Lanes.width + lane] -= scale }
    return result
}
