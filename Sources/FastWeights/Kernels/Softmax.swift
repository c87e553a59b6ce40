// Softmax and cross-entropy of a panel of logits: one sample a lane, one class a row.

/// What a softmax subtracted and divided by, of each lane: log p = (z - largest) - logarithm, which is exact for any
/// finite logits; adding the two first would round the logarithm away beside a large logit.
struct SoftmaxScale {
    /// max z.
    var largest: Lanes
    /// Σ e^(z - max).
    var sum: Lanes

    /// Its logarithm, made anew each time that it is asked for.
    var logarithm: Lanes { naturalLogarithm(sum) }
}

/// Turns logits into probabilities, p = e^(z - max) / Σ e^(z - max).
@discardableResult
func softmax(_ logits: Panel, classes: Int) -> SoftmaxScale {
    let scale = exponentials(logits, classes: classes) { logits[$0] = $1 }
    let inverse = 1 / scale.sum
    for c in 0..<classes { logits[c] *= inverse }
    return scale
}

/// What a softmax subtracts and divides by; `body` gets each term of Σ e^(z - max) with its class.
@inline(__always)
private func exponentials(
    _ logits: Panel, classes: Int, _ body: (_ c: Int, _ power: Lanes) -> Void
) -> SoftmaxScale {
    var largest = logits[0]
    for c in 1..<max(classes, 1) { largest = largest.lanewiseMax(logits[c]) }
    var sum = Lanes.zero
    for c in 0..<classes {
        let power = (logits[c] - largest).exponential()
        body(c, power)
        sum += power
    }
    return SoftmaxScale(largest: largest, sum: sum)
}

/// What `crossEntropy` found in one block.
struct BlockLoss {
    /// Σ of the losses of the block's targets.
    var loss = 0.0
    /// Samples whose most probable class is not the target (the first of equals counts), or numbers missed by
    /// `binaryCrossEntropy`.
    var errors = 0

    static func += (a: inout BlockLoss, b: BlockLoss) {
        a.loss += b.loss
        a.errors += b.errors
    }
}

/// What the classes of a cross-entropy weigh, and how much of a label goes to all of them: the label y counts as
/// q_c = (1 - ε)·w_y·[c = y] + ε/C·w_c, and the loss is -Σ q_c log p_c.
struct ClassWeights {
    /// w, one a class; nil stands for 1 each.
    var weights: UnsafePointer<Float>?
    /// ε, 0 to 1.
    var smoothing: Float = 0

    /// Every class as heavy as another, and labels as they are.
    static var equal: ClassWeights { ClassWeights() }

    /// w_c.
    @inline(__always) func weight(_ c: Int) -> Float { weights.map { $0[c] } ?? 1 }

    /// (1 - ε)·w_y, what of a label falls on its class alone.
    @inline(__always) fileprivate func own(_ label: Int) -> Float { (1 - smoothing) * weight(label) }

    /// ε/C·w_c, what of any label falls on a class.
    @inline(__always) fileprivate func shared(_ c: Int, of classes: Int) -> Float {
        smoothing / Float(classes) * weight(c)
    }
}

/// The class of each lane with the largest logit, the first of equals.
@inline(__always)
private func mostProbable(_ logits: Panel, classes: Int) -> SIMD16<Int32> {
    var (largest, best) = (logits[0], SIMD16<Int32>.zero)
    for c in 1..<max(classes, 1) {
        let isLarger = logits[c] .> largest
        largest.replace(with: logits[c], where: isLarger)
        best.replace(with: Int32(truncatingIfNeeded: c), where: isLarger)
    }
    return best
}

/// Loss and errors of the first `count` lanes. In: logits. Out: scale·(Σq·p - q), the gradient of scale·Σ loss by the
/// logits, zero in the lanes behind `count`; without a scale they stay. A lane with a negative target does not count either.
///
/// Of classes that weigh the same and labels as they are, q is onehot(target) and the loss -log p(target).
func crossEntropy<Label: FixedWidthInteger>(
    _ logits: Panel, classes: Int, targets: UnsafePointer<Label>, count: Int, scale: Float?,
    _ weights: ClassWeights = .equal
) -> BlockLoss {
    var result = BlockLoss()
    let values = floats(logits)
    var weight = Lanes.zero
    let factor = scale ?? 0
    let isSmoothed = weights.smoothing > 0
    let best = mostProbable(logits, classes: classes)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: Lanes.width) { targetLogits in
        for lane in 0..<count where targets[lane] >= 0 {
            let target = Int(truncatingIfNeeded: targets[lane])
            require(target < classes, "target \(target) is not among \(classes) classes")
            if Int(best[lane]) != target { result.errors += 1 }
            targetLogits[lane] = values[target * Lanes.width + lane]
            weight[lane] = factor * weights.own(target)
        }
        // Σ of what falls on any class, and Σ of its losses but for the logarithm, whose terms are all of one sign.
        var (shared, distance) = (Float(0), Lanes.zero)
        if isSmoothed {
            var largest = logits[0]
            for c in 1..<max(classes, 1) { largest = largest.lanewiseMax(logits[c]) }
            for c in 0..<classes {
                let share = weights.shared(c, of: classes)
                shared += share
                distance = distance.mad(share, largest - logits[c])
            }
        }
        let softmaxScale =
            scale == nil
            ? exponentials(logits, classes: classes) { _, _ in } : softmax(logits, classes: classes)
        let logarithms = softmaxScale.logarithm
        for lane in 0..<count where targets[lane] >= 0 {
            let own = weights.own(Int(truncatingIfNeeded: targets[lane]))
            let logarithm = Double(logarithms[lane])
            result.loss += Double(own) * (logarithm + Double(softmaxScale.largest[lane] - targetLogits[lane]))
            if isSmoothed {
                result.loss += Double(shared) * logarithm + Double(distance[lane])
                weight[lane] += factor * shared
            }
        }
    }
    guard let scale else { return result }
    for c in 0..<classes { logits[c] *= weight }
    for lane in 0..<count where targets[lane] >= 0 {
        let target = Int(truncatingIfNeeded: targets[lane])
        values[target * Lanes.width + lane] -= scale * weights.own(target)
        if isSmoothed {
            for c in 0..<classes { values[c * Lanes.width + lane] -= scale * weights.shared(c, of: classes) }
        }
    }
    return result
}

/// Σ of (y - target)² over the targets that are not NaN. In: y, `rows` numbers a lane. Out: 2·scale·(y - target), the
/// gradient of scale·Σ loss, zero where the target is NaN; without a scale y stays.
func meanSquares(_ y: Panel, _ targets: Panel, rows: Int, scale: Float?) -> BlockLoss {
    var result = BlockLoss()
    for r in 0..<rows {
        let target = targets[r]
        let d = (y[r] - target).replacing(with: 0, where: target .!= target)
        result.loss += Double((d * d).laneSum)
        if let scale { y[r] = d * (2 * scale) }
    }
    return result
}

/// Σ of (1 - t)·log(1 + e^z) + w·t·log(1 + e^-z) over the targets t that are not NaN, with w of the row in `weights`, nil
/// standing for 1 each: -(1 - t)·log(1 - σ(z)) - w·t·log σ(z), exact for any finite z. In: z, `rows` logits a lane. Out:
/// scale·((1 - t)·σ(z) - w·t·σ(-z)), the gradient of scale·Σ loss, zero where the target is NaN; without a scale z stays. A
/// target on the other side of ½ than σ(z) is missed; z = 0 says 0.
func binaryCrossEntropy(
    _ z: Panel, _ targets: Panel, rows: Int, weights: UnsafePointer<Float>?, scale: Float?
) -> BlockLoss {
    var result = BlockLoss()
    for r in 0..<rows {
        let isMissing = targets[r] .!= targets[r]
        let positive = (targets[r] * (weights.map { $0[r] } ?? 1)).replacing(with: 0, where: isMissing)
        let negative = (1 - targets[r]).replacing(with: 0, where: isMissing)
        let logit = z[r]
        let magnitude = logit.lanewiseMax(0 - logit)
        let small = (0 - magnitude).exponential()
        for lane in 0..<Lanes.width where !isMissing[lane] {
            // log(1 + e^z) = max(z, 0) + log(1 + e^-|z|); NaN is the caller's to report.
            let (z, more) = (Double(logit[lane]), 1 + Double(small[lane]))
            let logarithm = more.isFinite ? naturalLogarithm(more) : .nan
            if z > 0 ? targets[r][lane] < 0.5 : targets[r][lane] > 0.5 { result.errors += 1 }
            result.loss +=
                Double(negative[lane]) * (max(z, 0) + logarithm) + Double(positive[lane]) * (max(-z, 0) + logarithm)
        }
        guard let scale else { continue }
        z[r] = (negative * logit.sigmoid() - positive * (0 - logit).sigmoid()) * scale
    }
    return result
}
