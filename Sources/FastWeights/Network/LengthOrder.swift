/// Sequences by falling length, those of a length in the order given. A value, so that a loop over it asks once for access
/// and not at every element.
struct LengthOrder {
    private(set) var count = 0
    /// Which sequences.
    private(set) var order = Buffer<Int>(0)
    /// The first step of each among all steps of the data, and how many there are.
    private(set) var starts = Buffer<Int>(0)
    private(set) var lengths = Buffer<Int>(0)
    /// By length, the longest first: how many sequences have it, and then where the next of them goes.
    private var offsets: [Int]

    /// For sequences of at most `longest` steps.
    init(longest: Int) { offsets = [Int](repeating: 0, count: longest + 2) }

    private mutating func setCount(_ count: Int) {
        self.count = count
        guard order.count < count else { return }
        (order, starts, lengths) = (Buffer(count), Buffer(count), Buffer(count))
    }

    /// Puts the sequences at `indices`, or all, in order by counting. O(sequences + longest).
    mutating func sort(_ inputs: SequenceInputs, _ indices: [Int]?) {
        let (count, longest) = (indices?.count ?? inputs.count, offsets.count - 2)
        func sequence(_ position: Int) -> Int { indices.map { $0[position] } ?? position }
        setCount(count)
        let (order, starts, lengths) = (order.pointer, starts.pointer, lengths.pointer)
        func put(_ i: Int, at position: Int) {
            (order[position], starts[position], lengths[position]) = (i, inputs.starts[i], inputs.lengths[i])
        }
        if inputs.isEven {
            for position in 0..<count { put(sequence(position), at: position) }
            return
        }
        for i in offsets.indices { offsets[i] = 0 }
        for position in 0..<count { offsets[longest - inputs.lengths[sequence(position)] + 1] += 1 }
        for i in 1..<offsets.count { offsets[i] += offsets[i - 1] }
        for position in 0..<count {
            let i = sequence(position)
            let slot = longest - inputs.lengths[i]
            put(i, at: offsets[slot])
            offsets[slot] += 1
        }
    }

    /// Takes sequences of `steps` steps that begin there.
    mutating func set(starts: [Int], steps: Int) {
        setCount(starts.count)
        for (i, start) in starts.enumerated() {
            (order.pointer[i], self.starts.pointer[i], lengths.pointer[i]) = (i, start, steps)
        }
    }

    /// Blocks of sixteen sequences, the last of as many as are left.
    var blocks: Int { (count + Lanes.width - 1) / Lanes.width }

    /// Whether all sequences have as many steps.
    var isEven: Bool { count == 0 || lengths.pointer[0] == lengths.pointer[count - 1] }
}
