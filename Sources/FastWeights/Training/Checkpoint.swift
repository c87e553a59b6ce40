/// A training as it stood at one step, from which it goes on to the same bits.
struct Checkpoint {
    /// Tensors, row-major: parameters, the best ones so far and the optimizer's moments.
    var tensors: [(name: String, shape: [Int], values: [Float])]
    /// Which training it belongs to: names and values, which must be those of the training that goes on.
    var identity: JSON
    /// How far it had come.
    var state: JSON

    /// The block called `name`, whose tensors are those of `layout`, each behind this name and a slash.
    func parameters(_ name: String, _ layout: Parameters.Layout) throws(TrainingError) -> Parameters {
        let result = Parameters(layout)
        for window in layout.windows {
            guard let tensor = tensors.first(where: { $0.name == "\(name)/\(window.name)" }),
                tensor.shape == window.shape
            else {
                throw TrainingError.checkpoint(
                    "the checkpoint has no tensor \(name)/\(window.name) of shape \(window.shape.text)")
            }
            result[window.name] = tensor.values
        }
        return result
    }

    /// Adds a block's tensors as those called `name`.
    mutating func append(_ name: String, _ block: Parameters) {
        for window in block.layout.windows {
            tensors.append(("\(name)/\(window.name)", window.shape, block[window.name]))
        }
    }
}

/// What keeps the checkpoints of one training, of which it needs the last.
protocol CheckpointStore: AnyObject, Sendable {
    /// What messages call it.
    var name: String { get }
    /// Whether there is nothing yet.
    var isEmpty: Bool { get }
    /// The checkpoint that `write` kept. Throws `TrainingError.checkpoint` with what is wrong.
    func read() throws(TrainingError) -> Checkpoint
    /// Keeps the checkpoint in the place of the one before, so that at every moment there is one of them, whole.
    func write(_ checkpoint: Checkpoint) throws(TrainingError)
}
