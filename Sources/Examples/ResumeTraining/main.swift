// Trains a network on sequences of one's own, and goes on where it was when something ended it.
//
//     swift run -c release ResumeTraining OUTPUT CHECKPOINT
//
// OUTPUT is the model, CHECKPOINT the file from which the training goes on if it is there. However often the program is
// killed and begun again, the model that comes out has the same bits. Tests/faults.sh does that.
import FastWeights
import Foundation

struct Problem: Error, CustomStringConvertible {
    let description: String
}

/// Waves of unequal length, slow ones of class 0 and fast ones of class 1. Yours come from files.
func waves(_ count: Int) throws -> SequenceData {
    let sequences = (0..<count).map { i in
        (0..<20 + i % 13).map { t in Float(sin(Double(t + i) * (i % 2 == 0 ? 0.3 : 0.9))) }
    }
    return try SequenceData(.numbers(sequences, width: 1), .classes((0..<count).map { $0 % 2 }))
}

do {
    let words = CommandLine.arguments.dropFirst()
    guard let output = words.first, let checkpoint = words.dropFirst().first else {
        throw Problem(description: "expected two files, of the model and of the checkpoint")
    }
    let (training, validation) = try waves(300).split(validation: 0.2, seed: 1)
    let stack = Layer.stack(.gru(12), layers: 2, isBidirectional: true, dropout: 0.1)
    let network = Network(NetworkConfiguration(.numbers(1), [stack, .lastStep, .dense(2)]), seed: 1)
    var options = TrainingOptions()
    (options.steps, options.batch, options.evaluateEvery, options.threads) = (1500, 32, 100, 2)
    options.perfectEvaluations = options.steps
    options.checkpoint = CheckpointOptions(path: checkpoint, every: 10, resumes: true)
    let trainer = try Trainer(network, training: training, validation: validation, options: options)
    let outcome = try trainer.run(
        onEvaluation: { print("step \($0.step): loss \($0.trainingLoss), validation error \($0.validationError)") })
    try network.write(to: output)
    print("best validation error \(outcome.bestError), of step \(outcome.bestStep)")
} catch {
    FileHandle.standardError.write(Data("ResumeTraining: \(error)\n".utf8))
    exit(1)
}
