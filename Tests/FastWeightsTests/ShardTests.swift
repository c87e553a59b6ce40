import Testing

@testable @_spi(Laboratory) import FastWeights

/// The loss and the gradient of a batch are those of its sequences alone, whichever blocks and shards they fall into.
@Suite struct ShardTests {
    /// Sequences a batch: a block that is not full and one that is, one to four shards, several blocks in each, and of more
    /// than eight blocks a shard for each; one of these first, so that others come with fewer shards after it.
    static let batches = [1, 16, 17, 149, 33, 48, 49, 64, 90, 130, 146]

    /// The losses of some sequences, and ∂(their sum).
    struct Result {
        var losses = LossSum()
        var gradient: [Double]

        init(_ losses: LossSum, _ gradients: Parameters) {
            self.losses = losses
            gradient = gradients.block.array.map { Double($0) * Double(losses.terms) }
        }

        static func += (a: inout Result, b: Result) {
            a.losses += b.losses
            for i in a.gradient.indices { a.gradient[i] += b.gradient[i] }
        }
    }

    /// Compares each batch's first so many sequences with the sequences alone, tensor by tensor.
    static func compare(
        _ layout: Parameters.Layout, count: Int, sourceLocation: SourceLocation = #_sourceLocation,
        _ gradient: ([Int]) -> Result
    ) {
        let alone = (0..<count).map { gradient([$0]) }
        for batch in batches where batch <= count {
            let found = gradient(Array(0..<batch))
            let expected = alone[1..<batch].reduce(into: alone[0]) { $0 += $1 }
            let (losses, sum) = (found.losses, expected.losses)
            #expect(
                abs(losses.total - sum.total) < 1e-5 * sum.total && losses.errors == sum.errors
                    && losses.terms == sum.terms, "\(batch) sequences", sourceLocation: sourceLocation)
            for window in layout.windows {
                let range = window.offset..<window.offset + window.count
                let largest = expected.gradient[range].reduce(0) { max($0, abs($1)) }
                let worst = range.reduce(0) { max($0, abs(found.gradient[$1] - expected.gradient[$1])) }
                #expect(
                    largest > 0 && worst < 1e-5 * largest,
                    "\(window.name) of \(batch) sequences: wrong by \(worst) of \(largest)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: [false, true], [TestHead.perSequence(3), .perStep(3)])
    func ofSequences(areTokens: Bool, head: TestHead) throws {
        let network = Network(
            NetworkConfiguration.stack(
                .gru, input: 5, hidden: 4, layers: 2, isBidirectional: true, head: head, tokens: areTokens), seed: 1)
        let data = try SequenceTrainingTests.data(head, count: 150, isToken: areTokens)
        ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
            Self.compare(network.configuration.layout, count: data.count) { indices in
                Result(engine.gradient(data, indices), engine.gradients)
            }
        }
    }

    @Test(arguments: [Cell.lstm(), .fastWeights()])
    func ofTokens(cell: Cell) throws {
        let model = Network(
            NetworkConfiguration.classifier(cell, hidden: 5, vocabulary: 37, classes: 10, embedding: 6, head: 7),
            seed: 2)
        let examples = try AssociativeRetrieval(pairs: 2).generate(counts: [150], seed: 1)[0].sequences
        ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(model.definition, model.parameters, longest: examples.longest, team: team)
            Self.compare(model.configuration.layout, count: examples.count) { indices in
                Result(engine.gradient(examples, indices), engine.gradients)
            }
        }
    }

    @Test func ofImages() throws {
        let configuration = ConvolutionTests.configurations[1]
        let network = Network(configuration, seed: 3)
        let size = configuration.definition.input.count
        let data = try SequenceData(
            .numbers((0..<150).map { CellTests.random(size, UInt64($0)) }, width: size),
            .classes((0..<150).map { $0 % configuration.output }))
        ThreadTeam.run(threads: 2) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: 1, team: team)
            Self.compare(configuration.layout, count: data.count) { indices in
                Result(engine.gradient(data, indices), engine.gradients)
            }
        }
    }

    // MARK: How many

    @Test func shardsFollowFromTheBatchAndTheModel() {
        func shards(_ gradients: Int = 1000, _ blocks: Int...) -> [Int] {
            blocks.map { ShardPlan(blocks: $0, gradients: gradients, isEven: true).count }
        }
        #expect(shards(1000, 1, 2, 3, 4, 5, 8) == [1, 2, 3, 4, 4, 4])
        #expect(shards(1000, 9, 10, 16, 63, 64, 65, 1000) == [9, 10, 16, 63, 64, 64, 64])
        // Gradients of 2²⁶ floats at most, or four of them.
        #expect(shards(1 << 20, 9, 64, 1000) == [9, 64, 64])
        #expect(shards(1 << 22, 9, 16, 17, 1000) == [9, 16, 16, 16])
        #expect(shards(1 << 24, 4, 8, 9, 1000) == [4, 4, 4, 4])
        #expect(shards(1 << 30, 3, 8, 9, 1000) == [3, 4, 4, 4])
        #expect(shards(0, 9, 100) == [9, 64])
    }

    /// Every block is in one shard, whose sizes differ by one at most.
    @Test(arguments: [false, true])
    func aPlanHasEveryBlockOnce(isEven: Bool) {
        for blocks in 1...130 {
            let plan = ShardPlan(blocks: blocks, gradients: 1000, isEven: isEven)
            let dealt = (0..<plan.count).map { Array(plan.blocks(of: $0)) }
            #expect(dealt.flatMap { $0 }.sorted() == Array(0..<blocks))
            #expect(plan.sizes == dealt.map(\.count) && plan.sizes.max()! - plan.sizes.min()! < 2)
        }
        let plan = ShardPlan(blocks: 8, gradients: 1000, isEven: isEven)
        #expect((0..<4).map { Array(plan.blocks(of: $0)) }[1] == (isEven ? [2, 3] : [1, 5]))
    }

    /// Of an engine of any number of threads, eight blocks are four shards, and sixteen are sixteen.
    @Test(arguments: [1, 2, 3, 8, 16])
    func shardsDoNotFollowTheNumberOfThreads(threads: Int) throws {
        let network = Network(
            NetworkConfiguration(.tokens(7), [.embedding(3), .gru(4), .lastStep, .dense(3)]), seed: 1)
        let data = try LayerNetworks.data(network.configuration, count: 256)
        ThreadTeam.run(threads: threads) { team in
            let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
            let bytes = [128, 256].map { count in
                _ = engine.gradient(data, Array(0..<count))
                #expect(engine.plan.sizes == (count == 128 ? [2, 2, 2, 2] : [Int](repeating: 1, count: 16)))
                return bufferBytes(reachableFrom: engine)
            }
            // Each shard has gradients of its own; a sequence of a batch has a number, its first step and a length.
            let gradients = network.definition.weights(network.parameters).gradientCount
            #expect(
                bytes[1] - bytes[0]
                    == (16 - 4) * gradients * MemoryLayout<Float>.size + (256 - 128) * 3 * MemoryLayout<Int>.size)
        }
    }

    // MARK: The same bits

    /// Sixteen blocks of sequences that differ in length, with dropout, in training and without it.
    @Test(arguments: LayerNetworks.all)
    func everyKindOfLayerHasTheSameBits(configuration: NetworkConfiguration) throws {
        let data = try LayerNetworks.data(configuration, count: 256)
        try Self.expectSameBits { team in
            let network = Network(configuration, seed: 1)
            let engine = ParallelTraining(network.definition, network.parameters, longest: data.longest, team: team)
            let loss = engine.gradient(data, Array(0..<256), dropoutSeed: 5)
            return ([loss.total, engine.evaluate(data).total], engine.gradients.block.array)
        }
    }

    /// Sixteen blocks of a text's streams, whose states go on from window to window.
    @Test(arguments: [Cell.gru, .fastWeights()])
    func aTextHasTheSameBits(cell: Cell) throws {
        let content = Array([[UInt8]](repeating: TextModelTests.content, count: 3).joined())
        let vocabulary = TextVocabulary(of: content)
        let text = try TrainingText(content, vocabulary)
        try Self.expectSameBits { team in
            let model = TextModel(cell, hidden: 5, layers: 2, vocabulary: vocabulary, seed: 1)
            let source = TextSource(model, text, window: 3, streams: 250, team)
            let optimizer = Optimizer(.adam(), model.network.parameters, source.gradients, team: team)
            let losses = (0..<3).map { step in
                let loss = source.advance(step: step)
                optimizer.step(rate: 1e-2, clip: 1)
                return loss.total
            }
            return (
                losses + [source.evaluate().loss], model.network.parameters.block.array + source.carried!.block.array
            )
        }
    }

    /// Five workers of an agent that plays catch, of sixteen episodes each.
    @Test(arguments: [Cell.lstm(), .fastWeights()])
    func anAgentHasTheSameBits(cell: Cell) throws {
        var options = CatchOptions()
        options.workers = 5
        try Self.expectSameBits { team in
            let agent = try CatchAgent(cell, hidden: 5, task: Catch(size: 5, visibleFrames: 2), seed: 1)
            let learner = SynchronousLearner(agent, options, team: team)
            var curve = CatchCurve()
            for _ in 0..<3 { try learner.advance(&curve) }
            return ([curve.mark(options)(0).loss], agent.network.parameters.block.array)
        }
    }

    /// Expects what a team of 2, 3, 8 or 16 threads finds, losses and numbers, to be what one thread finds.
    private static func expectSameBits(
        sourceLocation: SourceLocation = #_sourceLocation, _ found: (ThreadTeam) throws -> (losses: [Double], [Float])
    ) throws {
        let one = try ThreadTeam.run(threads: 1, found)
        #expect(one.losses.allSatisfy { $0.isFinite && $0 != 0 } && one.1.contains { $0 != 0 })
        for threads in [2, 3, 8, 16] {
            let other = try ThreadTeam.run(threads: threads, found)
            expectSame(other.losses, one.losses, "losses of \(threads) threads", sourceLocation: sourceLocation)
            expectSame(other.1, one.1, "\(threads) threads", sourceLocation: sourceLocation)
        }
    }

    /// Batches of 9, 10 and 65 blocks and of as many shards or one less, whose sequences are of one length and dealt in a row,
    /// or are not and are dealt in turn: at any number of threads the bits are the same, however the shards meet.
    @Test(arguments: [false, true])
    func sameBitsForAnyNumberOfThreads(isEven: Bool) throws {
        let head = TestHead.perSequence(3)
        let network = Network(
            NetworkConfiguration(.tokens(5), [.embedding(3), .gru(4), .dropout(0.2), .lastStep, .dense(3)]), seed: 1)
        let unequal = try SequenceTrainingTests.data(head, count: 1030, isToken: true)
        let data =
            isEven
            ? try SequenceData(
                .tokens((0..<1030).map { i in (0..<4).map { (i / 7 + $0 * i) % 5 } }),
                .classes((0..<1030).map { $0 % 3 }))
            : unequal
        func found(_ threads: Int) -> (losses: [LossSum], gradients: [[Float]]) {
            ThreadTeam.run(threads: threads) { team in
                let engine = ParallelTraining(
                    network.definition, network.parameters, longest: data.longest, team: team)
                var (losses, gradients): ([LossSum], [[Float]]) = ([], [])
                for count in [130, 149, 1030, 130] {
                    losses.append(engine.gradient(data, Array(0..<count), dropoutSeed: 5))
                    gradients.append(engine.gradients.block.array)
                }
                return (losses, gradients)
            }
        }
        let one = found(1)
        #expect(one.losses[0] == one.losses[3] && one.losses[0] != one.losses[1])
        expectSame(one.gradients[0], one.gradients[3])
        for threads in [2, 3, 8, 16] {
            let other = found(threads)
            #expect(other.losses == one.losses, "\(threads) threads")
            for (a, b) in zip(other.gradients, one.gradients) { expectSame(a, b, "\(threads) threads") }
        }
    }
}
