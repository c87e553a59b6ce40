// Learns to tell sequences apart from examples in a CSV file: a sequence a line, its label and behind it its numbers, as
// many as there are; a line before them all without numbers names the columns.
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

/// A label and numbers a line, which ends as on any system; lines without anything are left out, and a line of names.
func readCSV(_ path: String) throws -> [(label: String, numbers: [Float])] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw Problem(description: "\(path): there is no such file, or it is not a text in UTF-8")
    }
    let space = CharacterSet.whitespaces.union(["\u{FEFF}"])  // some programs begin a file with a byte order mark
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        .map { (number: $0 + 1, fields: $1.split(separator: ",", omittingEmptySubsequences: false)) }
        .map { ($0.number, $0.fields.map { $0.trimmingCharacters(in: space) }) }.filter { $1 != [""] }
    let hasNames = lines.first.map { $1.count > 1 && $1.dropFirst().allSatisfy { Float($0) == nil } } ?? false
    if hasNames { print("line \(lines[0].0) is taken for the names of the columns") }
    return try lines.dropFirst(hasNames ? 1 : 0).map { line, fields in
        func problem(_ what: String) -> Problem { Problem(description: "\(path): line \(line) \(what)") }
        guard fields.count > 1 else {
            throw problem("should be a label and numbers, found \"\(fields[0].prefix(40))\"")
        }
        return (
            fields[0],
            try fields.dropFirst().enumerated().map { i, field in
                guard let number = Float(field) else {
                    throw problem("should have a number in column \(i + 2), found \"\(field.prefix(40))\"")
                }
                guard !number.isNaN else { throw problem("has no number in column \(i + 2), but \(field)") }
                guard number.isFinite else { throw problem("has \(field) in column \(i + 2), out of range of a Float") }
                return number
            }
        )
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

    let network = Network(
        NetworkConfiguration(.numbers(1), [.lstm(16), .lastStep, .dense(labels.count)]), seed: 1,
        labels: labels)
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
