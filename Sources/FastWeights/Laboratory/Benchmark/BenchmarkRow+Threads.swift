// The rows of training steps on more threads than there are cores: measured on those there are, and taken apart.

extension BenchmarkRow {
    /// `threads/lstm/R=100/K=30/B=256`: a training step of eight or sixteen blocks, and on one thread its phases.
    static var threads: [BenchmarkRow] {
        let models = [
            ThreadsBench("fast-weights/R=50/K=4", AssociativeRetrieval.classifier(.fastWeights(50)), steps: 11),
            ThreadsBench("lstm/R=100/K=30", AssociativeRetrieval.classifier(.lstm(100)), steps: 63),
            ThreadsBench(
                "text-gru/R=128/T=64", NetworkConfiguration(.tokens(65), [.gru(128), .dense(65)]), steps: 64),
        ]
        return models.flatMap { model in
            [128, 256].map { batch in
                BenchmarkRow(
                    id: "threads/\(model.name)/B=\(batch)",
                    description: "training step, batch \(batch), T = \(model.steps)",
                    work: .timed(.milliseconds) { threads, measure in
                        model.training(batch: batch, threads: threads, measure)
                    },
                    usesThreads: true, phases: { model.phases(batch: batch, $0) })
            }
        }
    }
}

/// A network of tokens, and sequences of random tokens with random classes.
private struct ThreadsBench {
    let name: String
    let configuration: NetworkConfiguration
    let steps: Int

    init(_ name: String, _ configuration: NetworkConfiguration, steps: Int) {
        (self.name, self.configuration, self.steps) = (name, configuration, steps)
    }

    private func data(_ count: Int) -> SequenceData {
        let definition = configuration.definition
        var random = Random(seed: 1, stream: 3)
        func numbers(_ count: Int, below limit: Int) -> [Int] { (0..<count).map { _ in random.below(limit) } }
        let tokens = (0..<count).map { _ in numbers(steps, below: definition.input.vocabulary ?? 1) }
        let classes = definition.output.count
        let targets: SequenceData.Targets =
            definition.output.isPerStep
            ? .stepClasses((0..<count).map { _ in numbers(steps, below: classes) })
            : .classes(numbers(count, below: classes))
        do { return try SequenceData(.tokens(tokens), targets) } catch { misuse(error.description) }
    }

    func training(batch: Int, threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        TrainingStep.measure(Network(configuration, seed: 1), data(batch), batch: batch, threads: threads, measure)
    }

    /// What comes before and after the shards, and the sums of pairs at their ends, are timed alone; the shards are what is
    /// left of the gradient.
    func phases(batch: Int, _ bench: Benchmark) -> StepPhases {
        let (network, data, indices) = (Network(configuration, seed: 1), data(batch), Array(0..<batch))
        func seconds(_ body: () -> Void) -> Double {
            Benchmark.median(bench.time { calls in for _ in 0..<calls { body() } })
        }
        func phases(_ team: ThreadTeam) -> [StepPhases.Phase] {
            let engine = ParallelTraining(network.definition, network.parameters, longest: steps, team: team)
            let optimizer = Optimizer(.adam(), network.parameters, engine.gradients, team: team)
            let gradient = seconds { _ = engine.gradient(data, indices) }
            let weights = network.definition.weights(network.parameters)
            let sequences = NetworkBatch(longest: steps)
            let deal = seconds { sequences.set(data.inputs, data.targets, indices) }
            let pack = seconds { weights.pack() }
            let plan = engine.plan
            let (pairs, pieces) = (plan.count / 2, ParallelTraining.pieces(weights))
            let parts = (0..<plan.count).map { _ in Buffer<Float>(weights.gradientCount) }
            let addPairs = seconds {
                for pair in 0..<pairs { for range in weights.sums { parts[2 * pair].add(parts[2 * pair + 1], range) } }
            }
            let sums = stride(from: 0, to: plan.count, by: 2).map { parts[$0] }
            let sum = Buffer<Float>(weights.gradientCount)
            let add = seconds { for range in pieces { setSum(sums, sums.count, in: range, into: sum.pointer) } }
            let tables = seconds {
                for piece in 0..<weights.tablePieces {
                    weights.writeTableGradients(sum.pointer, into: sum.pointer, piece: piece)
                }
            }
            let step = seconds { optimizer.step(rate: 1e-3, clip: 5) }
            let shards = gradient - deal - pack - addPairs - add - tables
            func same(_ count: Int) -> [Int] { [Int](repeating: 1, count: count) }
            let updates = (0..<optimizer.pieces.count).map { optimizer.pieces[$0].count }
            return [
                StepPhases.Phase(name: "deal the batch", jobs: [1], seconds: deal),
                StepPhases.Phase(name: "pack the weights", jobs: same(weights.pieces), seconds: pack),
                StepPhases.Phase(name: "shards", jobs: plan.sizes, seconds: shards),
                // A part of the shards' job.
                StepPhases.Phase(name: "add up pairs", jobs: same(pairs), seconds: addPairs, barriers: 0),
                StepPhases.Phase(name: "add up the pairs' sums", jobs: pieces.map(\.count), seconds: add),
                StepPhases.Phase(name: "gradients of tables", jobs: same(weights.tablePieces), seconds: tables),
                StepPhases.Phase(name: "optimizer", jobs: updates, seconds: step, barriers: 2),
            ]
        }
        return StepPhases(phases: ThreadTeam.run(threads: 1) { phases($0) }, barrier: Self.barrier(bench))
    }

    /// Seconds of a job without work: the least, as on a busy machine the other thread comes late.
    private static func barrier(_ bench: Benchmark) -> Double {
        ThreadTeam.run(threads: 2) { team in
            let nothing = Job { _ in }
            return bench.time { calls in for _ in 0..<calls { team.perform(nothing, pieces: 2) } }.min() ?? 0
        }
    }
}
