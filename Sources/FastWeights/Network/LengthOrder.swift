/// Sequences by falling length, those of a length in the order given. A value, so that a loop over it asks once for access
/// and not at every element.
struct LengthOrder {
    /// Which sequences.
    private(set) var order: [Int] = []
    /// The first step of each among all steps of the data, and how many there are.
    private(set) var starts: [Int] = []
    private(set) var lengths: [Int] = []
    /// By length, the longest first: how many sequences have it, and then where the next of them goes.
    private var offsets: [Int]

    /// For sequences of at most `longest` steps.
    init(longest: Int) { offsets = [Int](repeating: 0, count: longest + 2) }

    private mutating func setCount(_ count: Int) {
        guard order.count != count else { return }
        order = [Int](repeating: 0, count: count)
        (starts, lengths) = (order, order)
    }

    /// Puts the sequences at `indices`, or all, in order by counting. O(sequences + longest).
    mutating func sort(_ inputs: SequenceInputs, _ indices: [Int]?) {
        let (count, longest) = (indices?.count ?? inputs.count, offsets.count - 2)
        func sequence(_ position: Int) -> Int { indices.map { $0[position] } ?? position }
        setCount(count)
        if inputs.isEven {
            for position in 0..<count {
                let i = sequence(position)
                (order[position], starts[position], lengths[position]) = (i, inputs.starts[i], inputs.lengths[i])
            }
            return
        }
        for i in offsets.indices { offsets[i] = 0 }
        for position in 0..<count { offsets[longest - inputs.lengths[sequence(position)] + 1] += 1 }
        for i in 1..<offsets.count { offsets[i] += offsets[i - 1] }
        for position in 0..<count {
            let i = sequence(position)
            let slot = longest - inputs.lengths[i]
            order[offsets[slot]] = i
            starts[offsets[slot]] = inputs.starts[i]
            lengths[offsets[slot]] = inputs.lengths[i]
            offsets[slot] += 1
        }
    }

    /// Takes sequences of `steps` steps that begin there.
    mutating func set(starts: [Int], steps: Int) {
        setCount(starts.count)
        for i in order.indices { (order[i], self.starts[i], lengths[i]) = (i, starts[i], steps) }
    }

    /// The positions of block b.
    func positions(_ b: Int) -> Range<Int> { b * Lanes.width..<min((b + 1) * Lanes.width, order.count) }

    /// Block b: its samples are the first steps of the sequences among all steps.
    func block(_ b: Int) -> LaneBlock {
        block(b, of: starts)
    }

    /// Block b with samples that are the sequences' own numbers in the data.
    func numbered(_ b: Int) -> LaneBlock {
        block(b, of: order)
    }

    private func block(_ b: Int, of samples: [Int]) -> LaneBlock {
        let positions = positions(b)
        return samples.withUnsafeBufferPointer { samples in
            lengths.withUnsafeBufferPointer { lengths in
                LaneBlock(
                    positions.count, samples: samples.baseAddress! + positions.lowerBound,
                    lengths: lengths.baseAddress! + positions.lowerBound)
            }
        }
    }

    /// Blocks of sixteen sequences, the last of as many as are left.
    var blocks: Int { (order.count + Lanes.width - 1) / Lanes.width }

    /// Whether all sequences have as many steps.
    var isEven: Bool { lengths.first == lengths.last }
}
