/// What a network makes of one sequence: a row of numbers, or one a step.
///
///     let predictions = try network.predict(.numbers(recordings, width: 3))
///     let labels = predictions.map { $0.classes[0] }                         // of a network with one value a sequence
public struct Prediction: Sendable, Equatable {
    /// The rows, [rows, width]: what the last layer gives, as `Network.run` does.
    public let outputs: [Float]
    /// Numbers a row.
    public let width: Int
    /// Whether the network makes probabilities itself, as one that ends with softmax.
    var hasSoftmax = false

    /// 1 of a network that ends with one value a sequence, otherwise the steps of the sequence.
    public var rows: Int { outputs.count / width }

    /// The most probable class of each row, [rows]: the place of its largest number, the first of equals.
    public var classes: [Int] {
        (0..<rows).map { row in
            let logits = outputs[row * width..<(row + 1) * width]
            return (logits.indices.reduce(logits.startIndex) { logits[$1] > logits[$0] ? $1 : $0 }) - logits.startIndex
        }
    }

    /// The probabilities of the classes, [rows, width]: softmax of each row, or of a network that ends with it the rows.
    public var probabilities: [Float] { hasSoftmax ? outputs : softmax(outputs, classes: width) }
}
