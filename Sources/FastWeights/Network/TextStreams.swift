/// A text cut into streams that run side by side, and each of them into windows: the state goes on from window to window.
struct TextStreams {
    let data: SequenceData
    let window: Int
    let states: CarriedStates
    private let length: Int
    private(set) var starts: [Int]
    private var position = 0

    init(_ data: SequenceData, window: Int, streams: Int, _ definition: NetworkDefinition) {
        let steps = data.lengths[0]
        let count = min(streams, steps)
        (self.data, self.window, length) = (data, window, steps / count)
        starts = [Int](repeating: 0, count: count)
        states = CarriedStates(definition, sequences: count)
        position = length
    }

    /// Windows of a pass through the text.
    var windows: Int { Self.windows(window, tokens: length, streams: 1) }

    /// Windows of `window` tokens in each of so many streams of a text.
    static func windows(_ window: Int, tokens: Int, streams: Int) -> Int {
        let length = tokens / max(1, min(streams, tokens))
        return (length + window - 1) / window
    }

    /// Steps of the window.
    private(set) var steps = 0

    /// Moves on to the next window, after the last to the first one. Returns whether it is the first, and the states
    /// are to be zero.
    mutating func advance() -> Bool {
        position += steps
        let isFirst = position >= length
        if isFirst { position = 0 }
        steps = min(window, length - position)
        for i in starts.indices { starts[i] = i * length + position }
        return isFirst
    }

    /// Begins again with the first window.
    mutating func rewind() { (position, steps) = (length, 0) }
}

/// The states of sequences between two windows, those of every layer as `Carry.state` has them, in panels of sixteen
/// sequences.
final class CarriedStates {
    let values: Parameters
    private let rows: Int

    init(_ definition: NetworkDefinition, sequences: Int) {
        rows = definition.root.carriedRows
        var layout = Parameters.Layout()
        layout.append("states", (sequences + Lanes.width - 1) / Lanes.width, rows, Lanes.width)
        values = Parameters(layout)
    }

    /// The states of block b.
    subscript(b: Int) -> Panel {
        UnsafeMutableRawPointer(values.pointer).assumingMemoryBound(to: Lanes.self) + b * rows
    }
}
