import Testing

@testable @_spi(Laboratory) import FastWeights

/// Texts that are not UTF-8: which byte it is, and that what a model has learned of them comes out as it went in.
@Suite struct TextBytesTests {
    /// The first byte that is no character's is named, wherever it stands and whatever is wrong with it.
    @Test(arguments: [
        (Array("a\nna\u{EF}ve\n".utf8) + [0xEF, 0x76, 0x65], 10, 3, "EF"),
        (Array("caf\u{E9}".utf8) + [0xC3], 6, 1, "C3"),
        ([0x41, 0xED, 0xA0, 0x80], 2, 1, "ED"), ([0xC0, 0x80], 1, 1, "C0"), ([0x80], 1, 1, "80"),
        (Array("\u{1F600}".utf8.prefix(3)), 1, 1, "F0"),
    ])
    func aStrayByteIsNamed(content: [UInt8], place: Int, line: Int, digits: String) {
        let sentence = "the text is not UTF-8: byte \(place) of \(content.count), in line \(line), is 0x\(digits)"
        #expect(throws: TextError(description: sentence)) { try TextVocabulary(charactersOf: content) }
        #expect(TextVocabulary(of: content) == .bytes)
        #expect(throws: TextError(description: sentence + "; the model's vocabulary is of characters")) {
            try TextVocabulary(of: [0x41]).tokens(content)
        }
    }

    @Test func tooManyKindsOfCharacterAreCounted() throws {
        let kinds = (0..<1025).map { Unicode.Scalar(0x4E00 + UInt32($0))! }
        let content = Array(String(String.UnicodeScalarView(kinds)).utf8)
        #expect(throws: TextError(description: "the text has 1025 kinds of character; a vocabulary has at most 1024")) {
            try TextVocabulary(charactersOf: content)
        }
        #expect(TextVocabulary(of: content) == .bytes)
        #expect(try TextVocabulary(charactersOf: Array(content.dropLast(3))).count == 1024)
    }

    /// A model of bytes that has learned one text by heart, which is no UTF-8 and ends within a character.
    @Test func bytesComeOutAsTheyWentIn() throws {
        let line: [UInt8] = [0x6E, 0x61, 0xEF, 0x76, 0x65, 0xC3, 0x0A]
        let model = TextModel(.rnn(activation: .tanh), hidden: 256, vocabulary: .bytes, seed: 1)
        // h is one-hot of the byte that was read, and the head answers with the one behind it.
        let parameters = model.network.parameters
        parameters.block.array.indices.forEach { parameters.pointer[$0] = 0 }
        let (read, answer) = (parameters.pointer(to: "0.weight_ih_l0"), parameters.pointer(to: "1.weight"))
        for v in 0..<256 { read[v * 256 + v] = 20 }
        for (this, next) in zip(line, line.dropFirst() + line.prefix(1)) { answer[Int(next) * 256 + Int(this)] = 1 }
        let writer = try model.writer(prompt: [0x0A], temperature: 0, seed: 1)
        #expect((0..<2).map { _ in line.indices.flatMap { _ in writer.nextBytes() } } == [line, line])
        // Up to the byte within a character, of which `next()` gives nothing.
        let other = try model.writer(prompt: Array(line.prefix(2)), temperature: 0, seed: 1)
        #expect((0..<4).map { _ in other.nextBytes() } == [[0xEF], [0x76], [0x65], [0xC3]])
        let text = try model.writer(prompt: Array(line.prefix(2)), temperature: 0, seed: 1)
        #expect((0..<5).map { _ in text.next() } == ["", "\u{FFFD}v", "e", "", "\u{FFFD}\n"])

        let folder = TemporaryFolder()
        try model.write(to: folder.path("model"))
        try Files.writeAtomically(line, to: folder.path("prompt"))
        let words = ["generate", "--model", folder.path("model"), "--length", "2"]
        #expect(CommandLineTool.run(arguments: words + ["--prompt-file", folder.path("prompt")]) == 0)
        #expect(CommandLineTool.run(arguments: words + ["--prompt", "na\u{FFFD}"]) == 2)
        #expect(CommandLineTool.run(arguments: words + ["--prompt", "n", "--prompt-file", folder.path("prompt")]) == 2)
        #expect(CommandLineTool.run(arguments: words + ["--prompt-file", folder.path("none")]) == 1)
    }
}
