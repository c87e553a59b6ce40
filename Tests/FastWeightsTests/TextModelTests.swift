import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

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
            expectSame(one.model.network.parameters.block.array, other.model.network.parameters.block.array)
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
                expectSame(model.network.parameters.block.array, whole.model.network.parameters.block.array)
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
        let definition = model.network.definition
        func loss(_ window: Int) -> Double {
            ThreadTeam.run(threads: 1) { team in
                let engine = ParallelTraining(
                    definition, model.network.parameters, longest: window, carry: .state, team: team)
                var streams = TextStreams(text.heldOut, window: window, streams: 3, definition)
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

    @Test func aTextIsLearnedAndWritten() throws {
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

    /// A character may be several scalars: a base with its marks, a flag, a family, CRLF. Each scalar is a token, in its
    /// order, and the tokens are the text again.
    @Test(arguments: [
        "e\u{301}tude n\u{303}o\u{308}", "🇫🇮🇸🇪", "👩‍👩‍👧‍👦 👍🏽", "one\r\ntwo\r\n\r\n", "ก็ नि\u{94D}", "plain",
    ])
    func aTokenIsAScalar(text: String) throws {
        let bytes = Array(text.utf8)
        let vocabulary = TextVocabulary(of: bytes)
        let scalars = Array(text.unicodeScalars)
        #expect(vocabulary.characters == Set(scalars).sorted())
        for copy in [vocabulary, try TextVocabulary(json: JSON(parsing: Array(vocabulary.json.serialized().utf8)))] {
            let tokens = try copy.tokens(bytes)
            #expect(tokens.map { copy.characters?[Int($0)] } == scalars)
            #expect(tokens.flatMap { copy.bytes(of: Int($0)) } == bytes)
        }
        // So does a training see them: all but the last to read, all but the first to predict.
        let content = Array(String(repeating: text, count: 20).utf8)
        let all = try vocabulary.tokens(content)
        let training = try TrainingText(content, vocabulary, heldOut: 0.5)
        let (first, second) = (all.dropLast(all.count / 2), all.suffix(all.count / 2))
        for (part, tokens) in [(training.training, first), (training.heldOut, second)] {
            #expect(part.inputs.tokens == Array(tokens.dropLast()))
            #expect(part.targets.classes == tokens.dropFirst().map { Int32($0) })
        }
    }

    /// The end of a text is held out and not learned from: what it says changes the losses there and no parameter.
    @Test func theEndIsHeldOut() throws {
        let beginning = String(repeating: "the cat sat on the mat, ", count: 40).prefix(900)
        let vocabulary = TextVocabulary(of: Array(beginning.utf8))
        func train(_ end: String) throws -> (loss: Double, parameters: [Float]) {
            let text = try TrainingText(Array((beginning + end).utf8), vocabulary, heldOut: 0.1)
            #expect(text.heldOut.longest == 99)
            let model = TextModel(.gru, hidden: 5, vocabulary: vocabulary, seed: 1)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery) = (3, 4, 3)
            let outcome = try Trainer(model, text: text, window: 9, options: options).run()
            #expect(abs(model.bitsPerToken(of: text) * naturalLogarithm(2) - outcome.bestLoss) < 1e-3)
            return (outcome.bestLoss, model.network.parameters.block.array)
        }
        let one = try train(String(repeating: "cats ", count: 20))
        let other = try train(String(repeating: "t", count: 100))
        #expect(abs(one.loss - other.loss) > 1e-3)
        expectSame(one.parameters, other.parameters)
    }

    /// Each step drops other numbers, and so does each seed: at a rate of zero nothing else tells two trainings apart.
    @Test func everySeedDropsOtherNumbers() throws {
        let vocabulary = TextVocabulary(of: Self.content)
        let text = try TrainingText(Self.content, vocabulary)
        func losses(dropout: Float, seed: UInt64) throws -> [Double] {
            let model = TextModel(.gru, hidden: 6, layers: 2, vocabulary: vocabulary, dropout: dropout, seed: 1)
            var options = TrainingOptions()
            (options.steps, options.batch, options.evaluateEvery) = (3, 20, 1)
            (options.learningRate, options.seed) = (0, seed)
            let trainer = Trainer(model, text: text, window: 5, options: options)
            return try trainer.run().curve.map(\.trainingLoss)
        }
        let (one, two) = (try losses(dropout: 0.5, seed: 1), try losses(dropout: 0.5, seed: 2))
        #expect(try one == losses(dropout: 0.5, seed: 1))
        #expect(zip(one, two).allSatisfy { abs($0 - $1) > 1e-5 }, "\(one), \(two)")
        #expect(try losses(dropout: 0, seed: 1) == losses(dropout: 0, seed: 2))
    }

    /// What a model writes depends on all that stands before it: a prompt that ends with some of the text goes on with the
    /// rest.
    @Test func aPromptIsReadWhole() throws {
        let vocabulary = TextVocabulary(of: Array("abcdefgh".utf8))
        let model = TextModel(.lstm(), hidden: 8, vocabulary: vocabulary, seed: 1)
        // Weights large enough for a state that never settles.
        for window in model.network.configuration.layout.windows {
            model.network.parameters[window.name] = model.network.parameters[window.name].map { $0 * 12 }
        }
        func write(_ prompt: String, _ count: Int) throws -> String {
            let writer = try model.writer(prompt: prompt, temperature: 0, seed: 1)
            return (0..<count).map { _ in writer.next() }.joined()
        }
        let text = try write("abc", 24)
        for count in 0...20 { #expect(try write("abc" + text.prefix(count), 24 - count) == text.dropFirst(count)) }
        let others = Set(try ["c", "bc", "dbc", "aac"].map { try write($0, 24) } + [text])
        #expect(others.count > 2, "prompts that end alike are written on alike: \(others)")
    }

    /// Tokens are drawn as often as softmax(logits / temperature) says.
    @Test(arguments: [Float(0.5), 1, 3])
    func tokensAreDrawnByTheirProbabilities(temperature: Float) throws {
        let vocabulary = TextVocabulary(of: Array("abcd".utf8))
        let model = TextModel(.gru, hidden: 2, vocabulary: vocabulary, seed: 1)
        // Of every state the same logits.
        let logits: [Float] = [0, 1, -0.5, 0.25]
        model.network.parameters["1.weight"] = [Float](repeating: 0, count: 8)
        model.network.parameters["1.bias"] = logits
        let writer = try model.writer(prompt: "", temperature: temperature, seed: 2)
        var counts: [String: Int] = [:]
        let draws = 4000
        for _ in 0..<draws { counts[writer.next(), default: 0] += 1 }
        let weights = logits.map { exp(Double($0 / temperature)) }
        for (letter, weight) in zip(["a", "b", "c", "d"], weights) {
            let p = weight / weights.reduce(0, +)
            let share = Double(counts[letter] ?? 0) / Double(draws)
            #expect(abs(share - p) < 4 * (p * (1 - p) / Double(draws)).squareRoot(), "\(letter)")
        }
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
        #expect(
            network?.configuration.layers
                == [.fastWeights(8, FastWeightsOptions(memoryDecay: 0.9, writeRate: 1e-3, innerSteps: 2)), .dense(15)])
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
