/// The sizes of a clip.
struct VideoShape: Sendable, Equatable {
    /// T, frames.
    var frames: Int
    /// [C, H, W], a frame.
    var maps: MapShape
    /// A, numbers of the action that leads from a frame to the next; 0 where there are none.
    var actions = 0
    /// S, numbers of the state at a frame; 0 where there are none.
    var states = 0

    /// To be read by people.
    var text: String {
        "\(frames) frames \(maps.sizes.text), actions of \(actions) numbers and states of \(states)"
    }
}

/// One clip: T frames [T, C, H, W], and an action and a state for each where there are any.
struct VideoClip: Sendable, Equatable {
    var pixels: Pixels
    /// [T, A].
    var actions: [Float] = []
    /// [T, S].
    var states: [Float] = []

    enum Pixels: Sendable, Equatable {
        /// From 0 to 255, which stand for 0 to 1.
        case bytes([UInt8])
        /// From 0 to 1.
        case floats([Float])

        var count: Int {
            switch self {
            case .bytes(let values): values.count
            case .floats(let values): values.count
            }
        }
    }

    /// [C, pixels] of [pixels, C], as pictures have them.
    static func planes(_ pixels: ArraySlice<UInt8>, channels: Int) -> [UInt8] {
        (0..<channels).flatMap { c in
            stride(from: pixels.startIndex + c, to: pixels.endIndex, by: channels).map { pixels[$0] }
        }
    }
}

/// Clips of one size, whatever they come from: files, or what makes them whenever they are asked for.
///
///     let (training, validation) = try clips.split(validation: 0.1, seed: 1)
///     var order = BatchOrder(count: training.count, batch: 8, seed: 1)
///     order.advance()
///     training.read(order.indices, into: &batch)
struct VideoClips: Sendable {
    let shape: VideoShape
    /// Clips.
    let count: Int
    /// What they are, and what a file was taken for, for a report.
    let source: String
    private let make: @Sendable (Int) -> VideoClip
    /// Which of the clips that can be made these are; nil where they are the first ones.
    private let chosen: [Int]?

    /// The clips 0..<count that `make` gives, the same for the same number at any time and on any thread. Traps unless there is
    /// a clip, with at least one frame and pixel.
    init(_ shape: VideoShape, count: Int, source: String, make: @escaping @Sendable (Int) -> VideoClip) {
        self.init(shape, count: count, source: source, chosen: nil, make: make)
    }

    private init(
        _ shape: VideoShape, count: Int, source: String, chosen: [Int]?, make: @escaping @Sendable (Int) -> VideoClip
    ) {
        let maps = shape.maps
        require(
            count >= 1 && shape.frames >= 1 && min(maps.channels, maps.height, maps.width) >= 1
                && min(shape.actions, shape.states) >= 0,
            "\(count) clips of \(shape.frames) frames of \(maps.channels) maps of \(maps.height) by \(maps.width); of each at least 1 is needed"
        )
        (self.shape, self.count, self.source, self.chosen, self.make) = (shape, count, source, chosen, make)
    }

    /// Clip `index`. Traps on an index out of range, and where the clip is not of the size that was said.
    subscript(index: Int) -> VideoClip {
        require((0..<count).contains(index), "clip \(index) was asked for; there are \(count), counted from 0")
        let clip = make(chosen?[index] ?? index)
        require(
            clip.pixels.count == shape.frames * shape.maps.count && clip.actions.count == shape.frames * shape.actions
                && clip.states.count == shape.frames * shape.states,
            "clip \(index) has \(clip.pixels.count) pixels, \(clip.actions.count) and \(clip.states.count) numbers of actions and states; it should have \(shape.text)"
        )
        return clip
    }

    /// The clips at `indices`, in that order. Traps on an index out of range, and without any.
    func selecting(_ indices: [Int]) -> VideoClips {
        if let wrong = indices.first(where: { !(0..<count).contains($0) }) {
            misuse("clip \(wrong) was selected; there are \(count), counted from 0")
        }
        let numbers = indices.map { chosen?[$0] ?? $0 }
        return VideoClips(shape, count: numbers.count, source: source, chosen: numbers, make: make)
    }

    /// The clips in two parts, drawn with `seed`: the share `validation`, rounded, and at least one clip of each. A clip is
    /// never torn apart.
    ///
    /// Throws `VideoError` when there is but one clip. Traps unless the share is between 0 and 1.
    func split(
        validation share: Double, seed: UInt64
    ) throws(VideoError) -> (training: VideoClips, validation: VideoClips) {
        require(share > 0 && share < 1, "the share for validation must be between 0 and 1, found \(share)")
        guard count > 1 else { throw VideoError("\(source): expected at least two clips for a split, found one") }
        var order = Array(0..<count)
        var random = Random(seed: seed, stream: 3)
        random.shuffle(&order)
        let size = min(max(Int((Double(count) * share).rounded()), 1), count - 1)
        return (selecting(Array(order[size...])), selecting(Array(order[..<size])))
    }
}

// MARK: - Batches

/// Frames `first` to `first + T - 1` of B clips, in the layout of a network's inputs.
struct VideoBatch: Sendable, Equatable {
    /// [T, B, C·H·W], from 0 to 1.
    private(set) var frames: [Float]
    /// [T, B, A].
    private(set) var actions: [Float]
    /// [T, B, S].
    private(set) var states: [Float]
    /// Its sizes; T may be less than the clips have.
    let shape: VideoShape
    /// B, clips.
    let count: Int

    /// Zeros for `count` clips of such a size. Traps on a size below 0.
    init(_ shape: VideoShape, count: Int) {
        func zeros(_ width: Int, _ what: String) -> [Float] {
            let sizes = [shape.frames, count, width]
            guard let numbers = elementCount(sizes) else { misuse("\(what) of a batch have the shape \(sizes.text)") }
            return [Float](repeating: 0, count: numbers)
        }
        (self.shape, self.count) = (shape, count)
        frames = zeros(shape.maps.count, "the frames")
        actions = zeros(shape.actions, "the actions")
        states = zeros(shape.states, "the states")
    }

    /// A batch of these numbers, laid out as its properties are. Traps on others than of such sizes.
    init(_ shape: VideoShape, count: Int, frames: [Float], actions: [Float] = [], states: [Float] = []) {
        self.init(shape, count: count)
        require(
            frames.count == self.frames.count && actions.count == self.actions.count
                && states.count == self.states.count,
            "\(count) clips of \(shape.text) were given \(frames.count) numbers of frames, \(actions.count) of actions and \(states.count) of states"
        )
        (self.frames, self.actions, self.states) = (frames, actions, states)
    }

    /// Puts a clip's frames from `first` on in place `b`.
    fileprivate mutating func set(_ b: Int, _ clip: VideoClip, from first: Int) {
        /// Row t of [T, B, N] from row first + t of [T, N].
        func copy<Value>(_ values: [Value], _ rows: inout [Float], _ width: Int, _ convert: (Value) -> Float) {
            for t in 0..<shape.frames {
                let (from, to) = ((first + t) * width, (t * count + b) * width)
                for k in 0..<width { rows[to + k] = convert(values[from + k]) }
            }
        }
        switch clip.pixels {
        case .bytes(let bytes): copy(bytes, &frames, shape.maps.count) { Float($0) / 255 }
        case .floats(let floats): copy(floats, &frames, shape.maps.count) { $0 }
        }
        copy(clip.actions, &actions, shape.actions) { $0 }
        copy(clip.states, &states, shape.states) { $0 }
    }
}

extension VideoClips {
    /// Puts the clips at `indices` into a batch of as many, as many frames of each as the batch has from `first` on.
    ///
    /// O(B·T·C·H·W). Traps on indices or frames that are not there, and on a batch of other sizes.
    func read(_ indices: [Int], from first: Int = 0, into batch: inout VideoBatch) {
        var sizes = shape
        sizes.frames = batch.shape.frames
        require(
            batch.shape == sizes && batch.count == indices.count,
            "a batch of \(batch.count) clips of \(batch.shape.text) for \(indices.count) clips of \(shape.text)")
        require(
            first >= 0 && batch.shape.frames <= shape.frames - first,
            "frames \(first) to \(first + batch.shape.frames - 1) of clips of \(shape.frames)")
        for (b, index) in indices.enumerated() { batch.set(b, self[index], from: first) }
    }

    /// A new batch of the clips at `indices`: `frames` of each from `first` on, or all that are left.
    func batch(_ indices: [Int], from first: Int = 0, frames: Int? = nil) -> VideoBatch {
        var sizes = shape
        sizes.frames = frames ?? max(shape.frames - first, 0)
        var batch = VideoBatch(sizes, count: indices.count)
        read(indices, from: first, into: &batch)
        return batch
    }
}

/// Clips that cannot be made or used: where, what was expected and what was found.
struct VideoError: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ problem: String) { description = problem }
}
