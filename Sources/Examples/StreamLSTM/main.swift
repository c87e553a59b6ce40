// Runs an LSTM that PyTorch trained sample by sample, as a program does whose samples come from a microphone or a sensor.
//
//     swift run -c release StreamLSTM [FILE [PREFIX]]
//
// FILE is a safetensors file with a state dict of nn.LSTM, nn.GRU or nn.RNN, PREFIX what stands before its names
// ("encoder.rnn."). A tensor `input` [T, B, I] in it is the samples, of which the first sequence is taken; without one they
// are a wave. A tensor `output` [T, B, H] is what PyTorch makes of them, from the zero state. The default is a file of the
// golden cases.
import FastWeights
import Foundation

/// The first sequence of a tensor [T, B, n], a row of n numbers a step.
func firstSequence(of name: String, in file: SafeTensors) throws -> [[Float]] {
    let shape = try file.tensor(named: name).shape
    guard shape.count == 3 else { throw Problem("\(name) should have the shape [T, B, …], found \(shape)") }
    let values = try file.floats(name)
    let (rowCount, n) = (shape[1] * shape[2], shape[2])
    return (0..<shape[0]).map { t in Array(values[t * rowCount..<t * rowCount + n]) }
}

struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    let file = try SafeTensors(path: words.first ?? "Fixtures/stack/lstm_three_layers_no_state.safetensors")
    let network = try Network(file, prefix: words.isEmpty ? "parameter." : words.count > 1 ? words[1] : nil)
    guard case .numbers(let width) = network.configuration.input else {
        throw Problem("\(file.source): no network of numbers")
    }
    let samples =
        file.names.contains("input")
        ? try firstSequence(of: "input", in: file)
        : (0..<20).map { t in (0..<width).map { i in Float(sin(0.3 * Double(t) + Double(i))) } }
    let expected = file.names.contains("output") ? try firstSequence(of: "output", in: file) : []

    let weights = try NetworkStream.Weights(network)  // once a network: any number of streams share them
    let stream = NetworkStream(weights)  // once a sequence: a microphone, a user, an instrument
    var output = [Float](repeating: 0, count: stream.output.count)
    var largestError: Float = 0
    for (t, sample) in samples.enumerated() {
        stream.step(sample)  // allocates nothing
        stream.copyOutput(into: &output)
        print("step \(t):", output.map { String(format: "%.4f", $0) }.joined(separator: " "))
        if t < expected.count {
            largestError = zip(output, expected[t]).reduce(largestError) { max($0, abs($1.0 - $1.1)) }
        }
    }
    if !expected.isEmpty { print("largest difference from PyTorch: \(largestError)") }
    if !(largestError < 1e-5) { throw Problem("\(file.source): the outputs are not PyTorch's") }
} catch {
    FileHandle.standardError.write(Data("StreamLSTM: \(error)\n".utf8))
    exit(1)
}
