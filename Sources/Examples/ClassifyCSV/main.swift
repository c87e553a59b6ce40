// Learns to tell sequences apart from examples in a CSV file: a sequence a line, its label and behind it its numbers, as
// many as there are.
//
//     swift run -c release ClassifyCSV FILE.csv [MODEL.safetensors]
//
// A fifth of the lines, drawn with a seed, is held out and chooses the best model, which then labels them. With a second
// file the model is written there. Ctrl-C ends the program; a training that saves itself is `options.checkpoint`.
import FastWeights
import Foundation

struct Problem: Error, CustomStringConvertible {
    let description: String
}

/// A label and numbers a line; lines without anything are left out.
func readCSV(_ path: String) throws -> [(label: String, numbers: [Float])] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw Problem(description: "\(path): cannot be read as a text in UTF-8")
    }
    let lines = text.components(separatedBy: .newlines)
    return try lines.enumerated().filter { !$1.isEmpty }.map { i, line in
        let fields = line.components(separatedBy: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let numbers = fields.dropFirst().compactMap { Float($0) }
        guard !numbers.isEmpty, numbers.count == fields.count - 1 else {
            throw Problem(description: "\(path): line \(i + 1) should be a label and numbers, found \(line.prefix(40))")
        }
        return (fields[0], numbers)
    }
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    guard let path = words.first else { throw Problem(description: "expected a CSV file: a label and numbers a line") }
    let lines = try readCSV(path)
    let labels = Set(lines.map(\.label)).sorted()
    let data = try SequenceData(
        .numbers(lines.map(\.numbers), width: 1), .classes(lines.map { labels.firstIndex(of: $0.label)! }))
    let (training, heldOut) = try data.split(validation: 0.2, seed: 1)

    let network = RecurrentNetwork(
        RecurrentNetworkConfiguration(.lstm(), input: 1, hidden: 16, head: .perSequence(labels.count)), seed: 1)
    var options = TrainingOptions()
    (options.steps, options.batch, options.evaluateEvery, options.threads) = (300, 32, 50, 2)
    options.learningRate = 1e-2
    let outcome = try Trainer(network, training: training, validation: heldOut, options: options).run(
        onEvaluation: { print("step \($0.step): loss \($0.trainingLoss), held out \($0.validationLoss)") })

    if words.count > 1 { try network.write(to: words[1]) }
    for (i, prediction) in try network.predict(heldOut, threads: 2).enumerated().prefix(5) {
        let found = prediction.classes[0]
        print("sequence of \(heldOut.lengths[i]) steps: \(labels[found]), p = \(prediction.probabilities[found])")
    }
    print("wrong labels among \(heldOut.count) held out: \(String(format: "%.1f %%", 100 * outcome.bestError))")
} catch {
    FileHandle.standardError.write(Data("ClassifyCSV: \(error)\n".utf8))
    exit(1)
}
