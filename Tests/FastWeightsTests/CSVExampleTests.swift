import Foundation
import Testing

import FastWeights

/// Sequences from a CSV file, one a line: the label, then the numbers; of unequal length.
private func readCSV(_ text: String) throws -> SequenceData {
    let lines = text.split(separator: "\n").map { $0.split(separator: ",") }
    return try SequenceData(
        .numbers(lines.map { $0.dropFirst().compactMap { Float($0) } }, width: 1),
        .classes(lines.map { Int($0[0]) ?? 0 }))
}

/// An example from file to prediction: does a wave go slowly, or fast?
@Test func classifiesSequencesFromACSVFile() throws {
    // 1. Here the file is made; yours is there already.
    let folder = TemporaryFolder()
    var text = ""
    for i in 0..<200 {
        let label = i % 2
        let values = (0..<20 + i % 13).map { sin(Double($0 + i) * (label == 0 ? 0.3 : 0.9)) }
        text += "\(label)," + values.map { "\($0)" }.joined(separator: ",") + "\n"
    }
    try text.write(toFile: folder.path("waves.csv"), atomically: true, encoding: .utf8)

    // 2. Data: a tenth of it, drawn with a seed, chooses the best model.
    let data = try readCSV(String(contentsOfFile: folder.path("waves.csv"), encoding: .utf8))
    let (training, validation) = try data.split(validation: 0.1, seed: 1)

    // 3. A network with a head of two classes, trained.
    let network = RecurrentNetwork(
        RecurrentNetworkConfiguration(.lstm(), input: 1, hidden: 16, head: .perSequence(2)), seed: 1)
    var options = TrainingOptions()
    (options.steps, options.batch, options.evaluateEvery, options.learningRate) = (150, 32, 25, 1e-2)
    let outcome = try Trainer(network, training: training, validation: validation, options: options).run(
        onEvaluation: { print("step \($0.step): validation error \($0.validationError)") },
        shouldStop: { Task.isCancelled })
    #expect(outcome.bestError < 0.1)

    // 4. The model as a file, and what it says of a new sequence: two logits.
    try network.write(to: folder.path("waves.safetensors"))
    let model = try RecurrentNetwork(path: folder.path("waves.safetensors"))
    let wave = (0..<30).map { Float(sin(Double($0) * 0.9)) }
    let logits = model.run(wave, steps: wave.count, batch: 1).outputs
    #expect(logits[1] > logits[0])
}
