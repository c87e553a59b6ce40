/// A recurrent cell run over whole sequences of numbers, and differentiated through time: a network of one layer under
/// the names of a cell, `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
///
/// Arrays are row-major and time-major as PyTorch's default: input [T, B, I], outputs [T, B, H]. Gradients add up in
/// `gradients` until they are cleared. Not for use from two threads at once.
public final class RecurrentLayer {
    /// Kind and sizes of the cell.
    public let configuration: CellConfiguration
    /// `weight_ih` [G·H, I], `weight_hh` [G·H, H], `bias_ih` and `bias_hh` [G·H], G the gates.
    public let parameters: Parameters
    private let pass: NetworkPass

    /// ∂L/∂parameters, which add up until they are cleared.
    public var gradients: Parameters { pass.gradients }

    /// A layer with first values as `CellConfiguration` gives them for this seed.
    public init(_ configuration: CellConfiguration, seed: UInt64) {
        self.configuration = configuration
        var layout = ParameterLayout()
        configuration.declare(in: &layout)
        parameters = Parameters(layout)
        var random = Random(seed: seed, stream: 1)
        configuration.initialise(parameters, random: &random)
        pass = NetworkPass(configuration, parameters)
    }

    /// Runs `input`, [T, B, I], from `state` (nil is the zero state) and returns h at every step, [T, B, H], and the
    /// last state, from which a later run goes on. Traps on arrays of other sizes.
    public func forward(
        _ input: [Float], steps: Int, batch: Int, state: CellState? = nil
    ) -> (outputs: [Float], state: CellState) {
        pass.forward(input, steps: steps, batch: batch, state: state)
    }

    /// The backward pass of the last `forward`, once each: from ∂L/∂outputs, [T, B, H], and ∂L/∂(last state) (nil is
    /// zero) the gradients of the input, [T, B, I], and of the first state; those of the parameters are added to
    /// `gradients`. Traps on arrays of other sizes, and where no `forward` came before it.
    public func backward(
        _ outputGradient: [Float], state stateGradient: CellState? = nil
    ) -> (input: [Float], state: CellState) {
        pass.backward(outputGradient, state: stateGradient)
    }
}

extension RecurrentStream {
    /// A stream with the layer's parameters as they are now, from `state` of one sequence (nil is the zero state).
    public convenience init(_ layer: RecurrentLayer, state: CellState? = nil) {
        self.init(
            SharedStreamParameters(layer.configuration, CellParameters(layer.parameters)), state: state)
    }
}
