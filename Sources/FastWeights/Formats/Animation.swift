/// Pictures of one size that are shown one behind the other, over and over: written as an animated PNG or a GIF, which browsers
/// show.
///
///     try Files.writeAtomically(Animation(frames, delay: 20).gif(), to: "push.gif")
struct Animation: Sendable, Equatable {
    /// What is shown.
    let frames: [PNG]
    /// How long each is shown, in hundredths of a second.
    let delays: [Int]

    private static let possibleDelays = 2...65_535

    /// Frames that are shown for so long each, in hundredths of a second. Traps unless there are frames, all of one size, as
    /// many delays, and each of those is from 2, below which browsers show frames slower, to 65,535.
    init(_ frames: [PNG], delays: [Int]) {
        guard let first = frames.first else { misuse("an animation has at least 1 frame") }
        for frame in frames
        where (frame.width, frame.height, frame.channels) != (first.width, first.height, first.channels) {
            misuse(
                "frames of an animation have one size, found \(frame.channels) channels of \(frame.height) by \(frame.width) behind \(first.channels) of \(first.height) by \(first.width)"
            )
        }
        require(
            delays.count == frames.count && delays.allSatisfy(Self.possibleDelays.contains),
            "\(frames.count) frames and the delays \(delays); each frame has one from \(Self.possibleDelays.lowerBound) to \(Self.possibleDelays.upperBound) hundredths of a second"
        )
        (self.frames, self.delays) = (frames, delays)
    }

    /// Frames that are all shown for `delay` hundredths of a second.
    init(_ frames: [PNG], delay: Int) {
        self.init(frames, delays: [Int](repeating: delay, count: frames.count))
    }

    /// The bytes of an animated PNG (PNG 3, section 11.3.2) in the colors that the frames have; the same animation always gives
    /// the same. What knows PNGs alone shows the first frame.
    ///
    /// - Complexity: O(*n*) in the bytes of all pixels.
    func png() -> [UInt8] {
        var number: UInt32 = 0
        /// The content of a chunk that begins with the number of chunks like it before.
        func numbered(_ content: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.appendBigEndian(number)
            number += 1
            return bytes + content
        }
        var control: [UInt8] = []
        control.appendBigEndian(UInt32(frames.count))
        control.appendBigEndian(0)  // over and over
        var chunks = [("IHDR", frames[0].header), ("acTL", control)]
        for (i, (frame, delay)) in zip(frames, delays).enumerated() {
            var shown: [UInt8] = []
            for size in [frame.width, frame.height, 0, 0] { shown.appendBigEndian(UInt32(size)) }
            // So many hundredths; the frame stays until the next one replaces it.
            for half in [delay, 100] { shown += [UInt8(half >> 8), UInt8(half & 0xFF)] }
            chunks.append(("fcTL", numbered(shown + [0, 0])))
            chunks.append(i == 0 ? ("IDAT", frame.compressed) : ("fdAT", numbered(frame.compressed)))
        }
        return PNG.serialize((chunks + [("IEND", [])]).map { (Array($0.0.utf8), $0.1) })
    }
}
