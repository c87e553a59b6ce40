/// Runs the golden cases of the operators that heads of video models are made of.
extension Fixture {
    /// One operator of one sample: what it gives, and the gradient of everything given.
    func checkVideoOperator(_ tally: inout ErrorTally) throws {
        let reader = ConfigurationReader(json: configuration, owner: "operator")
        switch try reader.text("operator") {
        case "normalized_kernels": try checkNormalizedKernels(&tally)
        case "advection": try checkAdvection(&tally, size: try oddSide(reader, "size"))
        case "kernel_mixing": try checkKernelMixing(&tally)
        case "affine_sampling": try checkAffineSampling(&tally, try alignment(reader))
        case "mask_softmax": try checkMaskSoftmax(&tally, isRectified: try reader.flag("rectified"))
        case let name: throw FixtureError(self.name, "there is no operator \(name)")
        }
    }

    /// What was found of a tensor whose first axis numbers what can be wrong alone.
    private func note(
        _ found: [Float], _ name: String, _ shape: [Int], _ tally: inout ErrorTally
    ) throws {
        let parts = videoParts(shape.reduce(1, *), of: shape.dropFirst().reduce(1, *))
        if name == "output" {
            tally.output(name, found, try doubles(name, [shape]), parts: parts)
        } else {
            tally.gradient(name, found, try doubles(name, [shape]), parts: parts)
        }
    }

    private func checkNormalizedKernels(_ tally: inout ErrorTally) throws {
        let sizes = try shape("z", [nil, nil])
        let (count, taps) = (sizes[0], sizes[1])
        let (given, cotangent) = (try floats("z"), try floats("cotangent.output", [sizes]))
        let arena = Arena()
        let (z, w, dw) = (
            arena.panels(1, rows: taps)[0], arena.panels(1, rows: taps)[0], arena.panels(1, rows: taps)[0]
        )
        var (output, gradient) = (given, given)
        for first in stride(from: 0, to: count, by: Lanes.width) {
            let lanes = min(Lanes.width, count - first)
            for t in 0..<taps {
                for l in 0..<lanes {
                    (z[t][l], dw[t][l]) = (given[(first + l) * taps + t], cotangent[(first + l) * taps + t])
                }
            }
            let scale = normalizeKernels(z, taps: taps, into: w)
            normalizeKernelsBackward(dw, z, w, scale, taps: taps)
            for t in 0..<taps {
                for l in 0..<lanes {
                    (output[(first + l) * taps + t], gradient[(first + l) * taps + t]) = (w[t][l], dw[t][l])
                }
            }
        }
        try note(output, "output", sizes, &tally)
        try note(gradient, "gradient.z", sizes, &tally)
    }

    private func checkAdvection(_ tally: inout ErrorTally, size: Int) throws {
        let sizes = try shape("x", [nil, nil, nil])
        let maps = MapShape(channels: sizes[0], height: sizes[1], width: sizes[2])
        let (row, advection, arena) = (MapRow(width: maps.width), Advection(maps: maps, size: size), Arena())
        let (taps, area) = (advection.taps, maps.area)
        let (given, kernels) = (Buffer(try floats("x")), Buffer(try floats("s", [[taps, sizes[1], sizes[2]]])))
        let cotangent = Buffer(try floats("cotangent.output", [sizes]))
        let (output, dGiven) = (Buffer<Float>(maps.count), Buffer<Float>(maps.count))
        let dKernels = Buffer<Float>(taps * area)
        let (x, dx) = (
            PaddedMaps(maps, border: advection.radius, arena: arena),
            PaddedMaps(maps, border: advection.radius, arena: arena)
        )
        let s = RowPanel(rows: taps, of: row, reach: advection.reach, arena: arena)
        let ds = RowPanel(rows: taps, of: row, arena: arena)
        let y = RowPanel(rows: maps.channels, of: row, arena: arena)
        let dy = RowPanel(rows: maps.channels, of: row, reach: advection.reach, arena: arena)
        x.fill(from: given.pointer, step: area)
        for v in 0..<maps.height {
            let place = v * maps.width
            for j in 0..<row.vectors {
                for t in 0..<taps { s[t, j] = row.load(kernels.pointer + (t * area + place), j) }
                for c in 0..<maps.channels {
                    (y[c, j], dy[c, j]) = (.zero, row.load(cotangent.pointer + (c * area + place), j))
                }
            }
            advection.add(s, x, row: v, to: y)
            advection.backwardToMaps(s, dy, row: v, addingTo: dx)
            advection.backwardToKernels(dy, x, row: v, into: ds)
            for j in 0..<row.vectors {
                for t in 0..<taps { row.store(ds[t, j], dKernels.pointer + (t * area + place), j) }
                for c in 0..<maps.channels { row.store(y[c, j], output.pointer + (c * area + place), j) }
            }
        }
        dx.add(to: dGiven.pointer, step: area)
        try note(output.array, "output", sizes, &tally)
        try note(dGiven.array, "gradient.x", sizes, &tally)
        try note(dKernels.array, "gradient.s", [taps, sizes[1], sizes[2]], &tally)
    }

    private func checkKernelMixing(_ tally: inout ErrorTally) throws {
        let (sizes, masks) = (try shape("w", [nil, nil]), try shape("a", [nil, nil]))
        let (count, taps, row) = (sizes[0], sizes[1], MapRow(width: masks[1]))
        guard count <= Lanes.width, masks[0] == count else {
            throw FixtureError(name, "there should be a mask for each of up to \(Lanes.width) kernels")
        }
        let (arena, rows) = (Arena(), KernelMixing.rows(taps))
        let mixing = KernelMixing(
            kernels: count, taps: taps, vectors: row.vectors, stride: count + KernelMixing.block - 1)
        let w = arena.panels(1, rows: rows)[0]
        let (s, ds) = (RowPanel(rows: rows, of: row, arena: arena), RowPanel(rows: rows, of: row, arena: arena))
        let (a, da) = (
            arena.panels(1, rows: row.vectors * mixing.stride)[0], arena.panels(1, rows: row.vectors * mixing.stride)[0]
        )
        let dw = arena.panels(1, rows: count * rows)[0]
        let (kernels, given) = (try floats("w"), Buffer(try floats("a")))
        let cotangent = Buffer(try floats("cotangent.output", [[taps, row.width]]))
        for m in 0..<count { for t in 0..<taps { w[t][m] = kernels[m * taps + t] } }
        for j in 0..<row.vectors {
            for m in 0..<count { a[j * mixing.stride + m] = row.load(given.pointer + m * row.width, j) }
            for t in 0..<taps { ds[t, j] = row.load(cotangent.pointer + t * row.width, j) }
        }
        mixing.add(w, a, to: s)
        mixing.backwardToMasks(w, ds, into: da)
        mixing.backwardToKernels(a, ds, addingTo: dw)
        let (output, dGiven) = (Buffer<Float>(taps * row.width), Buffer<Float>(given.count))
        for j in 0..<row.vectors {
            for t in 0..<taps { row.store(s[t, j], output.pointer + t * row.width, j) }
            for m in 0..<count { row.store(da[j * mixing.stride + m], dGiven.pointer + m * row.width, j) }
        }
        try note(output.array, "output", [taps, row.width], &tally)
        try note(dGiven.array, "gradient.a", masks, &tally)
        let dKernels = (0..<count * taps).map { dw[$0 / taps * rows + $0 % taps].laneSum }
        try note(dKernels, "gradient.w", sizes, &tally)
    }

    private func checkAffineSampling(_ tally: inout ErrorTally, _ alignment: AffineSampling.Alignment) throws {
        let sizes = try shape("x", [nil, nil, nil])
        let maps = MapShape(channels: sizes[0], height: sizes[1], width: sizes[2])
        let (row, arena) = (MapRow(width: maps.width), Arena())
        let sampling = AffineSampling(maps, alignment, arena: arena)
        let (given, theta) = (Buffer(try floats("x")), Buffer(try floats("theta", [[6]])))
        let cotangent = Buffer(try floats("cotangent.output", [sizes]))
        let (output, dGiven) = (Buffer<Float>(maps.count), Buffer<Float>(maps.count))
        let (x, dx) = (
            PaddedMaps(maps, border: AffineSampling.border, arena: arena),
            PaddedMaps(maps, border: AffineSampling.border, arena: arena)
        )
        let (sums, image) = (arena.panels(1, rows: 6)[0], RowPanel(rows: 1, of: row, arena: arena))
        x.fill(from: given.pointer, step: maps.area)
        for v in 0..<maps.height {
            sampling.place(theta.pointer, row: v, in: x)
            for c in 0..<maps.channels {
                let place = c * maps.area + v * maps.width
                sampling.read(x, channel: c, into: image[0])
                for j in 0..<row.vectors {
                    row.store(image[0, j], output.pointer + place, j)
                    image[0, j] = row.load(cotangent.pointer + place, j)
                }
                sampling.backward(image[0], channel: c, addingTo: dx)
            }
            sampling.addGradient(row: v, to: sums)
        }
        dx.add(to: dGiven.pointer, step: maps.area)
        try note(output.array, "output", sizes, &tally)
        try note(dGiven.array, "gradient.x", sizes, &tally)
        try note((0..<6).map { sums[$0].laneSum }, "gradient.theta", [6], &tally)
    }

    private func checkMaskSoftmax(_ tally: inout ErrorTally, isRectified: Bool) throws {
        let sizes = try shape("z", [nil, nil])
        let (masks, row, arena) = (sizes[0], MapRow(width: sizes[1]), Arena())
        let softmax = MaskSoftmax(masks: masks, row: row, isRectified: isRectified, stride: masks)
        let (logits, cotangent) = (Buffer(try floats("z")), Buffer(try floats("cotangent.output", [sizes])))
        let (output, gradient) = (Buffer<Float>(logits.count), Buffer<Float>(logits.count))
        let (a, g) = (
            arena.panels(1, rows: row.vectors * masks)[0], arena.panels(1, rows: row.vectors * masks)[0]
        )
        for j in 0..<row.vectors {
            for k in 0..<masks { g[j * masks + k] = row.load(cotangent.pointer + k * row.width, j) }
        }
        softmax.forward(logits.pointer, step: row.width, into: a)
        softmax.backward(a, g, logits.pointer, step: row.width, addingTo: gradient.pointer)
        for j in 0..<row.vectors {
            for k in 0..<masks { row.store(a[j * masks + k], output.pointer + k * row.width, j) }
        }
        try note(output.array, "output", sizes, &tally)
        try note(gradient.array, "gradient.z", sizes, &tally)
    }
}
