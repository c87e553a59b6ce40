// Softmax and cross-entropy of a panel of logits: one sample a lane, one class a row.

/// Turns logits into probabilities, p = e^(z - max) / Σ e^(z - max), and returns log Σ e^z of each lane, so that
/// log p = z - that. Exact for any finite logits: the largest is subtracted first.
func softmax(_ logits: Panel, classes: Int) -> Lanes {
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
    var logarithm = largest
    for lane in 0..<Lanes.width {
        // NaN and infinities have no exponent to take apart; they are the caller's to report.
        logarithm[lane] += sum[lane].isFinite ? Float(naturalLogarithm(Double(sum[lane]))) : .nan
    }
    return logarithm
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
        let logarithm = softmax(logits, classes: classes)
        for lane in 0..<count { result.loss += Double(logarithm[lane] - targetLogits[lane]) }
    }
    var weight = Lanes.zero
    for lane in 0..<count { weight[lane] = scale }
    for c in 0..<classes { logits[c] *= weight }
    for lane in 0..<count { values[Int(targets[lane]) * Lanes.width + lane] -= scale }
    return result
}
