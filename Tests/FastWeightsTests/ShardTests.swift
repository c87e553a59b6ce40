import Testing

@testable import FastWeights

/// The loss and the gradient of a batch are those of its sequences alone, whichever blocks and shards they fall into.
@Suite struct ShardTests {
    /// Sequences a batch: a block that is not full and one that is, one to four shards, and several blocks in each.
    static let batches = [1, 16, 17, 33, 48, 49, 64, 90, 130]

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
        _ layout: ParameterLayout, count: Int, sourceLocation: SourceLocation = #_sourceLocation,
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
            NetworkConfiguration.stack(.gru, input: 5, hidden: 4, layers: 2, bidirectional: true, head: head),
            seed: 1)
        let data = try SequenceTrainingTests.data(head, count: 130, isToken: areTokens)
        Crew.run(threads: 2) { crew in
            let engine = ParallelTraining(
                network.configuration, network.parameters, longest: data.longest, takesTokens: areTokens, crew: crew)
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
        let examples = try AssociativeRetrieval(pairs: 2).generate(counts: [130], seed: 1)[0]
        Crew.run(threads: 2) { crew in
            let engine = ParallelClassifier(model.configuration, model.parameters, steps: examples.steps, crew: crew)
            Self.compare(model.configuration.layout, count: examples.count) { indices in
                Result(engine.gradient(examples, indices), engine.gradients)
            }
        }
    }

    @Test func ofImages() throws {
        let configuration = ConvolutionTests.configurations[1]
        let network = ConvolutionalNetwork(configuration, seed: 3)
        let size = configuration.input.count
        let data = try SequenceData(
            .numbers((0..<130).map { CellTests.random(size, UInt64($0)) }, width: size),
            .classes((0..<130).map { $0 % configuration.classes }))
        Crew.run(threads: 2) { crew in
            let engine = ParallelConvolution(configuration, network.parameters, crew: crew)
            Self.compare(configuration.layout, count: data.count) { indices in
                Result(engine.gradient(data, indices), engine.gradients)
            }
        }
    }
}
