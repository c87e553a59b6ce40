// Maps a batch of sequences of unequal length through a stacked bidirectional network that PyTorch trained.
//
//     swift run -c release MapBatch [FILE [PREFIX]]
//
// FILE is a safetensors file with a state dict of nn.LSTM, nn.GRU or nn.RNN, PREFIX what stands before its names
// ("encoder.rnn."), and the tensors `input` [T, B, I] and, if wanted, `lengths` [B]. A tensor `output` [T, B, H·directions]
// is what PyTorch makes of them, from the zero state. The default is a file of the golden cases.
import FastWeights
import Foundation

struct Problem: Error, CustomStringConvertible {
    let description: String
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    let file = try SafeTensors(path: words.first ?? "Fixtures/stack/lstm_no_bias.safetensors")
    let network = try Network(file, prefix: words.isEmpty ? "parameter." : words.count > 1 ? words[1] : nil)
    guard case .numbers(let width) = network.configuration.input else {
        throw Problem(description: "\(file.source): no network of numbers")
    }
    let shape = try file.tensor(named: "input").shape
    guard shape.count == 3, shape[2] == width, !shape.contains(0) else {
        throw Problem(description: "\(file.source): input should be [T, B, \(width)], found \(shape)")
    }
    let (steps, batch) = (shape[0], shape[1])
    let lengths = file.names.contains("lengths") ? try file.integers("lengths") : nil
    if let lengths, lengths.count != batch || !lengths.allSatisfy({ (1...steps).contains($0) }) {
        throw Problem(description: "\(file.source): lengths should be \(batch) of 1 to \(steps), found \(lengths)")
    }

    // Padding is not read; outputs behind a sequence's end are zero. The bits do not depend on the threads.
    let (outputs, state) = network.run(
        try file.floats("input"), steps: steps, batch: batch, lengths: lengths, threads: 2)

    // What a classifier would read of each sequence: the last layer's last h, forwards and, if there is one, backwards.
    let states = state.parts.filter { $0.name.hasPrefix("h") }
    let directions = states.contains { $0.name.hasSuffix("_reverse") } ? 2 : 1
    for b in 0..<batch {
        let summary = states.suffix(directions).flatMap { h in
            h.values[b * h.shape[1]..<(b + 1) * h.shape[1]]
        }
        let numbers = summary.map { String(format: "%.4f", $0) }.joined(separator: " ")
        print("sequence \(b) of \(lengths?[b] ?? steps) steps:", numbers)
    }
    guard file.names.contains("output") else { exit(0) }
    let expected = try file.floats("output")
    let largestError = zip(outputs, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    print("largest difference from PyTorch: \(largestError)")
    guard outputs.count == expected.count, largestError < 1e-5 else {
        throw Problem(description: "\(file.source): the outputs are not PyTorch's")
    }
} catch {
    FileHandle.standardError.write(Data("MapBatch: \(error)\n".utf8))
    exit(1)
}
