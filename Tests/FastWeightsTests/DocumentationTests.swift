import Foundation
import Testing

@_spi(Laboratory) import FastWeights

/// The code of the articles in FastWeights.docc: every snippet stands in a test below, line by line, so that it compiles
/// against the public interface and does what the article says.
@Suite struct DocumentationTests {
    private let folder = TemporaryFolder()

    private static let root = String(#filePath.dropLast("Tests/FastWeightsTests/DocumentationTests.swift".count))

    /// The lines of a text that are code, without the space around them.
    private static func code(_ text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty && !$0.contains("import FastWeights") && !$0.hasPrefix("import ")
        }
    }

    /// The Swift code of an article.
    private static func snippets(_ article: String) throws -> [String] {
        let path = root + "Sources/FastWeights/FastWeights.docc/" + article
        return try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst().map {
            code($0.components(separatedBy: "```")[0]).joined(separator: "\n")
        }
    }

    /// The file that "Adding a layer" tells how to write.
    private static let newLayer = root + "Sources/FastWeights/Layers/MinGRU.swift"

    @Test(.enabled(if: FileManager.default.fileExists(atPath: newLayer)))
    func theArticleOnLayersHasTheWholeFile() throws {
        let file = Self.code(try String(contentsOfFile: Self.newLayer, encoding: .utf8)).joined(separator: "\n")
        #expect(try Self.snippets("AddingALayer.md").joined(separator: "\n") == file)
    }

    @Test func everySnippetIsCompiledHere() throws {
        let articles = Self.root + "Sources/FastWeights/FastWeights.docc"
        let here = Self.code(try String(contentsOfFile: #filePath, encoding: .utf8)).joined(separator: "\n")
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: articles)
        where name.hasSuffix(".md") && name != "AddingALayer.md" {
            for snippet in try Self.snippets(name) {
                let isHere = here.contains(snippet)
                #expect(isHere, "a snippet of \(name) stands in no test of DocumentationTests:\n\(snippet)")
                count += 1
            }
        }
        #expect(count >= 25)
    }

    // MARK: - Getting started

    @Test func gettingStarted() throws {
        let (input, nextInput) = (numbers(10 * 4 * 3), numbers(7 * 4 * 3))
        let path = folder.path("network.safetensors")
        let configuration = NetworkConfiguration(.numbers(3), [.lstm(32), .lstm(16)])
        let network = Network(configuration, seed: 1)
        let (outputs, state) = network.run(input, steps: 10, batch: 4)  // [10, 4, 3] → [10, 4, 16]
        #expect(outputs.count == 10 * 4 * 16)

        let later = network.run(nextInput, steps: 7, batch: 4, state: state)
        #expect(later.outputs.count == 7 * 4 * 16)

        let ragged = network.run(input, steps: 10, batch: 4, lengths: [10, 3, 7, 1])
        #expect(ragged.outputs.suffix(16).allSatisfy { $0 == 0 })

        try network.write(to: path)  // safetensors; PyTorch reads it too
        let loaded = try Network(path: path)
        expectSame(loaded.run(input, steps: 10, batch: 4).outputs, outputs)

        let tagger = NetworkConfiguration(.tokens(100), [.embedding(8), .bidirectional(.gru(16)), .dense(7)])
        #expect(tagger.outputSizes(steps: 5, batch: 2) == [5, 2, 7])
        let classifier = NetworkConfiguration(.numbers(3), [.lstm(16), .lastStep, .dense(5)])
        #expect(classifier.outputSizes(steps: 5, batch: 2) == [2, 5])
    }

    @Test func errorsThatAreThrown() throws {
        let path = folder.path("damaged.safetensors")
        let good = Network(NetworkConfiguration(.numbers(2), [.gru(3)]), seed: 1)
        try good.write(to: path)
        let right = try String(contentsOfFile: path, encoding: .isoLatin1)
        // Names of as many letters, and sizes of as many numbers.
        let wrong = right.replacingOccurrences(of: "bias_hh_l0", with: "bias_hh_lx")
            .replacingOccurrences(of: "[9,2]", with: "[2,9]")
        try wrong.write(toFile: path, atomically: true, encoding: .isoLatin1)
        do {
            let network = try Network(path: path)
            print(network.configuration)
        } catch {
            print(error)  // every missing, unexpected and misshapen tensor, in one sentence
        }
        let error = #expect(throws: WeightsError.self) { try Network(path: path) }
        let sentence = error?.description ?? ""
        for part in ["missing tensors: 0.bias_hh_l0", "unexpected tensors: 0.bias_hh_lx", "0.weight_ih_l0 [2, 9]"] {
            #expect(sentence.contains(part), "\(sentence)")
        }
        let missing = #expect(throws: (any Error).self) { try Network(path: folder.path("none")) }
        #expect("\(missing!)".contains("none"))
    }

    // MARK: - Cells and equations

    @Test func cellsAndEquations() {
        let options = FastWeightsOptions(memoryDecay: 0.95, writeRate: 0.5, innerSteps: 2)
        let configuration = NetworkConfiguration(.numbers(8), [.fastWeights(20, options)])
        let network = Network(configuration, seed: 1)
        let input = numbers(5 * 2 * 8)

        let pass = NetworkPass(network)
        let (outputs, _) = pass.forward(input, steps: 5, batch: 2, dropoutSeed: 1)
        let gradient = outputs.map { 2 * $0 }  // of the sum of squares
        let inputGradient = pass.backward(gradient).input  // [5, 2, 8]
        print(pass.gradients["0.weight_ih_l0"].count, inputGradient.count)
        #expect(inputGradient.count == 5 * 2 * 8 && pass.gradients["0.weight_ih_l0"].contains { $0 != 0 })

        let associative = AssociativeLSTMOptions(copies: 4, permutationSeed: 1)
        let copies = NetworkConfiguration(.numbers(8), [.associativeLSTM(20, associative)])
        let outcome = Network(copies, seed: 1).run(input, steps: 5, batch: 2)
        #expect(outcome.state.parts.map(\.name) == ["0.h_l0", "0.c_l0"] && outcome.state.parts[1].shape == [2, 4, 20])

        let peepholes = ConvolutionalLSTMOptions(forgetOffset: 1, hasPeepholes: true)
        let video = NetworkConfiguration(
            .maps(channels: 3, height: 32, width: 48),
            [
                .convolution(8, kernel: 5, stride: 2, padding: .same, hasBias: false),
                .layerNorm(epsilon: 1e-12, isPerChannel: true),
                .convolutionalLSTM(16, kernel: MapSize(3, 5), peepholes), .convolutionalGRU(16, kernel: 3),
                .transposedConvolution(3, kernel: 3, stride: 2, padding: .same, activation: .sigmoid),
            ])
        #expect(
            video.outputSizes(steps: 4, batch: 2) == [4, 2, 3 * 32 * 48] && video.zeroState(batch: 2).parts.count == 3)

        let tagger = NetworkConfiguration(
            .tokens(100), [.embedding(16), .bidirectional(.lstm(32)), .residual([.rmsNorm(), .dense(64)]), .dense(7)])
        let images = NetworkConfiguration(
            .maps(channels: 1, height: 28, width: 28),
            [.convolution(8, size: 5), .maxPool(size: 2), .flatten, .dense(50, activation: .relu), .gru(20)])
        #expect(
            tagger.outputSizes(steps: 3, batch: 2) == [3, 2, 7] && images.outputSizes(steps: 3, batch: 2) == [3, 2, 20])
    }

    // MARK: - Importing

    /// What the article opens by their bare names; compiled, not called.
    private func importingByName(_ bytes: [UInt8], _ sentences: [[Int]]) throws {
        do {
            let tagger = try Network(
                path: "tagger.safetensors", prefix: "rnn.", embedding: "encoder", head: .perStep("decoder"))
            let tags = try tagger.predict(.tokens(sentences), threads: 2).map(\.classes)  // one a word
            print(tags)
        }
        do {
            let network = try Network(path: "tagger.safetensors")
            print(network.configuration)
        }
        do {
            let model = try Network(
                StateDictionary(SafeTensors(path: "module.safetensors")), .tokens(50),
                [
                    (.embedding(16), "words"), (.lstm(32), "reader"), (.gru(8), "writer"), (.lastStep, ""),
                    (.dense(5), "head"),
                ])
            print(model.configuration)
        }
        do {
            let options = FastWeightsOptions(innerSteps: 2, normalizesFirst: true, hasSeparateNorms: true)
            let reader = try Network(
                StateDictionary(path: "reader.safetensors"), .numbers(3),
                [(.fastWeights(20, options), "rnn"), (.lastStep, ""), (.dense(5), "head")])
            print(reader.configuration)
        }
        do {
            let encoder = try Network(path: "model.safetensors", prefix: "encoder.rnn.", activation: .relu)
            print(encoder.configuration)
        }
        do {
            let weights = try NumPyArchive(path: "model.npz")
            let model = try Network(
                kerasModel: String(contentsOfFile: "model.json", encoding: .utf8),
                weights: weights.names.indices.map { try WeightArray(weights.array(named: "arr_\($0)")) })
            print(model.configuration)
        }
        do {
            let checkpoint = try TorchFile(path: "checkpoint.pt")
            let model = try StateDictionary(checkpoint).network(prefix: "model.rnn.")
            for (name, text) in checkpoint.others { print(name, text) }  // epoch 3
            print(model.configuration)
        }
        do {
            let archive = try NumPyArchive(path: "keras.npz")
            let arrays = try archive.names.indices.map { try archive.array(named: "arr_\($0)") }
            let network = try Network(keras: arrays.map { try WeightArray($0) })
            try SafeTensors.write(network.tensors(prefix: "encoder.rnn."), to: "swift.safetensors")
        }
        do {
            let file = try SafeTensors(bytes: bytes, source: "download")
            let network = try Network(file)
            let rest = try file.floats("head.weight")  // what else the file holds
            print(network.configuration, rest)

            let path = "output.npy"
            let array = try NumPyArray(path: "input.npy")  // any number type, either order and byte order
            let (steps, batch) = (array.shape[0], array.shape[1])
            let outputs = network.run(try array.floats, steps: steps, batch: batch).outputs
            try NumPyArray.write(
                shape: network.configuration.outputSizes(steps: steps, batch: batch), values: outputs, to: path)
        }
    }

    @Test func importing() throws {
        let (H, I) = (5, 3)
        let (w, r, b) = (numbers(4 * H * I), numbers(4 * H * H), numbers(8 * H))
        let node = ONNXWeights(
            input: WeightArray(shape: [1, 4 * H, I], values: w),
            recurrent: WeightArray(shape: [1, 4 * H, H], values: r),
            bias: WeightArray(shape: [1, 8 * H], values: b))
        let network = try Network(onnx: [node])
        #expect(network.configuration.input == .numbers(I) && network.configuration.layers == [.lstm(H)])
        // Two nodes of one size come out under the names of an nn.LSTM with two layers.
        let second = ONNXWeights(
            input: WeightArray(shape: [1, 4 * H, H], values: r),
            recurrent: WeightArray(shape: [1, 4 * H, H], values: r),
            bias: WeightArray(shape: [1, 8 * H], values: b))
        let names = try Network(onnx: [node, second]).tensors().map(\.name)
        #expect(
            names
                == ["_l0", "_l1"].flatMap { layer in
                    ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map { $0 + layer }
                })

        // The prefix there and back, beside a tensor of another module.
        let head = (name: "head.weight", shape: [2, H], values: numbers(2 * H))
        let bytes = SafeTensors.serialize(network.tensors(prefix: "encoder.rnn.") + [head])
        let file = try SafeTensors(bytes: bytes, source: "download")
        #expect(try file.floats("head.weight") == head.values)
        try expectSame(Network(file).parameters["weight_hh_l0"], network.parameters["weight_hh_l0"])

        // The names that numpy.savez gives.
        let kernel = (name: "arr_0", shape: [I, 4 * H], values: w)
        let recurrent = (name: "arr_1", shape: [H, 4 * H], values: r)
        let archive = try NumPyArchive(bytes: NumPyArchive.serialize([kernel, recurrent]), source: "keras.npz")
        let arrays = try archive.names.indices.map { try archive.array(named: "arr_\($0)") }
        let keras = try Network(keras: arrays.map { try WeightArray($0) })
        #expect(keras.configuration.layers == [.lstm(H, hasBias: false)])

        // A module of other layers, of tensors under the names of its attributes.
        let layers: [(layer: Layer, name: String)] = [
            (.embedding(4), "words"), (.lstm(H), "reader"), (.gru(3), "writer"), (.lastStep, ""), (.dense(2), "head"),
        ]
        let module = Network(NetworkConfiguration(.tokens(7), layers.map(\.layer)), seed: 1)
        let tensors = module.tensors().map { tensor in
            let place = Int(tensor.name.prefix { $0 != "." })!
            return (layers[place].name + tensor.name.drop { $0 != "." }, tensor.shape, tensor.values)
        }
        let model = try Network(StateDictionary(tensors), .tokens(7), layers)
        expectSame(
            model.run(tokens: [1, 2, 3], steps: 3, batch: 1).outputs,
            module.run(tokens: [1, 2, 3], steps: 3, batch: 1).outputs)
    }

    // MARK: - Streaming

    @Test func streaming() throws {
        let I = 3
        let network = Network(NetworkConfiguration(.numbers(I), [.gru(6), .gru(6)]), seed: 1)
        let samples = (0..<9).map { _ in numbers(I) }
        let path = folder.path("state.safetensors")
        var played: [Float] = []
        func play(_ number: Float) { played.append(number) }
        do {
            let weights = try NetworkStream.Weights(network)  // once a network
            let stream = NetworkStream(weights)  // once a sequence
            for sample in samples {
                stream.step(sample)  // as many numbers as the network reads
                let y = stream.withOutput { y in y[0] }  // what the last layer gives, in place
                play(y)
            }
            #expect(played.count == 9)

            let voices = (0..<8).map { _ in NetworkStream(weights) }
            #expect(voices.count == 8)

            let before = stream.state  // h and c, or A of the fast weights
            let branch = stream.copy()  // goes its own way from here
            stream.reset()  // a new sequence
            stream.state = before  // back to where it was
            #expect(branch.output == stream.output)

            var start = network.configuration.zeroState(batch: 1)
            start.parts[0].values = [0.1, -0.2, 0.3, 0, 0, 0]
            stream.state = start
            #expect(stream.state == start)
            let goesOn = network.run(samples[0], steps: 1, batch: 1, state: start).outputs
            stream.step(samples[0])
            #expect(zip(stream.output, goesOn).allSatisfy { abs($0 - $1) < 1e-6 })
            stream.state = before

            try stream.writeState(to: path)
            try stream.restore(from: SafeTensors(path: path))
            #expect(stream.state == before)
        }
        do {
            let half = try NetworkStream.Weights(network, precision: .bfloat16)
            let stream = NetworkStream(half)
            stream.step(samples[0])
            let exact = network.run(samples[0], steps: 1, batch: 1).outputs
            #expect(zip(stream.output, exact).allSatisfy { abs($0 - $1) < 1e-2 })
            let recording = samples[0]
            let (outputs, state) = half.run(recording, steps: recording.count / I, batch: 1)
            #expect(outputs == stream.output && state == stream.state)
        }
        let past = numbers(20 * I)
        let weights = try NetworkStream.Weights(network)
        let beginning = network.run(past, steps: past.count / I, batch: 1)
        let stream = NetworkStream(weights, state: beginning.state)
        #expect(stream.output == beginning.outputs.suffix(6))
    }

    // MARK: - Training and checkpoints

    @Test func trainingAndCheckpoints() throws {
        let isCancelled = false
        let task = try AssociativeRetrieval(pairs: 4)
        let sets = try task.generate(counts: [2000, 200], seed: 1).map(\.sequences)
        let layers: [Layer] = [
            .embedding(100), .fastWeights(20), .lastStep, .dense(100, activation: .relu), .dense(10),
        ]
        let model = Network(NetworkConfiguration(.tokens(37), layers), seed: 1)
        var options = TrainingOptions()
        options.steps = 100
        options.evaluateEvery = 50
        options.threads = 2
        let trainer = try Trainer(model, training: sets[0], validation: sets[1], options: options)
        let outcome = try trainer.run(
            progress: { print("step \($0.step): loss \($0.trainingLoss)") },
            shouldStop: { isCancelled })
        print(outcome.bestError, outcome.bestStep)
        #expect(outcome.steps == 100)

        let predictions = try model.predict(.tokens([[2, 28, 0, 27, 36, 36, 2]]))  // classes, probabilities
        #expect(predictions.count == 1 && predictions[0].probabilities.count == 10)

        do {
            let path = folder.path("checkpoint")
            options.checkpoint = CheckpointOptions(path: path, every: 25, resumes: true)
            let outcome = try Trainer(model, training: sets[0], validation: sets[1], options: options).run()
            #expect(outcome.steps == 100)
        }
        let path = folder.path("model.safetensors")
        try model.write(to: path)
        let restored = try Network(path: path)
        expectSame(restored.parameters["4.weight"], model.parameters["4.weight"])
        try ModelFile(model, task: task).write(to: path)
        expectSame(try ModelFile(path: path).model.parameters["4.weight"], model.parameters["4.weight"])
    }

    @Test func yourOwnSequences() throws {
        let recordings = (0..<60).map { i in numbers(3 * (4 + i % 7)).map { $0 * Float(1 + i % 5) } }
        let labels = (0..<60).map { $0 % 5 }
        var options = TrainingOptions()
        (options.steps, options.evaluateEvery, options.batch) = (20, 10, 16)

        let network = Network(
            NetworkConfiguration(.numbers(3), [.lstm(32), .dropout(0.1), .lstm(16), .lastStep, .dense(5)]), seed: 1)
        let data = try SequenceData(.numbers(recordings, width: 3), .classes(labels))
        let (training, heldOut) = try data.split(validation: 0.2, seed: 1)
        let trainer = try Trainer(network, training: training, validation: heldOut, options: options)
        let outcome = try trainer.run(
            onEvaluation: { print("step \($0.step): loss \($0.trainingLoss), error \($0.validationError)") },
            shouldStop: { Task.isCancelled })
        #expect(outcome.curve.count == 2 && !outcome.interrupted)

        let onset: [Float] = [.nan, .nan, 0.3, .nan]  // of four steps the third is to be learned
        let sparse = try SequenceData(.numbers([[0.1, 0.7, 0.2, 0.4]], width: 1), .stepNumbers([onset]))
        #expect(sparse.longest == 4)

        let predictions = try network.predict(.numbers(recordings, width: 3), threads: 2)
        for prediction in predictions.prefix(3) {
            print(prediction.classes[0], prediction.probabilities)
        }
        let evaluation = try network.evaluate(heldOut, threads: 2)
        print(evaluation.loss, evaluation.error)
        #expect(predictions.count == 60 && evaluation.error == outcome.bestError)

        do {
            options.loss = .crossEntropy(weights: [1, 1, 4, 1, 1], labelSmoothing: 0.1)  // the third class is rare
            let outcome = try Trainer(network, training: training, validation: heldOut, options: options).run()
            let evaluation = try network.evaluate(heldOut, loss: options.loss)
            #expect(evaluation.error == outcome.bestError && evaluation.loss == outcome.bestLoss)

            let tags: [[Float]] = [[1, 0, 1], [0, 0, .nan]]  // three questions about each of two recordings
            let tagged = try SequenceData(.numbers([[0.1, 0.7], [0.2]], width: 1), .numbers(tags))
            options.loss = .binaryCrossEntropy(positiveWeights: [1, 9, 1])  // the second is seldom answered by yes
            let tagger = Network(NetworkConfiguration(.numbers(1), [.gru(2), .lastStep, .dense(3)]), seed: 1)
            #expect(try Trainer(tagger, training: tagged, validation: tagged, options: options).run().bestLoss < 2)
        }
    }

    @Test func epochsSchedulesAndRules() throws {
        var options = TrainingOptions()
        options.epochs = 20
        options.evaluatesEachEpoch = true
        options.schedule = .cosine(to: 0.1).afterWarmUp(of: 100)
        options.optimizer = .sgd(momentum: 0.9, isNesterov: true, l2: 1e-4)
        #expect(Schedule("warm-up 100 then cosine to 0.1") == options.schedule)
    }

    @Test func aLoopOfYourOwn() {
        let (T, B) = (6, 4)
        let network = Network(NetworkConfiguration(.numbers(3), [.lstm(5), .dense(3)]), seed: 1)
        let input = numbers(T * B * 3)
        let labels = (0..<T * B).map { $0 % 3 }
        func distance() -> Double {
            Loss.crossEntropy(weights: [1, 4, 1])(network.run(input, steps: T, batch: B).outputs, classes: labels).value
        }
        let before = distance()
        let pass = NetworkPass(network)
        let optimizer = Optimizer(.adam(weightDecay: 0.01), network.parameters, pass.gradients)
        let schedule = Schedule.cosine.afterWarmUp(of: 5)
        let loss = Loss.crossEntropy(weights: [1, 4, 1], labelSmoothing: 0.1)
        for step in 0..<30 {
            let outputs = pass.forward(input, steps: T, batch: B, dropoutSeed: UInt64(step)).outputs
            let (value, gradient) = loss(outputs, classes: labels)  // [T, B, 3] and [T, B]
            pass.gradients.clear()
            _ = pass.backward(gradient)
            optimizer.step(rate: 0.02 * schedule.factor(step: step, of: 30), clip: 1)
            print(step, value)
        }
        let probabilities = softmax(network.run(input, steps: T, batch: B).outputs, classes: 3)
        #expect(probabilities.count == T * B * 3 && distance() < before)

        let after = distance()
        for name in network.parameters.layout.windows.map(\.name) {
            let gradient = pass.gradients[name]
            network.parameters[name] = zip(network.parameters[name], gradient).map { $0 - 0.1 * $1 }
        }
        #expect(distance() != after)
    }

    // MARK: - Learning from a text

    @Test func learningFromAText() throws {
        let content = Array(String(repeating: "the cat sat on the mat, and the dog lay on the log. ", count: 40).utf8)
        let (path, limit) = (folder.path("text.safetensors"), Duration.milliseconds(200))
        let vocabulary = TextVocabulary(of: content)  // the characters of valid UTF-8; of other bytes the 256 bytes
        let text = try TrainingText(content, vocabulary, heldOut: 0.1)
        let model = TextModel([.gru(64)], vocabulary: vocabulary, seed: 1)

        var options = TrainingOptions()
        (options.batch, options.learningRate) = (32, 1e-2)
        let trainer = Trainer(model, text: text, window: 64, options: options)
        _ = trainer

        options.steps = .max
        options.timeLimit = limit  // .seconds(600)
        let outcome = try Trainer(model, text: text, window: 64, options: options).run()
        print(outcome.steps, outcome.bestLoss)  // nats a token held out
        #expect(outcome.steps > 0 && outcome.curve.last?.step == outcome.steps && !outcome.interrupted)

        print(model.bitsPerToken(of: text, threads: 2))  // of the part held out

        let writer = try model.writer(prompt: "the cat", temperature: 0.7, seed: 1)
        let line = (0..<80).map { _ in writer.next() }.joined()
        #expect(line.count == 80)

        try model.write(to: path)
        let again = try TextModel(path: path)
        #expect(again.vocabulary == vocabulary)
    }

    // MARK: - Performance, reproducing the paper

    @Test func predictingVideo() throws {
        let path = folder.path("push.safetensors")
        do {
            var sizes = VideoConfiguration(channels: 3, height: 64, width: 64, head: .cdna)
            (sizes.actions, sizes.states) = (4, 3)
            let model = VideoModel(sizes, seed: 1)
            try model.write(to: path)
            #expect(model.parameters.layout.parameterCount > 8_000_000)
        }
        let (seen, actions) = ([numbers(3 * 64 * 64), numbers(3 * 64 * 64)], [numbers(4), numbers(4)])
        let predictor = VideoPredictor(try VideoModel(path: path))
        for (frame, action) in zip(seen, actions) {
            predictor.step(frame, action: action)
        }
        // What if the arm went left, or right?
        let left = predictor.lookAhead(Array(repeating: [-0.8, 0, 0, 0], count: 10))
        let right = predictor.lookAhead(Array(repeating: [0.8, 0, 0, 0], count: 10))
        #expect(left.count == 10 && left != right)
    }

    @Test func threads() {
        let (T, B) = (4, 40)
        let network = Network(NetworkConfiguration(.numbers(2), [.gru(6)]), seed: 1)
        let input = numbers(T * B * 2)
        let outputs = network.run(input, steps: T, batch: B, threads: 2).outputs
        expectSame(outputs, network.run(input, steps: T, batch: B).outputs)
    }

    @Test func reproducingThePaper() throws {
        let task = try AssociativeRetrieval(pairs: 4)
        let sets = try task.generate(counts: [500, 100, 100], seed: 1)  // no example is in two sets
        print(AssociativeRetrieval.text(sets[0].tokens.prefix(task.steps)), sets[0].targets[0])
        #expect(sets.map(\.count) == [500, 100, 100])

        let plateau = Plateau(task)
        print(plateau.error, plateau.loss)
        #expect(abs(plateau.error - 0.6165) < 1e-4)
    }

    /// Numbers between -1 and 1, the same for the same count.
    private func numbers(_ count: Int) -> [Float] {
        (0..<count).map { Float($0 * 7919 % 997) / 498 - 1 }
    }
}
