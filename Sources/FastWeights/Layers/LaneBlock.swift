/// Up to sixteen sequences of a batch that run side by side, one a lane, the longest first. Its storage is its own: to copy
/// it counts no references.
struct LaneBlock {
    /// Sequences: the lanes behind them are empty.
    private(set) var count = 0
    /// Which sequence of the batch is in each lane; 0 in empty ones.
    private(set) var samples = SIMD16<Int>.zero
    /// Steps of each, falling; 0 in empty lanes.
    private(set) var lengths = SIMD16<Int>.zero
    /// Steps of the longest and the shortest sequence.
    private(set) var (steps, shortest) = (0, 0)

    /// The lanes with a sequence.
    var lanes: Range<Int> { 0..<count }

    /// A block without sequences.
    init() {}

    /// `count` sequences, those that `sequence` gives, none longer than the one before.
    @inline(__always)
    init(_ count: Int, _ sequence: (_ lane: Int) -> (sample: Int, length: Int)) {
        guard count > 0 else { return }
        self.count = count
        withUnsafeMutablePointer(to: &samples) { samples in
            withUnsafeMutablePointer(to: &lengths) { lengths in
                let (samples, lengths) = (numbers(samples), numbers(lengths))
                for lane in 0..<count { (samples[lane], lengths[lane]) = sequence(lane) }
                (self.steps, shortest) = (lengths[0], lengths[count - 1])
            }
        }
    }

    /// `count` sequences, numbered at `samples` and as long as stands at `lengths`. Sixteen are taken as whole vectors: a vector
    /// that was written number by number would be waited for where it is read.
    @inline(__always)
    init(_ count: Int, samples: UnsafePointer<Int>, lengths: UnsafePointer<Int>) {
        guard count == Lanes.width else {
            self.init(count) { (samples[$0], lengths[$0]) }
            return
        }
        self.init()
        self.count = count
        self.samples = UnsafeRawPointer(samples).loadUnaligned(as: SIMD16<Int>.self)
        self.lengths = UnsafeRawPointer(lengths).loadUnaligned(as: SIMD16<Int>.self)
        (steps, shortest) = (lengths[0], lengths[count - 1])
    }

    /// The sequences of `block` from step `first` on, of which `steps` steps at most.
    init(windowOf block: LaneBlock, from first: Int, steps: Int) {
        self = block
        if first == 0 && block.steps <= steps { return }
        withUnsafeMutablePointer(to: &lengths) {
            let lengths = numbers($0)
            for lane in 0..<count { lengths[lane] = max(0, min(lengths[lane] - first, steps)) }
            (self.steps, shortest) = (lengths[0], lengths[count - 1])
        }
    }

    /// Steps of each lane for `CellPass.lengths`; nil where no sequence ends before the longest.
    var laneLengths: SIMD16<Int32>? { shortest == steps ? nil : SIMD16<Int32>(truncatingIfNeeded: lengths) }

    /// Calls `body` with the samples in memory, where that of a lane is a load.
    @inline(__always)
    func withSamples<Result>(_ body: (UnsafePointer<Int>) -> Result) -> Result {
        withUnsafePointer(to: samples) { body(UnsafePointer(numbers(UnsafeMutablePointer(mutating: $0)))) }
    }

    /// How many lanes, the first, have a step t.
    func active(at t: Int) -> Int {
        if t < shortest { return count }
        var count = count
        while count > 0 && lengths[count &- 1] <= t { count &-= 1 }
        return count
    }

    /// A batch dealt out: in its own order where all sequences have `steps` steps, otherwise by falling length, so that
    /// a block ends with sequences about as long as its first. With `equalLengths` a block has one length only.
    static func deal(batch: Int, steps: Int, lengths: [Int]?, equalLengths: Bool) -> [LaneBlock] {
        let length = { lengths?[$0] ?? steps }
        // Sorting by the number too keeps sequences of one length in their order.
        let order = (0..<batch).sorted { (-length($0), $0) < (-length($1), $1) }
        var blocks: [LaneBlock] = []
        var first = 0
        while first < batch {
            var end = min(first + Lanes.width, batch)
            if equalLengths { end = order[first..<end].firstIndex { length($0) < length(order[first]) } ?? end }
            blocks.append(LaneBlock(end - first) { (order[first + $0], length(order[first + $0])) })
            first = end
        }
        return blocks
    }
}

// MARK: - Between arrays and lanes

extension LaneBlock {
    /// panel[r][lane] = source[sample of the lane · rows + r] in the first `count` lanes, 0 behind them.
    @inline(never)
    func gather(_ source: UnsafePointer<Float>, count: Int, rows: Int, into panel: Panel) {
        if count < Lanes.width { panel.update(repeating: .zero, count: rows) }
        let target = floats(panel)
        withSamples { samples in
            var lane = 0
            while lane &+ 4 <= count {
                spread(
                    source + samples[lane] &* rows, source + samples[lane &+ 1] &* rows,
                    source + samples[lane &+ 2] &* rows, source + samples[lane &+ 3] &* rows, count: rows, lane: lane,
                    into: target)
                lane &+= 4
            }
            while lane < count {
                let row = source + samples[lane] &* rows
                var r = 0
                while r < rows {
                    target[r &* Lanes.width &+ lane] = row[r]
                    r &+= 1
                }
                lane &+= 1
            }
        }
    }

    /// target[sample of the lane · rows + r] = panel[r][lane] for the first `count` lanes.
    @inline(never)
    func scatter(_ panel: Panel, count: Int, rows: Int, into target: UnsafeMutablePointer<Float>) {
        let source = floats(panel)
        withSamples { samples in
            var lane = 0
            while lane &+ 4 <= count {
                let a = target + samples[lane] &* rows
                let b = target + samples[lane &+ 1] &* rows
                let c = target + samples[lane &+ 2] &* rows
                let d = target + samples[lane &+ 3] &* rows
                var r = 0
                while r &+ 4 <= rows {
                    let square = Matrix4x4(at: source + (r &* Lanes.width &+ lane), Lanes.width).transposed
                    square.a.store(at: a + r)
                    square.b.store(at: b + r)
                    square.c.store(at: c + r)
                    square.d.store(at: d + r)
                    r &+= 4
                }
                while r < rows {
                    let p = source + (r &* Lanes.width &+ lane)
                    (a[r], b[r], c[r], d[r]) = (p[0], p[1], p[2], p[3])
                    r &+= 1
                }
                lane &+= 4
            }
            while lane < count {
                let row = target + samples[lane] &* rows
                var r = 0
                while r < rows {
                    row[r] = source[r &* Lanes.width &+ lane]
                    r &+= 1
                }
                lane &+= 1
            }
        }
    }

    /// Copies `count` steps of sequences in reverse, each from its own end, so that the last step comes first: target[t] is what
    /// the reversed sequence has at step first + t, of `steps` in all, with 0 behind its end.
    func reverse(
        _ source: PanelSequence, rows: Int, into target: PanelSequence, from first: Int, count: Int, steps: Int
    ) {
        for t in 0..<count {
            let (y, step) = (target[t], first &+ t)
            guard shortest < steps else {
                y.update(from: source[steps &- 1 &- step], count: rows)
                continue
            }
            y.update(repeating: .zero, count: rows)
            for lane in 0..<active(at: step) { copy(source[lengths[lane] &- 1 &- step], to: y, lane, rows: rows) }
        }
    }

    /// The way back: source[t] is step first + t of the reversed sequences and goes to its place in `target`, which gets 0
    /// behind a sequence's end.
    func reverseBack(
        _ source: PanelSequence, rows: Int, into target: PanelSequence, from first: Int, count: Int, steps: Int
    ) {
        for t in 0..<count {
            let (x, step) = (source[t], first &+ t)
            guard shortest < steps else {
                target[steps &- 1 &- step].update(from: x, count: rows)
                continue
            }
            let active = active(at: step)
            for lane in 0..<active { copy(x, to: target[lengths[lane] &- 1 &- step], lane, rows: rows) }
            let isOver = Lanes.isBehind(active)
            let y = target[step]
            for r in 0..<rows { y[r] = y[r].replacing(with: 0, where: isOver) }
        }
    }

    private func copy(_ source: Panel, to target: Panel, _ lane: Int, rows: Int) {
        let (from, to) = (floats(source) + lane, floats(target) + lane)
        for r in 0..<rows { to[r &* Lanes.width] = from[r &* Lanes.width] }
    }
}

/// The numbers of the vector at `p`.
@inline(__always)
private func numbers(_ p: UnsafeMutablePointer<SIMD16<Int>>) -> UnsafeMutablePointer<Int> {
    UnsafeMutableRawPointer(p).assumingMemoryBound(to: Int.self)
}
