/// Maps that an operation reads or writes at every step, in planar order [C, N, H, W], and their gradients.
///
/// There is a slot for each step that is remembered, after which the first is used again, and one slot of gradients, which an
/// operation's way back adds to.
final class PlanarMaps {
    let shape: MapShape
    /// N, samples.
    let samples: Int
    private let slots: Int
    private let values: Buffer<Float>
    private let derivatives: Buffer<Float>

    /// Maps of `slots` steps, with gradients if they `train`.
    init(_ shape: MapShape, samples: Int, slots: Int, trains: Bool) {
        (self.shape, self.samples, self.slots) = (shape, samples, slots)
        let count = samples * shape.count
        values = Buffer(slots * count + planarMargin)
        derivatives = Buffer(trains ? count + planarMargin : 0)
    }

    /// Numbers of a map of all samples.
    var plane: Int { samples * shape.area }
    /// Numbers of a step.
    var count: Int { shape.channels * plane }

    /// The maps of step t.
    func at(_ t: Int) -> UnsafeMutablePointer<Float> { values.pointer + t % slots * count }
    /// ∂L/∂(the maps of the step that is gone back through).
    var gradient: UnsafeMutablePointer<Float> { derivatives.pointer }

    func clearGradient() { derivatives.clear() }
    /// Makes the maps of all slots zero.
    func clear() { values.clear() }

    /// All channels.
    var all: PlanarRange { self[0..<shape.channels] }
    /// Some of the channels.
    subscript(channels: Range<Int>) -> PlanarRange { PlanarRange(maps: self, channels: channels, shift: 0) }
}

/// Some channels of maps.
struct PlanarRange {
    let maps: PlanarMaps
    let channels: Range<Int>
    /// Steps that they are ahead: a state after step t stands where step t + 1 reads it.
    var shift: Int

    var shape: MapShape { MapShape(channels: channels.count, height: maps.shape.height, width: maps.shape.width) }
    var samples: Int { maps.samples }
    /// Numbers of a step.
    var count: Int { channels.count * maps.plane }

    func at(_ t: Int) -> UnsafeMutablePointer<Float> {
        maps.at(t + shift) + channels.lowerBound * maps.plane
    }
    var gradient: UnsafeMutablePointer<Float> { maps.gradient + channels.lowerBound * maps.plane }

    func clearGradient() { gradient.update(repeating: 0, count: count) }
}
