// Gradients clipped to a Euclidean norm.

extension Parameters {
    /// √Σx² over all numbers of all tensors. O(numbers).
    public var norm: Float {
        let pieces = Pieces(of: layout.blockCount)
        return Float((0..<pieces.count).reduce(0.0) { $0 + sumOfSquares(block, pieces[$1]) }.squareRoot())
    }

    /// Scales all numbers so that their norm is at most `limit`, as PyTorch's `clip_grad_norm_`: by limit / (norm + 10⁻⁶)
    /// where that is below 1. Returns the norm before. Traps unless the limit is above 0. O(numbers).
    @discardableResult
    public func clip(toNorm limit: Float) -> Float {
        require(limit > 0, "numbers are clipped to a norm above 0, found \(limit)")
        let norm = norm
        let factor = clipFactor(norm: norm, limit: limit)
        if factor < 1 { block.scale(0..<layout.blockCount, by: factor) }
        return norm
    }
}

/// Σ g² over a range: runs of 1024 in single precision, their sum in double.
func sumOfSquares(_ gradients: Buffer<Float>, _ range: Range<Int>) -> Double {
    let g = gradients.pointer
    var total = 0.0
    var i = range.lowerBound
    while i < range.upperBound {
        let end = min(i + 1024, range.upperBound)
        var sum = Lanes.zero
        while i + Lanes.width <= end {
            let v = Lanes(at: g + i)
            sum = sum.mad(v, v)
            i += Lanes.width
        }
        total += Double(sum.laneSum)
        while i < end {
            total += Double(g[i]) * Double(g[i])
            i += 1
        }
    }
    return total
}

/// The factor that brings a Euclidean norm to `limit`: limit / (norm + 10⁻⁶) as PyTorch's `clip_grad_norm_` has it, and
/// 1 where the norm is below.
func clipFactor(norm: Float, limit: Float) -> Float {
    norm + 1e-6 > limit ? limit / (norm + 1e-6) : 1
}
