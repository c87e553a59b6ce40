import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

/// Video models as a whole: what is proven beside their golden cases.
@Suite struct VideoModelTests {
    /// A small model of frames that are not square.
    static func configuration(
        _ head: VideoConfiguration.Head = .cdna, form: PatchOptions.Form = .one
    ) -> VideoConfiguration {
        var configuration = VideoConfiguration(channels: 2, height: 16, width: 24, head: head)
        if head == .convlstm {
            configuration.widths = [3, 2]
            (configuration.patches.form, configuration.patches.loss) = (form, .crossEntropy)
            (configuration.patches.hasPeepholes, configuration.patches.kernel) = (true, MapSize(3, 5))
            return configuration
        }
        (configuration.actions, configuration.states) = (3, 2)
        (configuration.widths, configuration.gateSize) = ([3, 2, 4, 3, 5, 4, 2], 3)
        if head != .dna { configuration.kernels = 4 }
        return configuration
    }

    static func batch(_ c: VideoConfiguration, clips: Int, frames: Int = 5, seed: UInt64 = 1) -> VideoBatch {
        var random = Random(seed: seed)
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform()) } }
        let shape = VideoShape(frames: frames, maps: c.frame, actions: c.actions, states: c.states)
        let steps = frames * clips
        return VideoBatch(
            shape, count: clips, frames: numbers(steps * c.frame.count), actions: numbers(steps * c.actions),
            states: numbers(steps * c.states))
    }

    private static func gradient(
        _ model: VideoModel, _ batch: VideoBatch, sampled: [Bool] = [], threads: Int
    ) -> (loss: Double, gradient: [Float]) {
        ThreadTeam.run(threads: threads) { team in
            let engine = ParallelVideo(model.network, model.parameters, frames: batch.shape.frames, team: team)
            // A second call finds what the first has left.
            _ = engine.gradient(batch, sampled: sampled)
            return (engine.gradient(batch, sampled: sampled), engine.gradients.block.array)
        }
    }

    @Test func shardsAreAllClipsOnce() {
        for count in 1...40 {
            let shards = ParallelVideo.shards(of: count)
            #expect(shards.flatMap { Array($0) } == Array(0..<count))
            #expect(!shards.contains { $0.isEmpty })
        }
        #expect(ParallelVideo.shards(of: 8).map { $0.count } == [2, 2, 2, 2])
        #expect(ParallelVideo.shards(of: 32).count == 8)
    }

    @Test(arguments: VideoConfiguration.Head.allCases)
    func bitsDoNotDependOnThreads(head: VideoConfiguration.Head) {
        let model = VideoModel(Self.configuration(head), seed: 2)
        let batch = Self.batch(model.configuration, clips: 7)
        let sampled = ScheduledSampling(decay: 3).draw(steps: 4, batch: 7, step: 4, seed: 5)
        #expect(sampled.contains(true) && sampled.contains(false))
        let one = Self.gradient(model, batch, sampled: sampled, threads: 1)
        for threads in [2, 3, 8] {
            let many = Self.gradient(model, batch, sampled: sampled, threads: threads)
            #expect(many.loss == one.loss && many.gradient == one.gradient)
        }
    }

    /// The loss and the gradient of a batch are the means of those of its clips.
    @Test(arguments: [2, 3, 5, 17]) func clipsDoNotMix(count: Int) {
        let model = VideoModel(Self.configuration(), seed: 3)
        let c = model.configuration
        let batch = Self.batch(c, clips: count)
        let whole = Self.gradient(model, batch, threads: 2)
        var (loss, sums) = (0.0, [Double](repeating: 0, count: whole.gradient.count))
        for clip in 0..<count {
            func rows(_ values: [Float], _ width: Int) -> [Float] {
                (0..<batch.shape.frames).flatMap { t -> ArraySlice<Float> in
                    let first = (t * count + clip) * width
                    return values[first..<first + width]
                }
            }
            let alone = Self.gradient(
                model,
                VideoBatch(
                    batch.shape, count: 1, frames: rows(batch.frames, c.frame.count),
                    actions: rows(batch.actions, c.actions), states: rows(batch.states, c.states)), threads: 1)
            loss += alone.loss / Double(count)
            for k in sums.indices { sums[k] += Double(alone.gradient[k]) / Double(count) }
        }
        #expect(abs(loss - whole.loss) < 1e-6 * loss)
        for window in model.parameters.layout.windows {
            let range = window.offset..<window.offset + window.count
            let largest = range.reduce(0) { max($0, abs(sums[$1])) }
            let worst = range.reduce(0) { max($0, abs(sums[$1] - Double(whole.gradient[$1]))) }
            #expect(largest > 0 && worst < 2e-5 * largest, "\(window.name): wrong by \(worst) of \(largest)")
        }
    }

    /// Convolutions by fewer products, which golden cases leave aside, against those as they are written. Norms make what they
    /// round larger; a build without fused multiply-adds rounds twice.
    @Test(arguments: [3, 5]) func formsWithFewerProductsAgree(size: Int) {
        var c = VideoConfiguration(channels: 3, height: 32, width: 32, head: .cdna)
        (c.widths, c.gateSize, c.actions, c.states) = ([8, 9, 10, 11, 12, 13, 14], size, 2, 2)
        let (model, exact) = (VideoModel(c, seed: 8), VideoModel(c, seed: 8))
        exact.network.isExact = true
        let batch = Self.batch(c, clips: 4)
        let found = Self.gradient(model, batch, threads: 2)
        let expected = Self.gradient(exact, batch, threads: 2)
        let bound: Float = Machine.trait == nil ? 4e-3 : 3e-4
        #expect(found.gradient != expected.gradient)
        #expect(abs(found.loss - expected.loss) < 1e-6 * expected.loss)
        for window in model.parameters.layout.windows {
            let range = window.offset..<window.offset + window.count
            let largest = range.reduce(0) { max($0, abs(expected.gradient[$1])) }
            let worst = range.reduce(0) { max($0, abs(expected.gradient[$1] - found.gradient[$1])) }
            #expect(worst < bound * largest, "\(window.name): wrong by \(worst) of \(largest)")
        }
    }

    /// Frame by frame as a clip at once, whichever frames are its own; a fork goes on where it stands, and leaves the other alone.
    @Test(arguments: VideoConfiguration.Head.allCases, PatchOptions.Form.allCases)
    func predictorIsThePass(head: VideoConfiguration.Head, form: PatchOptions.Form) {
        let model = VideoModel(Self.configuration(head, form: form), seed: 4)
        let c = model.configuration
        let batch = Self.batch(c, clips: 1, frames: 6)
        let weights = VideoWeights(model.network, model.parameters)
        let pass = VideoPass(weights, samples: 1, frames: 6, trains: false)
        weights.pack()
        var expected: [[Float]] = []
        _ = pass.forward(batch, from: 0) { t in
            expected.append(Array(UnsafeBufferPointer(start: pass.predicted(t), count: c.frame.count)))
        }
        func row(_ values: [Float], _ width: Int, _ t: Int) -> [Float] { Array(values[t * width..<(t + 1) * width]) }
        let predictor = VideoPredictor(model)
        for round in 0..<2 {
            for t in 0..<c.context {
                let found = predictor.step(
                    row(batch.frames, c.frame.count, t), action: row(batch.actions, c.actions, t),
                    state: t == 0 ? row(batch.states, c.states, 0) : nil)
                #expect(found == expected[t], "round \(round), step \(t)")
            }
            let actions = (c.context..<5).map { row(batch.actions, c.actions, $0) }
            let other = actions.map { $0.map { 1 - $0 } }
            #expect(predictor.lookAhead(actions) == Array(expected[c.context...]))
            #expect((predictor.lookAhead(other) == Array(expected[c.context...])) == (c.actions == 0))
            for (t, action) in actions.enumerated() {
                #expect(predictor.step(action: action) == expected[c.context + t], "round \(round)")
            }
            #expect(predictor.steps == 5 && predictor.state.count == c.states)
            predictor.restart()
        }
    }

    @Test func firstValues() {
        let model = VideoModel(Self.configuration(), seed: 5)
        let bias = model.parameters["kernels.bias"]
        let expected: [Float] = bias.indices.map { $0 % 25 == 12 ? 1 : 0 }
        #expect(bias == expected)
        #expect(VideoModel(Self.configuration(.stp), seed: 5).parameters["stp2.weight"].allSatisfy { $0 == 0 })
        let filters = model.parameters["conv0.weight"]
        let limit = (6 / Float((2 + 3) * 25)).squareRoot()
        let largest = filters.map { abs($0) }.max() ?? 0
        #expect(largest <= limit && largest > 0.9 * limit)
        #expect(model.parameters["lstm3.bias"].allSatisfy { $0 == 0 })
        #expect(model.parameters.block.array == VideoModel(Self.configuration(), seed: 5).parameters.block.array)
        #expect(model.parameters.block.array != VideoModel(Self.configuration(), seed: 6).parameters.block.array)
    }

    // MARK: Files

    @Test(arguments: VideoConfiguration.Head.allCases, VideoConfiguration.Parity.allCases)
    func fileHasEverything(head: VideoConfiguration.Head, parity: VideoConfiguration.Parity) throws {
        var configuration = Self.configuration(head)
        if head != .convlstm { configuration.parity = parity }
        let model = VideoModel(configuration, seed: 6)
        let read = try VideoModel(bytes: model.serialized())
        #expect(read.configuration == configuration)
        #expect(read.parameters.block.array == model.parameters.block.array)
    }

    @Test func wrongFilesAreNamed() throws {
        func expectProblem(_ part: String, sourceLocation: SourceLocation = #_sourceLocation, _ bytes: [UInt8]) {
            do {
                _ = try VideoModel(bytes: bytes)
                Issue.record("read", sourceLocation: sourceLocation)
            } catch {
                #expect("\(error)".contains(part), sourceLocation: sourceLocation)
            }
        }
        func file(_ config: String, _ tensors: [(name: String, shape: [Int], values: [Float])] = []) -> [UInt8] {
            SafeTensors.serialize(tensors, metadata: [("format", VideoModel.format), ("config", config)])
        }
        expectProblem(
            "expected a video model",
            SafeTensors.serialize([("x", [1], [1])], metadata: [("format", "fastweights-network-2")]))
        let model = VideoModel(Self.configuration(), seed: 7)
        let good = model.configuration.json.serialized()
        let tensors = model.parameters.layout.windows.map { ($0.name, $0.shape, model.parameters[$0.name]) }
        expectProblem("missing tensors: conv0.weight", file(good, Array(tensors.dropFirst())))
        expectProblem("has 52 tensors, found 0", file(good))
        expectProblem(
            "multiples of 8; found 20 by 24: pad or crop them, for example to 24 by 24",
            file(good.replacingOccurrences(of: "[2,16,24]", with: "[2,20,24]")))
        expectProblem("head", file(good.replacingOccurrences(of: "cdna", with: "cdnb")))
        expectProblem("sizes from 1 to 4096", file(good.replacingOccurrences(of: "[2,16,24]", with: "[2,16,80000]")))
        expectProblem("widths", file(good.replacingOccurrences(of: "[3,2,4,3,5,4,2]", with: "[3,2,4]")))
    }

    // MARK: Training

    @Test func sampling() {
        let sampling = ScheduledSampling(decay: 900)
        #expect(sampling.trueCount(batch: 32, step: 0) == 32)
        // Half of them are their own frames after k·ln k steps.
        #expect(sampling.trueCount(batch: 1000, step: 6122) == 500)
        #expect(sampling.trueCount(batch: 1000, step: 1_000_000) == 0)
        #expect(ScheduledSampling(decay: nil).trueCount(batch: 1000, step: 0) == 0)
        let drawn = sampling.draw(steps: 50, batch: 10, step: 6122, seed: 3)
        let rows = (0..<50).map { Array(drawn[(10 * $0)..<(10 * $0 + 10)]) }
        for row in rows { #expect(row.filter { $0 }.count == 5) }
        // Which ones they are changes from frame to frame.
        #expect(Set(rows).count > 40)
    }

    /// A training that goes on from its checkpoint has the bits of one that was never stopped, at another number of threads.
    @Test func trainingGoesOn() throws {
        let folder = TemporaryFolder()
        let clips = VideoClips(try PushWorld(side: 32, objects: .seen, seed: 1), count: 12, frames: 8)
        let (training, validation) = try clips.split(validation: 0.3, seed: 1)
        var options = TrainingOptions()
        (options.steps, options.batch, options.evaluateEvery, options.clip) = (6, 3, 3, 1)
        func train(_ options: TrainingOptions, stopAt: Int = .max) throws -> VideoModel {
            var c = VideoConfiguration(channels: 3, height: 32, width: 32, head: .cdna)
            (c.actions, c.states, c.kernels, c.widths, c.gateSize) = (2, 2, 3, [2, 2, 3, 3, 4, 3, 2], 3)
            let model = VideoModel(c, seed: 1)
            let video = VideoTraining(frames: 5, sampling: ScheduledSampling(decay: 3))
            let trainer = try Trainer(model, training: training, validation: validation, video, options: options)
            var steps = 0
            _ = try trainer.run(
                progress: { _ in }, onEvaluation: { _ in },
                shouldStop: {
                    steps += 1
                    return steps > stopAt
                })
            return model
        }
        let whole = try train(options)
        options.checkpoint = CheckpointOptions(path: folder.path + "/checkpoint", every: 2)
        _ = try train(options, stopAt: 4)
        options.checkpoint!.resumes = true
        options.threads = 3
        #expect(try train(options).parameters.block.array == whole.parameters.block.array)
    }

    @Test func clipsThatDoNotFitAreNamed() throws {
        let clips = VideoClips(try PushWorld(side: 32, objects: .seen, seed: 1), count: 2, frames: 4)
        let model = VideoModel(Self.configuration(), seed: 1)
        for (frames, part) in [(2, "behind the context of 2"), (5, "have 4 frames"), (4, "[2, 16, 24]")] {
            #expect {
                _ = try Trainer(
                    model, training: clips, validation: clips, VideoTraining(frames: frames),
                    options: TrainingOptions())
            } throws: { "\($0)".contains(part) }
        }
    }
}
