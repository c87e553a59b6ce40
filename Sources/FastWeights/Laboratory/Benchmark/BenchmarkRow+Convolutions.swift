// The rows of planar convolutions, and of networks of convolutional LSTMs.

extension BenchmarkRow {
    /// `convolution/5x5/64-256/16x16/N=4/m=2`: a step forward and back of N samples, in tiles of m by m outputs; 1 is the
    /// convolution as written. Operations are those of that form, so that the rate of the others says what they spare. The
    /// description has the turns that `PlanarCost` expects: of the forms of one convolution, the one with the fewest is taken.
    static var convolutions: [BenchmarkRow] {
        let wide = [(32, 128), (64, 256), (128, 256)].flatMap { channels in
            [(16, 4), (8, 1), (8, 4), (32, 1)].map { ConvolutionBench(5, channels, side: $0, samples: $1) }
        }
        let narrow = [(8, 32), (16, 64)].flatMap { channels in
            [16, 8].map { ConvolutionBench(3, channels, side: $0, samples: 2) }
        }
        return (wide + narrow).flatMap { bench in
            Winograd.forms(size: bench.shape.size).map { form in
                let cost = PlanarCost(bench.shape, form)
                let isLeast = PlanarCost.least(bench.shape).form == form
                let turns = Int((cost.total / 1000).rounded())
                return BenchmarkRow(
                    id: "convolution/\(bench.name)/m=\(form.tile)",
                    description:
                        "planar convolution forward and back, \(turns) thousand turns expected"
                        + (isLeast ? ", the form taken" : ""),
                    work: .timed(.rate(bench.operations * 1e-9, unit: "GFLOP/s")) { _, measure in
                        bench.steps(form, measure)
                    },
                    isQuick: bench.isQuick && isLeast)
            }
        }
    }

    /// `video/convlstm/C=32/B=4`: a training step of two convolutional LSTMs of C maps with 5×5 filters, 8 channels of 16 by 16
    /// in and, by filters of one number, out, over ten steps.
    static var videos: [BenchmarkRow] {
        [32, 64].flatMap { channels in
            [4, 16].map { batch in
                let bench = VideoBench(channels: channels, batch: batch)
                return BenchmarkRow(
                    id: "video/convlstm/C=\(channels)/B=\(batch)",
                    description: "training step, two convolutional LSTMs, 5 by 5 filters, T = \(VideoBench.steps)",
                    work: .timed(.milliseconds) { threads, measure in bench.training(threads: threads, measure) },
                    usesThreads: true, isQuick: channels == 32 && batch == 4, operations: bench.operations)
            }
        }
    }
}

/// A convolution of a shard of N samples.
private struct ConvolutionBench {
    let shape: PlanarCost.Shape

    init(_ size: Int, _ channels: (Int, Int), side: Int, samples: Int) {
        shape = PlanarCost.Shape(
            channels: channels.0, features: channels.1, size: size, samples: samples, height: side, width: side,
            trains: true)
    }

    var name: String {
        "\(shape.size)x\(shape.size)/\(shape.channels)-\(shape.features)/\(shape.height)x\(shape.width)/"
            + "N=\(shape.samples)"
    }

    var isQuick: Bool { shape.channels == 64 && shape.height == 16 }

    /// Of the three products.
    var operations: Double {
        let place = FloatingPointOperations.product(
            shape.features, shape.samples * shape.height * shape.width, shape.channels * shape.size * shape.size)
        return 3 * place
    }

    func steps(_ form: Winograd, _ measure: ((_ calls: Int) -> Void) -> Void) {
        let area = shape.samples * shape.height * shape.width
        let convolution = PlanarConvolution(
            channels: shape.channels, features: shape.features, size: shape.size, samples: shape.samples,
            height: shape.height, width: shape.width, steps: 1, trains: true, form: form)
        func numbers(_ count: Int) -> Buffer<Float> { BenchmarkRow.numbers(count, within: 1) }
        let weight = numbers(shape.features * shape.channels * shape.size * shape.size)
        let (x, dy) = (numbers(shape.channels * area), numbers(shape.features * area))
        let (y, dx) = (Buffer<Float>(shape.features * area), Buffer<Float>(shape.channels * area))
        let filters = PlanarFilters(
            weight.pointer, bias: nil, channels: shape.channels, features: shape.features, size: shape.size)
        filters.prepare(for: convolution)
        filters.pack()
        measure { calls in
            for _ in 0..<calls {
                convolution.forward(filters, x.pointer, into: y.pointer, step: 0)
                convolution.backward(filters, dy.pointer, addingTo: dx.pointer, step: 0)
            }
            withExtendedLifetime((x, dy, y, dx, weight)) {}
        }
    }
}

/// Frames of random numbers, to be learned one step ahead.
private struct VideoBench {
    static let (maps, side, steps, batches) = (8, 16, 10, 2)
    let channels: Int
    let batch: Int

    /// A step forward has the products of both cells, of h but at the first step, and of the maps that come out; two more of
    /// each on the way back, but for the gradient of the frames.
    var operations: Double {
        let area = Double(Self.side * Self.side)
        let (C, I, T) = (Double(channels), Double(Self.maps), Double(Self.steps))
        let filter = 25 * 4 * C
        let first = T * filter * I
        let forward = first + T * filter * C + 2 * (T - 1) * filter * C + T * C * I
        return Double(batch) * area * 2 * (3 * forward - first)
    }

    func training(threads: Int, _ measure: ((_ calls: Int) -> Void) -> Void) {
        let network = Network(
            NetworkConfiguration(
                .maps(channels: Self.maps, height: Self.side, width: Self.side),
                [
                    .convolutionalLSTM(channels, kernel: 5), .convolutionalLSTM(channels, kernel: 5),
                    .convolution(Self.maps, size: 1, activation: nil),
                ]), seed: 1)
        let size = Self.maps * Self.side * Self.side
        let count = batch * Self.batches
        let numbers = BenchmarkRow.numbers(count * (Self.steps + 1) * size, within: 1).array
        let clip = (Self.steps + 1) * size
        let clips = (0..<count).map { Array(numbers[$0 * clip..<($0 + 1) * clip]) }
        guard
            let data = try? SequenceData(
                .numbers(clips.map { Array($0.dropLast(size)) }, width: size),
                .stepNumbers(clips.map { Array($0.dropFirst(size)) }))
        else { misuse("clips of one length are data") }
        TrainingStep.measure(network, data, batch: batch, threads: threads, measure)
    }
}
