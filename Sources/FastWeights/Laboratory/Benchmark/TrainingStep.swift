/// What `Trainer` does at each step.
final class TrainingStep {
    private let network: Network
    private let engine: ParallelTraining
    private let optimizer: Optimizer
    private let data: SequenceData
    private var order: BatchOrder

    init(_ network: Network, _ data: SequenceData, batch: Int, team: ThreadTeam) {
        (self.network, self.data) = (network, data)
        engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
        optimizer = Optimizer(.adam(), network.parameters, engine.gradients, team: team)
        order = BatchOrder(count: data.count, batch: batch, seed: 1)
    }

    func run() {
        order.advance()
        _ = engine.gradient(data, order.indices)
        optimizer.step(rate: 1e-3, clip: 5)
    }

    /// Measures steps on so many threads.
    static func measure(
        _ network: Network, _ data: SequenceData, batch: Int, threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void
    ) {
        ThreadTeam.run(threads: threads) { team in
            let step = TrainingStep(network, data, batch: batch, team: team)
            measure { calls in for _ in 0..<calls { step.run() } }
        }
    }
}
