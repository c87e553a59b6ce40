/// How many clips of a batch read their own frames rather than true ones, behind the context, while a model is trained
/// (Bengio et al. 2015): of B clips, after i steps, B·k / (k + exp(i / k)) read the true one, which ones is drawn anew for each
/// frame. Half of them are their own after k·ln k steps.
public struct ScheduledSampling: Sendable, Equatable {
    /// k, steps; nil for own frames from the beginning.
    public var decay: Double?

    /// A schedule that falls over some multiple of `decay` steps, or with nil own frames from the beginning. Traps unless the
    /// decay is a number above 0.
    public init(decay: Double?) {
        require(decay.map { $0 > 0 && $0.isFinite } ?? true, "the decay of sampling is above 0, found \(decay ?? 0)")
        self.decay = decay
    }

    /// Clips of `batch` that read a true frame after `step` steps.
    func trueCount(batch: Int, step: Int) -> Int {
        guard let k = decay else { return 0 }
        let growth = Lanes(repeating: Float(Double(step) / k)).exponential()[0]
        return Int((Double(batch) * k / (k + Double(growth))).rounded())
    }

    /// Which steps and clips read a true frame, [steps, batch], drawn with `seed`.
    func draw(steps: Int, batch: Int, step: Int, seed: UInt64) -> [Bool] {
        let count = trueCount(batch: batch, step: step)
        guard count > 0 else { return [] }
        var random = Random(seed: seed, stream: 5)
        var order = Array(0..<batch)
        var result = [Bool](repeating: false, count: steps * batch)
        for t in 0..<steps {
            random.shuffle(&order)
            for clip in order.prefix(count) { result[t * batch + clip] = true }
        }
        return result
    }
}
