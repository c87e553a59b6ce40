/// Up to sixteen sequences of a batch that run side by side, one a lane, the longest first.
struct LaneBlock {
    /// Which sequences of the batch; lanes behind them are empty.
    private(set) var samples: [Int]
    /// Steps of each, falling.
    private(set) var lengths: [Int]

    var steps: Int { lengths[0] }

    /// A block without sequences and room for sixteen.
    init() {
        (samples, lengths) = ([], [])
        samples.reserveCapacity(Lanes.width)
        lengths.reserveCapacity(Lanes.width)
    }

    init(samples: [Int], lengths: [Int]) { (self.samples, self.lengths) = (samples, lengths) }

    /// Becomes `count` sequences, those that `sequence` gives, none longer than the one before; allocates nothing where there
    /// is room for sixteen.
    @inline(__always)
    mutating func set(_ count: Int, _ sequence: (_ lane: Int) -> (sample: Int, length: Int)) {
        while samples.count > count {
            samples.removeLast()
            lengths.removeLast()
        }
        while samples.count < count {
            samples.append(0)
            lengths.append(0)
        }
        for lane in 0..<count { (samples[lane], lengths[lane]) = sequence(lane) }
    }

    /// Steps of each lane for `CellPass.lengths` in a window of `steps` from `first` on; nil where no sequence ends before
    /// the window does.
    func laneLengths(from first: Int, steps: Int) -> SIMD16<Int32>? {
        guard lengths.last! < first + steps else { return nil }
        var result = SIMD16<Int32>.zero
        for (lane, length) in lengths.enumerated() {
            result[lane] = Int32(truncatingIfNeeded: max(0, min(length - first, steps)))
        }
        return result
    }

    /// How many lanes, the first, have a step t.
    func active(at t: Int) -> Int {
        var count = samples.count
        while count > 0 && lengths[count - 1] <= t { count -= 1 }
        return count
    }

    /// Becomes the sequences of `block` from step `first` on, of which `steps` steps at most.
    mutating func setWindow(of block: LaneBlock, from first: Int, steps: Int) {
        set(block.samples.count) { lane in
            (block.samples[lane], max(0, min(block.lengths[lane] - first, steps)))
        }
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
            let samples = Array(order[first..<end])
            blocks.append(LaneBlock(samples: samples, lengths: samples.map(length)))
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
        samples.withUnsafeBufferPointer { samples in
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
        samples.withUnsafeBufferPointer { samples in
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
            guard lengths.last! < steps else {
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
            guard lengths.last! < steps else {
                target[steps &- 1 &- step].update(from: x, count: rows)
                continue
            }
            let active = active(at: step)
            for lane in 0..<active { copy(x, to: target[lengths[lane] &- 1 &- step], lane, rows: rows) }
            let isOver = SIMD16<Int32>(0..<16) .>= Int32(truncatingIfNeeded: active)
            let y = target[step]
            for r in 0..<rows { y[r].replace(with: 0, where: isOver) }
        }
    }

    private func copy(_ source: Panel, to target: Panel, _ lane: Int, rows: Int) {
        let (from, to) = (floats(source) + lane, floats(target) + lane)
        for r in 0..<rows { to[r &* Lanes.width] = from[r &* Lanes.width] }
    }
}
