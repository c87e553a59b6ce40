// The same without transforms: what the filters see at sixteen places of the output is a panel of C·k·k rows.

extension PlanarTiles {
    /// How many lanes, from the first of a panel on, are sure to have neighbors in the maps: 16, 8, 4, or 1.
    private var run: Int { width % 16 == 0 ? 16 : width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : 1 }

    /// Calls `body` with each row of the panels of a range: where it begins in the padded copy of a channel.
    @inline(__always)
    private func forEachRow(_ panel: Panel, _ channel: Int, _ body: (_ row: Panel, _ offset: Int) -> Void) {
        let (k, paddedWidth) = (winograd.size, paddedWidth)
        var row = panel + channel &* k &* k
        for i in 0..<k {
            for j in 0..<k {
                body(row, i &* paddedWidth &+ j)
                row += 1
            }
        }
    }

    /// What the filters see of x, [C, N, H, W], at the places of some panels.
    @inline(never)
    func gather(_ x: UnsafePointer<Float>, channels: Int, _ range: Range<Int>, into v: Panel, stride: Int) {
        let (source, run) = (UnsafePointer(padded.pointer), run)
        for c in 0..<channels {
            pad(x + c &* channelStride, range)
            for panel in range {
                let places = UnsafePointer(starts.pointer) + panel &* Lanes.width
                forEachRow(v + (panel &- range.lowerBound) &* stride, c) { row, offset in
                    let (first, target) = (source + offset, floats(row))
                    if run == 16 {
                        row.pointee = Lanes(at: first + places[0])
                    } else if run == 8 {
                        Octet(at: first + places[0]).store(at: target)
                        Octet(at: first + places[8]).store(at: target + 8)
                    } else if run == 4 {
                        for q in 0..<4 { SIMD4(at: first + places[4 &* q]).store(at: target + 4 &* q) }
                    } else {
                        for lane in 0..<Lanes.width { target[lane] = first[places[lane]] }
                    }
                }
            }
        }
    }

    /// The adjoint of `gather`.
    @inline(never)
    func scatter(
        _ dv: Panel, channels: Int, _ range: Range<Int>, stride: Int, addingTo dx: UnsafeMutablePointer<Float>
    ) {
        let (target, run) = (added.pointer, run)
        for c in 0..<channels {
            clearAdded(range)
            for panel in range {
                let places = UnsafePointer(starts.pointer) + panel &* Lanes.width
                forEachRow(dv + (panel &- range.lowerBound) &* stride, c) { row, offset in
                    let (first, source) = (target + offset, UnsafePointer(floats(row)))
                    if run == 16 {
                        let place = first + places[0]
                        (Lanes(at: place) + row.pointee).store(at: place)
                    } else if run == 8 {
                        for q in 0..<2 {
                            let place = first + places[8 &* q]
                            (Octet(at: place) + Octet(at: source + 8 &* q)).store(at: place)
                        }
                    } else if run == 4 {
                        for q in 0..<4 { SIMD4(at: source + 4 &* q).add(to: first + places[4 &* q]) }
                    } else {
                        for lane in 0..<Lanes.width { first[places[lane]] += source[lane] }
                    }
                }
            }
            collect(range, addingTo: dx + c &* channelStride)
        }
    }

    /// y of the products, which are outputs, plus a number a feature.
    @inline(never)
    func place(
        _ products: Panel, features: Int, _ range: Range<Int>, stride: Int, into y: UnsafeMutablePointer<Float>,
        bias: UnsafePointer<Float>?
    ) {
        for f in 0..<features {
            let offset = Lanes(repeating: bias.map { $0[f] } ?? 0)
            for panel in range {
                let numbers = products[(panel &- range.lowerBound) &* stride &+ f] + offset
                let target = y + (f &* channelStride &+ panel &* Lanes.width)
                let left = count &- panel &* Lanes.width
                if left >= Lanes.width { numbers.store(at: target) } else { numbers.store(first: left, at: target) }
            }
        }
    }

    /// The adjoint of `place`.
    @inline(never)
    func placeAdjoint(
        _ dy: UnsafePointer<Float>, features: Int, _ range: Range<Int>, into products: Panel, stride: Int
    ) {
        for f in 0..<features {
            for panel in range {
                let source = dy + (f &* channelStride &+ panel &* Lanes.width)
                let left = count &- panel &* Lanes.width
                products[(panel &- range.lowerBound) &* stride &+ f] =
                    left >= Lanes.width ? Lanes(at: source) : Lanes(first: left, at: source)
            }
        }
    }
}
