// The maps' transforms and their adjoints: from the maps of a channel to the values at the places of their tiles, eight tiles at
// a time, and back.

extension PlanarTiles {
    /// V = Bᵀ d B of the patches of x, [C, N, H, W], of some panels. O(n³) vectors a panel and channel.
    func transform(
        _ x: UnsafePointer<Float>, channels: Int, _ range: Range<Int>, into v: Panel, stride: Int
    ) {
        switch winograd.points {
        case _ where winograd.isDirect: gather(x, channels: channels, range, into: v, stride: stride)
        case 4: transform(FourPointsOfTwo.self, x, channels, range, v, stride)
        case 6: transform(SixPointsOfFour.self, x, channels, range, v, stride)
        default: transform(EightPointsOfFour.self, x, channels, range, v, stride)
        }
    }

    /// y = Aᵀ M A of the products of some panels, [F, N, H, W], plus a number a feature.
    func inverse(
        _ products: Panel, features: Int, _ range: Range<Int>, stride: Int, into y: UnsafeMutablePointer<Float>,
        bias: UnsafePointer<Float>?
    ) {
        switch (winograd.points, winograd.tile) {
        case (_, 1): place(products, features: features, range, stride: stride, into: y, bias: bias)
        case (4, _): inverse(FourPointsOfTwo.self, products, features, range, stride, y, bias)
        case (6, 2): inverse(SixPointsOfTwo.self, products, features, range, stride, y, bias)
        case (6, _): inverse(SixPointsOfFour.self, products, features, range, stride, y, bias)
        case (_, 2): inverse(EightPointsOfTwo.self, products, features, range, stride, y, bias)
        default: inverse(EightPointsOfFour.self, products, features, range, stride, y, bias)
        }
    }

    /// ∂L/∂M = A dy Aᵀ, the adjoint of `inverse`.
    func inverseAdjoint(
        _ dy: UnsafePointer<Float>, features: Int, _ range: Range<Int>, into products: Panel, stride: Int
    ) {
        switch (winograd.points, winograd.tile) {
        case (_, 1): placeAdjoint(dy, features: features, range, into: products, stride: stride)
        case (4, _): inverseAdjoint(FourPointsOfTwo.self, dy, features, range, products, stride)
        case (6, 2): inverseAdjoint(SixPointsOfTwo.self, dy, features, range, products, stride)
        case (6, _): inverseAdjoint(SixPointsOfFour.self, dy, features, range, products, stride)
        case (_, 2): inverseAdjoint(EightPointsOfTwo.self, dy, features, range, products, stride)
        default: inverseAdjoint(EightPointsOfFour.self, dy, features, range, products, stride)
        }
    }

    /// dx += B dV Bᵀ where the patches lay, the adjoint of `transform`.
    func transformAdjoint(
        _ dv: Panel, channels: Int, _ range: Range<Int>, stride: Int, addingTo dx: UnsafeMutablePointer<Float>
    ) {
        switch winograd.points {
        case _ where winograd.isDirect: scatter(dv, channels: channels, range, stride: stride, addingTo: dx)
        case 4: transformAdjoint(FourPointsOfTwo.self, dv, channels, range, stride, dx)
        case 6: transformAdjoint(SixPointsOfFour.self, dv, channels, range, stride, dx)
        default: transformAdjoint(EightPointsOfFour.self, dv, channels, range, stride, dx)
        }
    }

    // MARK: Of so many points

    /// Octets of a panel that have tiles.
    @inline(__always) private func halves(_ panel: Int) -> Int { min(octets &- 2 &* panel, 2) }

    /// The vectors of a channel at the first place of a panel, the first of whose range is `first`.
    @inline(__always)
    private func vectors(_ v: Panel, _ panel: Int, _ first: Int, _ stride: Int, _ channel: Int)
        -> UnsafeMutablePointer<Octet>
    {
        UnsafeMutableRawPointer(v + ((panel &- first) &* winograd.places &* stride &+ channel))
            .assumingMemoryBound(to: Octet.self)
    }

    @inline(never)
    private func transform<Axis: WinogradAxis>(
        _: Axis.Type, _ x: UnsafePointer<Float>, _ channels: Int, _ range: Range<Int>, _ v: Panel, _ stride: Int
    ) {
        let (n, row, between) = (Axis.points, paddedWidth, between.pointer)
        let (source, starts) = (UnsafePointer(padded.pointer), UnsafePointer(starts.pointer))
        var c = 0
        while c < channels {
            pad(x + c &* channelStride, range)
            var panel = range.lowerBound
            while panel < range.upperBound {
                let target = vectors(v, panel, range.lowerBound, stride, c)
                let halves = halves(panel)
                var h = 0
                while h < halves {
                    let tiles = starts + (2 &* panel &+ h) &* Octet.width
                    var i = 0
                    while i < n {
                        let d = Matrix4x8(at: source + i &* row, tiles).turned
                        let e = n > 4 ? Matrix4x8(at: source + (i &* row &+ 4), tiles).turned : d
                        Axis.input(d, e, into: between + (h &* n &+ i) &* n, 1)
                        i &+= 1
                    }
                    h &+= 1
                }
                // Both halves of a line of memory one after the other.
                var j = 0
                while j < n {
                    h = 0
                    while h < 2 {
                        let column = between + (h &* n &* n &+ j)
                        let place = target + (2 &* j &* stride &+ h)
                        if h < halves {
                            let d = Matrix4x8(at: column, stride: n)
                            let e = Axis.fourOthers(column, n)
                            Axis.input(d, e, into: place, 2 &* n &* stride)
                        } else {
                            for i in 0..<n { place[2 &* n &* stride &* i] = .zero }
                        }
                        h &+= 1
                    }
                    j &+= 1
                }
                panel &+= 1
            }
            c &+= 1
        }
    }

    @inline(never)
    private func inverse<Axis: WinogradAxis>(
        _: Axis.Type, _ products: Panel, _ features: Int, _ range: Range<Int>, _ stride: Int,
        _ y: UnsafeMutablePointer<Float>, _ bias: UnsafePointer<Float>?
    ) {
        let (n, m, row, between) = (Axis.points, Axis.tile, targetWidth, between.pointer)
        let targets = UnsafePointer(targets.pointer)
        var f = 0
        while f < features {
            let channel = y + f &* channelStride
            let target = isWhole ? channel : whole.pointer
            let offset = Octet(repeating: bias.map { $0[f] } ?? 0)
            var octet = 2 &* range.lowerBound
            while octet < min(2 &* range.upperBound, octets) {
                let source = vectors(products, octet &>> 1, range.lowerBound, stride, f) + (octet & 1)
                var j = 0
                while j < n {
                    let part = Axis.output(source + 2 &* j &* stride, 2 &* n &* stride)
                    between[j] = part.a
                    between[n &+ j] = part.b
                    if m == 4 {
                        between[2 &* n &+ j] = part.c
                        between[3 &* n &+ j] = part.d
                    }
                    j &+= 1
                }
                let tiles = targets + octet &* Octet.width
                var a = 0
                while a < m {
                    let part = Axis.output(between + a &* n, 1)
                    let line = target + a &* row
                    if m == 4 {
                        Matrix4x8(part.a + offset, part.b + offset, part.c + offset, part.d + offset).turned
                            .store(at: line, tiles)
                    } else {
                        Matrix4x8(part.a + offset, part.b + offset, .zero, .zero).storePairs(at: line, tiles)
                    }
                    a &+= 1
                }
                octet &+= 1
            }
            if !isWhole { cut(range, into: channel) }
            f &+= 1
        }
    }

    @inline(never)
    private func inverseAdjoint<Axis: WinogradAxis>(
        _: Axis.Type, _ dy: UnsafePointer<Float>, _ features: Int, _ range: Range<Int>, _ products: Panel,
        _ stride: Int
    ) {
        let (n, m, row, between) = (Axis.points, Axis.tile, targetWidth, between.pointer)
        let targets = UnsafePointer(targets.pointer)
        var f = 0
        while f < features {
            let channel = dy + f &* channelStride
            if !isWhole { fill(range, with: channel) }
            let source = isWhole ? channel : UnsafePointer(wholeGradients.pointer)
            var octet = 2 &* range.lowerBound
            while octet < 2 &* range.upperBound {
                let target = vectors(products, octet &>> 1, range.lowerBound, stride, f) + (octet & 1)
                if octet >= octets {
                    for place in 0..<n &* n { target[2 &* stride &* place] = .zero }
                    break
                }
                let tiles = targets + octet &* Octet.width
                var a = 0
                while a < m {
                    let line = source + a &* row
                    let part = m == 4 ? Matrix4x8(at: line, tiles).turned : Matrix4x8(pairsAt: line, tiles)
                    Axis.outputAdjoint(part, into: between + a &* n, 1)
                    a &+= 1
                }
                var j = 0
                while j < n {
                    let column = between + j
                    let part =
                        m == 4
                        ? Matrix4x8(at: column, stride: n) : Matrix4x8(column[0], column[n], .zero, .zero)
                    Axis.outputAdjoint(part, into: target + 2 &* j &* stride, 2 &* n &* stride)
                    j &+= 1
                }
                octet &+= 1
            }
            f &+= 1
        }
    }

    @inline(never)
    private func transformAdjoint<Axis: WinogradAxis>(
        _: Axis.Type, _ dv: Panel, _ channels: Int, _ range: Range<Int>, _ stride: Int,
        _ dx: UnsafeMutablePointer<Float>
    ) {
        let (n, row, between) = (Axis.points, paddedWidth, between.pointer)
        let (target, starts) = (added.pointer, UnsafePointer(starts.pointer))
        var c = 0
        while c < channels {
            clearAdded(range)
            var octet = 2 &* range.lowerBound
            while octet < min(2 &* range.upperBound, octets) {
                let source = vectors(dv, octet &>> 1, range.lowerBound, stride, c) + (octet & 1)
                var j = 0
                while j < n {
                    let (d, e) = Axis.inputAdjoint(source + 2 &* j &* stride, 2 &* n &* stride)
                    d.store(at: between + j, stride: n)
                    Axis.storeFourOthers(e, at: between + j, n)
                    j &+= 1
                }
                let tiles = starts + octet &* Octet.width
                var i = 0
                while i < n {
                    let (d, e) = Axis.inputAdjoint(between + i &* n, 1)
                    d.turned.add(to: target + i &* row, tiles)
                    if n > 4 { e.turned.add(to: target + (i &* row &+ 4), tiles) }
                    i &+= 1
                }
                octet &+= 1
            }
            collect(range, addingTo: dx + c &* channelStride)
            c &+= 1
        }
    }
}
