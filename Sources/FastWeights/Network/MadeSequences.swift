/// Sequences of numbers, all of one length, that are made of something smaller whenever a batch asks for them.
///
/// The glimpses of an image are eight times as many numbers as its pixels, and those are floats where the pixels are bytes.
protocol MadeSequences: AnyObject, Sendable {
    /// Sequences.
    var count: Int { get }
    /// Steps of each.
    var steps: Int { get }
    /// Numbers a step.
    var width: Int { get }
    /// A number for all of them.
    var checksum: UInt32 { get }

    /// Writes `count` steps of sequence `index` from `first` on into a lane of as many panels, `width` rows each;
    /// allocates nothing. With a `seed`, that of a training step, the sequence may be changed at random: by the seed and
    /// the index alone.
    func write(_ index: Int, from first: Int, count: Int, into panels: PanelSequence, lane: Int, seed: UInt64?)
}
