/// A network that predicts the next character, or byte, of a text from those before.
///
///     let model = TextModel([.lstm(256)], vocabulary: TextVocabulary(of: content), seed: 1)
///     let text = try TrainingText(content, model.vocabulary)
///     let outcome = try Trainer(model, text: text, window: 64, options: options).run()
///     let writer = try model.writer(prompt: "ROMEO:", temperature: 0.8, seed: 1)
///     for _ in 0..<500 { print(writer.next(), terminator: "") }
///
/// Below a recurrent layer a token is a one-hot input, whose product with W_ih is a row of a table.
public final class TextModel: Sendable {
    /// The tokens.
    public let vocabulary: TextVocabulary
    /// It reads tokens of the vocabulary, and gives a number for each at every step.
    public let network: Network

    /// A model of these layers below a dense one that gives a number for each token, with first values as `Network` gives
    /// them. Traps on a vocabulary without characters, on layers that cannot be, and on one that reads backwards.
    public init(_ layers: [Layer], vocabulary: TextVocabulary, seed: UInt64) {
        require(vocabulary.count > 0, "a vocabulary needs at least 1 character; the text it was made of has none")
        self.vocabulary = vocabulary
        let configuration = NetworkConfiguration(.tokens(vocabulary.count), layers + [.dense(vocabulary.count)])
        if let problem = Self.problem(configuration, vocabulary) { misuse(problem) }
        network = Network(configuration, seed: seed)
    }

    /// Why a network is none of such a vocabulary; nil if it is.
    private static func problem(_ configuration: NetworkConfiguration, _ vocabulary: TextVocabulary) -> String? {
        let definition = configuration.definition
        let (input, output) = (definition.input, definition.output)
        let fits =
            input.vocabulary == vocabulary.count && output == .vector(vocabulary.count) && !definition.root.isReversed
        return fits
            ? nil
            : "a text model of \(vocabulary.count) tokens runs forwards, reads one of as many and gives as many numbers per step; found a network that reads \(input.text) and gives \(output.text)\(definition.root.isReversed ? ", and reads backwards" : "")"
    }

    /// The bytes of a model file: that of the network, with the vocabulary in the metadata.
    public func serialized() -> [UInt8] {
        network.serialized(metadata: [("vocabulary", vocabulary.json.serialized())])
    }

    /// Writes the file atomically. Throws when it cannot be written; then nothing has changed.
    public func write(to path: String) throws {
        try Files.writeAtomically(serialized(), to: path)
    }

    /// Reads a file that `write` made. Throws what is wrong with it.
    public convenience init(path: String) throws { try self.init(try SafeTensors(path: path)) }

    /// The model of a file that `write` made.
    ///
    /// Throws ``WeightsError`` when it is not a text model's, or its tensors are not those of its configuration, and
    /// ``FormatError`` when a tensor is of integers.
    public init(_ file: SafeTensors) throws {
        func fail(_ problem: String) -> WeightsError { WeightsError(source: file.source, problems: [problem]) }
        guard let text = file.metadata["vocabulary"] else {
            throw fail("not a text model as `TextModel.write` makes one: the metadata has no vocabulary")
        }
        do { vocabulary = try TextVocabulary(json: try JSON(parsing: Array(text.utf8))) } catch {
            throw fail("the vocabulary in the metadata cannot be used: \(error)")
        }
        network = try Network(StateDictionary(file), takesTokens: true)
        if let problem = Self.problem(network.configuration, vocabulary) { throw fail(problem) }
    }

    /// Something that writes on from `prompt`. Throws `TextError` for a character outside the vocabulary. Traps on a
    /// temperature that is below 0 or not finite.
    public func writer(prompt: String, temperature: Float = 1, seed: UInt64) throws(TextError) -> Writer {
        try writer(prompt: Array(prompt.utf8), temperature: temperature, seed: seed)
    }

    /// The same from the bytes of a text, which of a model of bytes may be any. Throws `TextError` for bytes that are not
    /// UTF-8, or a character outside the vocabulary, of a model of characters.
    public func writer(prompt: [UInt8], temperature: Float = 1, seed: UInt64) throws(TextError) -> Writer {
        Writer(self, prompt: try vocabulary.tokens(prompt), temperature: temperature, seed: seed)
    }

    /// Bits a token, the mean over the part of `text` that is held out, on at most `threads` cores. O(tokens·G·H²). Traps
    /// on a text of another vocabulary.
    public func bitsPerToken(of text: TrainingText, threads: Int = 1) -> Double {
        text.check(self)
        // Windows begin a schedule anew, so they are of whole periods.
        let period = network.definition.period
        return ThreadTeam.run(threads: threads) { team in
            let source = TextSource(
                self, text, window: (64 + period - 1) / period * period, streams: Lanes.width, team)
            return source.evaluate().loss / naturalLogarithm(2)
        }
    }
}

extension TextModel {
    /// Writes a text, a token at a time: softmax(logits / temperature), or at temperature 0 the most probable token.
    ///
    ///     for _ in 0..<500 { print(writer.next(), terminator: "") }      // characters
    ///     for _ in 0..<500 { file.write(Data(writer.nextBytes())) }      // any file, as it is
    public final class Writer {
        private let vocabulary: TextVocabulary
        private let stream: NetworkStream
        private let temperature: Float
        private var random: Random
        private let logits: Buffer<Lanes>
        /// Bytes of a character that has not ended.
        private var pending: [UInt8] = []

        fileprivate init(_ model: TextModel, prompt: [UInt16], temperature: Float, seed: UInt64) {
            require(
                temperature >= 0 && temperature.isFinite,
                "a temperature is a finite number of at least 0, found \(temperature)")
            vocabulary = model.vocabulary
            do { stream = try NetworkStream(model.network) } catch { misuse(error.description) }
            self.temperature = temperature
            random = Random(seed: seed, stream: 5)
            logits = Buffer(vocabulary.count)
            for token in prompt.isEmpty ? [0] : prompt { stream.step(token: Int(token)) }
        }

        /// Writes one token, and returns its bytes: of a model of bytes one, whether or not it is a part of a character.
        public func nextBytes() -> [UInt8] {
            let token = draw()
            stream.step(token: token)
            return vocabulary.bytes(of: token)
        }

        /// Writes one token, and returns the text that is whole with it: nothing within a character of several bytes. Bytes
        /// that are no character's are U+FFFD in a `String`; `nextBytes()` gives them as they are.
        public func next() -> String {
            pending += nextBytes()
            if vocabulary.characters == nil, let first = pending.first {
                let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
                // A byte that begins a character ends the one before, whole or not.
                guard pending.count >= length || pending.last! & 0xC0 != 0x80 && pending.count > 1 else { return "" }
            }
            defer { pending.removeAll(keepingCapacity: true) }
            return String(decoding: pending, as: UTF8.self)
        }

        private func draw() -> Int {
            let count = vocabulary.count
            let values = logits.pointer
            var best = 0
            stream.withOutput { y in
                for v in 0..<count {
                    values[v] = Lanes(repeating: temperature > 0 ? y[v] / temperature : y[v])
                    if y[v] > y[best] { best = v }
                }
            }
            guard temperature > 0 else { return best }
            softmax(values, classes: count)
            var left = Float(random.uniform())
            for v in 0..<count {
                left -= values[v][0]
                if left < 0 { return v }
            }
            return best
        }
    }
}
