/// What a network's outputs are worth over some sequences.
public struct Evaluation: Sendable, Equatable {
    /// Mean loss: nats of classes, squares of numbers.
    public var loss: Double
    /// The share of sequences or steps with a wrong class, 0...1; of numbers the loss again.
    public var error: Double
}
