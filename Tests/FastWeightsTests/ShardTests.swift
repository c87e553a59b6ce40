import Testing

@testable import FastWeights

/// The gradient of a batch is the mean of those of its sequences, whichever blocks and shards they fall into.
@Suite struct ShardTests {
    /// Sequences a batch: a block that is not full and one that is, one to four shards, and several blocks in each.
    static let batches = [1, 16, 17, 33, 48, 49, 64, 90, 130]

    /// What a batch gives, or one sequence alone: mean loss, mean error and gradients, and how many targets it has.
    struct Result {
        var loss: Double
        var error: Double
        var gradient: [Double]
        var terms = 1.0

        init(_ evaluation: Evaluation, _ gradients: Parameters, terms: Int = 1) {
            (loss, error, self.terms) = (evaluation.loss, evaluation.error, Double(terms))
            gradient = gradients.block.array.map { Double($0) }
        }

        /// The mean of several over all their targets.
        init(meanOf parts: ArraySlice<Result>) {
            let terms = parts.reduce(0) { $0 + $1.terms }
            func mean(_ value: (Result) -> Double) -> Double {
                parts.reduce(0) { $0 + value($1) * $1.terms } / terms
            }
            (loss, error, self.terms) = (mean { $0.loss }, mean { $0.error }, terms)
            gradient = parts[parts.startIndex].gradient.indices.map { i in mean { $0.gradient[i] } }
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
            let expected = Result(meanOf: alone[..<batch])
            #expect(
                abs(found.loss - expected.loss) < 1e-5 * expected.loss, "\(batch) sequences",
                sourceLocation: sourceLocation)
            #expect(abs(found.error - expected.error) < 1e-12, "\(batch) sequences", sourceLocation: sourceLocation)
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

    @Test(arguments: [false, true], [Head.perSequence(3), .perStep(3)])
    func ofSequences(areTokens: Bool, head: Head) throws {
        let network = RecurrentNetwork(
            RecurrentNetworkConfiguration(.gru, input: 5, hidden: 4, layers: 2, bidirectional: true, head: head),
            seed: 1)
        let data = try SequenceTrainingTests.data(head, count: 130, isToken: areTokens)
        Crew.run(threads: 2) { crew in
            let engine = ParallelNetwork(
                network.configuration, network.parameters, longest: data.longest, takesTokens: areTokens, crew: crew)
            Self.compare(network.configuration.layout, count: data.count) { indices in
                let evaluation = engine.gradient(data, indices)
                return Result(
                    evaluation, engine.gradients, terms: indices.reduce(0) { $0 + data.targets.terms[$1] })
            }
        }
    }

    @Test(arguments: [Cell.lstm(), .fastWeights()])
    func ofTokens(cell: Cell) throws {
        let model = SequenceClassifier(
            ClassifierConfiguration(cell, hidden: 5, vocabulary: 37, classes: 10, embedding: 6, head: 7), seed: 2)
        let examples = try AssociativeRetrieval(pairs: 2).generate(counts: [130], seed: 1)[0]
        Crew.run(threads: 2) { crew in
            let engine = ParallelClassifier(model.configuration, model.parameters, steps: examples.steps, crew: crew)
            Self.compare(model.configuration.layout, count: examples.count) { indices in
                let result = engine.gradient(examples, indices)
                let error = Double(result.errors) / Double(indices.count)
                return Result(Evaluation(loss: result.loss, error: error), engine.gradients)
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
