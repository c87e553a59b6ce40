import Synchronization

/// Two shards of a batch whose gradients are added up as soon as both are there, most often by the core that has both at
/// hand.
final class ShardPair: Sendable {
    private let ended = Atomic<Int>(0)

    /// Whether the other shard has ended before this one.
    func isSecondToEnd() -> Bool { ended.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue % 2 == 1 }
}

/// Σ of the first `count` parts, in their order, in a range of their numbers.
func setSum(_ parts: [Buffer<Float>], _ count: Int, in range: Range<Int>, into target: UnsafeMutablePointer<Float>) {
    (target + range.lowerBound).update(from: parts[0].pointer + range.lowerBound, count: range.count)
    for s in 1..<max(count, 1) {
        let source = parts[s].pointer
        for i in range { target[i] += source[i] }
    }
}
