/// The state of a batch of sequences between two runs of a cell or a network.
///
/// For a network the arrays hold one after another the states of its cells, the layers in order and in each the forward
/// direction first, as PyTorch's `h_n` and `c_n`: [layers·directions, B, …].
public struct CellState: Sendable, Equatable {
    /// h, [B, H].
    public var hidden: [Float]
    /// What the cell keeps beside h: c of the LSTM, [B, H]; A of the fast weights, [B, H, H]; the
    /// associative LSTM's S copies, [B, S, H]; otherwise empty.
    public var memory: [Float]
    /// The place of the next step in the schedule of fast weights that have one; otherwise 0. All sequences have taken as
    /// many steps.
    public var step: Int

    /// A state of h, [B, H] a cell, and the memory; whoever takes it checks their counts. Traps on a step below 0.
    public init(hidden: [Float], memory: [Float] = [], step: Int = 0) {
        self.step = step
        self.hidden = hidden
        self.memory = memory
        _ = place(in: 1)
    }

    /// The place of the next step in a schedule of `period` steps. Traps on a step below 0.
    func place(in period: Int) -> Int {
        require(step >= 0, "a state's step is at least 0, found \(step)")
        return step % period
    }
}
