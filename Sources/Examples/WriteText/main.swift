// Learns from a text which character comes next, says how well, and writes on from a prompt.
//
//     swift run -c release WriteText [FILE [PROMPT [MINUTES]]]
//
// FILE is any text in UTF-8, or any file at all, which then is learned byte by byte. A few seconds on the README, which
// is the default, are enough to see words; a book and ten minutes give sentences.
import FastWeights
import Foundation

struct Problem: Error, CustomStringConvertible {
    let description: String
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    let path = words.first ?? "README.md"
    let prompt = words.count > 1 ? words[1] : "The "
    guard let minutes = words.count > 2 ? Double(words[2]) : 10, minutes > 0, minutes < 1e6 else {
        throw Problem(description: "MINUTES should be a number above 0 and below a million, found \(words[2])")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
        throw Problem(description: "\(path) cannot be read; name a text to learn from")
    }
    let content = [UInt8](data)

    // The vocabulary is what the text consists of; the last tenth is held out, to measure on.
    let vocabulary = TextVocabulary(of: content)
    let text = try TrainingText(content, vocabulary, heldOut: 0.1)
    let model = TextModel([.gru(128)], vocabulary: vocabulary, seed: 1)
    _ = try model.writer(prompt: prompt, seed: 1)  // an error now rather than after the training

    // Sixteen parts of the text are read side by side, 32 characters a step, each part from its beginning to its end and then
    // again. Whatever comes first ends the training, and the model is the best of all evaluations.
    var options = TrainingOptions()
    options.steps = words.isEmpty ? 400 : .max
    options.timeLimit = .seconds(60 * minutes)
    (options.batch, options.learningRate, options.evaluateEvery) = (16, 8e-3, 100)
    options.threads = ProcessInfo.processInfo.activeProcessorCount
    let outcome = try Trainer(model, text: text, window: 32, options: options).run(onEvaluation: {
        print("step \($0.step):", String(format: "%.3f bits a character held out", $0.validationLoss / log(2)))
    })

    // Below 1 the temperature prefers what is probable. A writer makes one character after another, for as long as one likes.
    let writer = try model.writer(prompt: prompt, temperature: 0.7, seed: 1)
    print(prompt, terminator: "")
    for _ in 0..<400 { print(writer.next(), terminator: "") }
    print("\n")

    let bits = outcome.bestLoss / log(2)
    print(
        String(format: "held out: %.3f bits a character,", bits),
        "the best of \(outcome.steps) steps at \(outcome.bestStep)")
    guard !words.isEmpty || bits < 4 else {
        throw Problem(description: "that is no better than knowing how frequent each character is")
    }
} catch {
    FileHandle.standardError.write(Data("WriteText: \(error)\n".utf8))
    exit(1)
}
