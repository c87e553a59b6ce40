/// Runs the golden cases of the heads of video models.
extension Fixture {
    /// What a head reads, as a tensor of a fixture: its parts are what can be wrong alone.
    private struct HeadTensor {
        let name: String
        let shape: [Int]
        let part: Int
        let path: WritableKeyPath<HeadInputs, UnsafeMutablePointer<Float>?>
    }

    /// The side of kernels.
    func oddSide(_ reader: ConfigurationReader, _ key: String) throws -> Int {
        let side = try reader.count(key, to: 15)
        guard side % 2 == 1 else { throw reader.wrong(key, "an odd number") }
        return side
    }

    /// What of maps -1 and 1 are.
    func alignment(_ reader: ConfigurationReader) throws -> AffineSampling.Alignment {
        try reader.flag("align_corners") ? .middles : .edges
    }

    /// Parts of so many numbers each.
    func videoParts(_ count: Int, of size: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// The head that the configuration names, of N samples.
    private func head(_ frame: MapShape, samples: Int) throws -> VideoHead {
        let reader = ConfigurationReader(json: configuration, owner: "head")
        var options = HeadOptions(frame: frame)
        (options.kernels, options.kernelSize) = (
            try reader.count("kernels", to: 256), try oddSide(reader, "kernel_size")
        )
        options.isRelease = try reader.flag("release")
        switch try reader.text("head") {
        case "cdna": return MotionKernels(options, samples: samples)
        case "dna" where options.kernels == 1: return PixelKernels(options, samples: samples)
        case "stp": return AffineMaps(options, samples: samples, alignment: try alignment(reader))
        case "paint": return Painting(options, samples: samples)
        case let kind: throw FixtureError(name, "there is no head \(kind) of \(options.kernels) kernels")
        }
    }

    /// The next frame, and the gradient of everything given.
    func checkVideoHead(_ tally: inout ErrorTally) throws {
        let frames = try shape("cotangent.next", [nil, nil, nil, nil])
        let (count, plane) = (frames.reduce(1, *), frames.dropFirst().reduce(1, *))
        let maps = MapShape(channels: frames[0], height: frames[2], width: frames[3])
        let head = try head(maps, samples: frames[1])
        let (options, sizes) = (head.options, type(of: head).sizes(of: head.options))
        func planar(_ name: String, _ maps: Int, _ path: WritableKeyPath<HeadInputs, UnsafeMutablePointer<Float>?>)
            -> HeadTensor
        {
            HeadTensor(name: name, shape: [maps] + frames.dropFirst(), part: plane, path: path)
        }
        let tensors = [
            HeadTensor(
                name: "kernels", shape: [head.samples, sizes.kernels], part: options.kernelSize * options.kernelSize,
                path: \.kernels),
            HeadTensor(name: "transforms", shape: [head.samples, sizes.transforms], part: 6, path: \.transforms),
            planar("taps", sizes.taps, \.taps), planar("masks", sizes.masks, \.masks),
            planar("paint", sizes.paint, \.paint),
        ].filter { !$0.shape.contains(0) }
        var (inputs, gradients) = (HeadInputs(), HeadInputs())
        var buffers: [(given: Buffer<Float>, gradient: Buffer<Float>)] = []
        for tensor in tensors {
            let given = Buffer(try floats(tensor.name, [tensor.shape]))
            buffers.append((given, Buffer(given.count)))
            inputs[keyPath: tensor.path] = given.pointer
            gradients[keyPath: tensor.path] = buffers[buffers.count - 1].gradient.pointer
        }
        let isPainted = head is Painting
        let previous = isPainted ? Buffer<Float>(count) : Buffer(try floats("previous", [frames]))
        let (next, dNext) = (Buffer<Float>(count), Buffer(try floats("cotangent.next")))
        let dPrevious = Buffer<Float>(count)
        head.forward(inputs, previous: previous.pointer, into: next.pointer)
        head.backward(
            inputs, previous: previous.pointer, dNext: dNext.pointer, gradients: gradients,
            addingTo: dPrevious.pointer)
        withExtendedLifetime((buffers, previous, dNext)) {}
        tally.output("next", next.array, try doubles("next"), parts: videoParts(count, of: plane))
        for (tensor, (given, gradient)) in zip(tensors, buffers) {
            let name = "gradient.\(tensor.name)"
            tally.gradient(name, gradient.array, try doubles(name), parts: videoParts(given.count, of: tensor.part))
        }
        let expected =
            isPainted ? [Double](repeating: 0, count: count) : try doubles("gradient.previous", [frames])
        tally.gradient("gradient.previous", dPrevious.array, expected, parts: videoParts(count, of: plane))
    }
}
