// The rows of whole networks: training steps, inference, and the memory of a training step.

extension BenchmarkRow {
    /// The models that are timed; each has a counterpart in every other framework.
    static let models = ["irnn", "lstm", "gru", "fast-weights"].map(RetrievalModel.named)

    /// R and K of the networks. There are 26 letters, so K = 30 is a sequence of random tokens, for timing alone.
    private static let networkSizes: [(hidden: Int, pairs: Int)] =
        [4, 30].flatMap { pairs in [20, 50, 100].map { ($0, pairs) } } + [(256, 30)]

    private static let batch = 128

    /// `training/lstm/R=50/K=4`: a batch of 128 through forward pass, backward pass, clipping and Adam.
    static var trainings: [BenchmarkRow] {
        models.flatMap { model in
            networkSizes.map { size in
                let bench = NetworkBench(model.cell, hidden: size.hidden, steps: 2 * size.pairs + 3)
                return BenchmarkRow(
                    id: "training/\(model.name)/R=\(size.hidden)/K=\(size.pairs)",
                    description: "training step, \(model.title), batch \(batch), T = \(bench.steps)",
                    work: .timed(.milliseconds) { threads, measure in
                        bench.training(batch: batch, batches: 10, threads: threads, measure)
                    },
                    usesThreads: true, isQuick: size == (50, 4),
                    operations: bench.operations(batch: batch).trainingStep * Double(batch))
            }
        }
    }

    /// `share/lstm/R=50/K=4`: the same step on several threads, against unrelated trainings on one thread each that run side
    /// by side: what they lose of that is what sharing a step costs, and not what the machine's cores take from each other.
    static var shares: [BenchmarkRow] {
        models.flatMap { model in
            networkSizes.filter { $0.hidden >= 50 }.map { size in
                let bench = NetworkBench(model.cell, hidden: size.hidden, steps: 2 * size.pairs + 3)
                return BenchmarkRow(
                    id: "share/\(model.name)/R=\(size.hidden)/K=\(size.pairs)",
                    description: "speed of a shared training step, of unshared ones side by side, \(model.title)",
                    work: .shared { bench.sharedTraining(batch: batch, batches: 10, threads: $0) },
                    usesThreads: true, leastThreads: 2)
            }
        }
    }

    /// `inference/lstm/R=50/K=4`: ten batches through the forward pass and the loss; two at R = 256.
    static var inferences: [BenchmarkRow] {
        models.flatMap { model in
            networkSizes.map { size in
                let bench = NetworkBench(model.cell, hidden: size.hidden, steps: 2 * size.pairs + 3)
                let count = (size.hidden > 100 ? 2 : 10) * batch
                return BenchmarkRow(
                    id: "inference/\(model.name)/R=\(size.hidden)/K=\(size.pairs)",
                    description: "inference, \(model.title), batch \(batch), T = \(bench.steps)",
                    work: .timed(.rate(Double(count), unit: "sequences/s")) { threads, measure in
                        bench.inference(count: count, threads: threads, measure)
                    }, usesThreads: true, isQuick: size == (50, 4),
                    operations: bench.operations(batch: count).forward * Double(count))
            }
        }
    }

    /// `fast-memory/list/R=50/T=150`: a training step with the fast matrix held in one way or another, at a third of the
    /// length where list and chunks should cost the same, at it, and at twice it.
    static var fastMemories: [BenchmarkRow] {
        [25, 50, 100].flatMap { hidden in
            [hidden, 3 * hidden, 6 * hidden].flatMap { steps in
                [("list", FastWeightsOptions.MemoryForm.list), ("chunks", .chunks(hidden)), ("automatic", .automatic)]
                    .map {
                        name, form in
                        let bench = NetworkBench(
                            .fastWeights(FastWeightsOptions(memory: form)), hidden: hidden, steps: steps)
                        return BenchmarkRow(
                            id: "fast-memory/\(name)/R=\(hidden)/T=\(steps)",
                            description: "training step, fast memory as \(name), batch \(batch)",
                            work: .timed(.milliseconds) { threads, measure in
                                bench.training(batch: batch, batches: 1, threads: threads, measure)
                            }, usesThreads: true,
                            operations: bench.operations(batch: batch).trainingStep * Double(batch))
                    }
            }
        }
    }

    /// `memory/lstm/R=100/T=2000`: the buffers that a training step holds at its peak.
    static var memories: [BenchmarkRow] {
        models.map { model in
            let bench = NetworkBench(model.cell, hidden: 100, steps: 2000)
            return BenchmarkRow(
                id: "memory/\(model.name)/R=100/T=2000",
                description: "buffers of a training step, \(model.title), batch \(batch)",
                work: .megabytes { Double(bench.trainingBytes(batch: batch)) * 1e-6 })
        }
    }
}

/// A network of the paper's experiment with sequences of any length.
private struct NetworkBench {
    let cell: Cell
    let hidden: Int
    let steps: Int

    init(_ cell: Cell, hidden: Int, steps: Int) { (self.cell, self.hidden, self.steps) = (cell, hidden, steps) }

    var network: Network { Network(AssociativeRetrieval.classifier(cell.layer(hidden)), seed: 1) }

    /// Of one sequence of so many that share a token table.
    func operations(batch: Int) -> FloatingPointOperations {
        FloatingPointOperations(cell, hidden: hidden, steps: steps, batch: batch)
    }

    /// Examples of the task, or random tokens where a sequence is longer than its 26 letters allow.
    func examples(_ count: Int) -> SequenceData {
        if let task = try? AssociativeRetrieval(pairs: (steps - 3) / 2), task.steps == steps,
            let sets = try? task.generate(counts: [count], seed: 1)
        {
            return sets[0].sequences
        }
        var random = Random(seed: 1, stream: 3)
        return Examples(
            tokens: (0..<count * steps).map { _ in UInt8(random.below(AssociativeRetrieval.vocabulary)) },
            targets: (0..<count).map { _ in UInt8(random.below(AssociativeRetrieval.classes)) }, steps: steps
        ).sequences
    }

    func training(batch: Int, batches: Int, threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        TrainingStep.measure(network, examples(batch * batches), batch: batch, threads: threads, measure)
    }

    func sharedTraining(
        batch: Int, batches: Int, threads: Int
    ) -> (together: (_ calls: Int) -> Double, apart: (_ calls: Int) -> Double) {
        let (network, examples) = (network, examples(batch * batches))
        let steps = (0..<threads).map { _ in TrainingStep(network, examples, batch: batch, team: .alone) }
        return (
            together: { calls in
                ThreadTeam.run(threads: threads) { team in
                    let step = TrainingStep(network, examples, batch: batch, team: team)
                    step.run()
                    return Benchmark.elapsed { for _ in 0..<calls { step.run() } }
                }
            },
            apart: { calls in
                Benchmark.elapsed {
                    ParallelLoop.run(threads, threads: threads) { thread in
                        Subnormals.flushed { for _ in 0..<calls { steps[thread].run() } }
                    }
                }
            }
        )
    }

    func inference(count: Int, threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        let (network, examples) = (network, examples(count))
        ThreadTeam.run(threads: threads) { team in
            let engine = ParallelInference(network.definition.weights(network.parameters), team: team)
            measure { calls in for _ in 0..<calls { _ = engine.evaluate(examples) } }
        }
    }

    func trainingBytes(batch: Int) -> Int {
        ThreadTeam.run(threads: 1) { team in
            let step = TrainingStep(network, examples(batch), batch: batch, team: team)
            step.run()
            return bufferBytes(reachableFrom: step)
        }
    }
}
