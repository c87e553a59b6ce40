import Foundation
import Testing

@testable import FastWeights

@Suite struct TextModelTests {
    static let content = Array(String(repeating: "the cat sat on the mat, naïve as ever. ", count: 60).utf8)

    static func train(_ cell: Cell, threads: Int, steps: Int = 12, _ change: (inout TrainingOptions) -> Void = { _ in })
        throws -> (model: TextModel, outcome: Trainer.Outcome)
    {
        let vocabulary = TextVocabulary(of: content)
        let model = TextModel(cell, hidden: 14, vocabulary: vocabulary, seed: 1)
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (steps, 35, 5, 1e-2)
        options.threads = threads
        change(&options)
        let text = try TrainingText(content, vocabulary)
        return (model, try Trainer(model, text: text, window: 9, options: options).run())
    }

    @Test(arguments: [Cell.lstm(), .gru, .fastWeights()])
    func sameBitsForAnyNumberOfThreads(cell: Cell) throws {
        let one = try Self.train(cell, threads: 1)
        for threads in [2, 3, 8] {
            let other = try Self.train(cell, threads: threads)
            #expect(one.model.network.parameters.block.array == other.model.network.parameters.block.array)
            #expect(one.outcome.curve.map(\.validationLoss) == other.outcome.curve.map(\.validationLoss))
        }
    }

    @Test(arguments: [Cell.lstm(), .fastWeights()])
    func goesOnFromACheckpointToTheSameBits(cell: Cell) throws {
        let folder = TemporaryFolder()
        let whole = try Self.train(cell, threads: 1)
        // A run that ends at step 7, as when it is killed, and one that goes on.
        let vocabulary = TextVocabulary(of: Self.content)
        let text = try TrainingText(Self.content, vocabulary)
        for stop in [7, Int.max] {
            let model = TextModel(cell, hidden: 14, vocabulary: vocabulary, seed: stop == 7 ? 1 : 2)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (12, 35, 5, 1e-2)
            options.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 3, resumes: true)
            var left = stop
            _ = try Trainer(model, text: text, window: 9, options: options).run(shouldStop: {
                left -= 1
                return left < 0
            })
            if stop > 7 {
                #expect(model.network.parameters.block.array == whole.model.network.parameters.block.array)
            }
        }
    }

    /// The state goes on: windows of a text give the loss of the whole.
    @Test(arguments: [
        Cell.lstm(), .gru, .fastWeights(), .fastWeights(FastWeightsOptions(innerSteps: 2, memory: .chunks(4))),
    ])
    func windowsAreTheWholeText(cell: Cell) throws {
        let vocabulary = TextVocabulary(of: Self.content)
        let model = TextModel(cell, hidden: 14, vocabulary: vocabulary, seed: 1)
        let text = try TrainingText(Self.content, vocabulary)
        let configuration = model.network.configuration
        func loss(_ window: Int) -> Double {
            Crew.run(threads: 1) { crew in
                let engine = ParallelNetwork(
                    configuration, model.network.parameters, longest: window, takesTokens: true, carry: .state,
                    crew: crew)
                var streams = TextStreams(text.heldOut, window: window, streams: 3, configuration)
                var sum = 0.0
                for i in 0..<streams.windows {
                    #expect(streams.advance() == (i == 0))
                    sum += engine.evaluate(streams).loss * Double(streams.steps)
                }
                return sum
            }
        }
        #expect(abs(loss(7) - loss(1000)) < 1e-3)
    }

    @Test func aTextIsLearntAndWritten() throws {
        let (model, outcome) = try Self.train(.lstm(), threads: 2, steps: 400)
        #expect(outcome.bestLoss < 0.35)
        let writer = try model.writer(prompt: "the c", temperature: 0, seed: 1)
        let text = (0..<20).map { _ in writer.next() }.joined()
        #expect(text.hasPrefix("at sat on the mat"))
        let folder = TemporaryFolder()
        try model.write(to: folder.path("model"))
        let read = try TextModel(path: folder.path("model"))
        #expect(read.vocabulary == model.vocabulary)
        let drawn = try [model, read].map { model in
            let writer = try model.writer(prompt: "on", temperature: 0.7, seed: 4)
            return (0..<50).map { _ in writer.next() }.joined()
        }
        #expect(drawn[0] == drawn[1] && drawn[0].unicodeScalars.count == 50)
        #expect(throws: TextError.self) { try model.writer(prompt: "Q", seed: 1) }
    }

    @Test func vocabulariesTakeEveryFile() throws {
        let characters = TextVocabulary(of: Array("naïve 😀\r\n".utf8))
        #expect(characters.count == 9)
        let tokens = try characters.tokens(Array("ï😀\r".utf8))
        #expect(tokens.flatMap { characters.bytes(of: Int($0)) } == Array("ï😀\r".utf8))
        #expect(try TextVocabulary(json: characters.json) == characters)
        #expect(TextVocabulary(of: [0xFF, 0x41]) == .bytes && TextVocabulary.bytes.count == 256)
        #expect(try TextVocabulary(json: TextVocabulary.bytes.json) == .bytes)
    }

    @Test func theCommandsWork() throws {
        let folder = TemporaryFolder()
        try Files.writeAtomically(Self.content, to: folder.path("text"))
        try Files.writeAtomically([], to: folder.path("empty"))
        let model = folder.path("model")
        func run(_ words: String...) -> Int32 { CommandLineTool.run(arguments: words) }
        #expect(
            run(
                "train", "--task", "text", "--file", folder.path("text"), "--model", "lstm", "--hidden", "8",
                "--steps", "5", "--output", model) == 0)
        #expect(
            run(
                "train", "--task", "text", "--file", folder.path("text"), "--hidden", "8", "--minutes", "0.002",
                "--fast-decay", "0.9", "--fast-rate", "1e-3", "--inner-steps", "2", "--output", model) == 0)
        let network = (try? TextModel(path: model))?.network
        #expect(network?.configuration.cell == .fastWeights(FastWeightsOptions(decay: 0.9, rate: 1e-3, innerSteps: 2)))
        #expect(
            run("train", "--task", "text", "--file", folder.path("text"), "--model", "gru", "--fast-rate", "1") == 2)
        #expect(run("train", "--task", "text", "--file", folder.path("text"), "--minutes", "0") == 2)
        #expect(run("generate", "--model", model, "--prompt", "the", "--length", "20") == 0)
        #expect(run("generate", "--model", model, "--prompt", "XYZ") == 1)
        #expect(run("train", "--task", "text", "--file", folder.path("empty"), "--output", model) == 1)
        #expect(run("train", "--task", "text", "--file", folder.path("none"), "--output", model) == 1)
        #expect(run("train", "--task", "text") == 2)
        #expect(run("generate") == 2)
    }
}
