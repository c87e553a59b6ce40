import Testing

@testable @_spi(Laboratory) import FastWeights

/// Models of video from the command line: trained on files of every kind, predicted from, measured, and what is refused.
@Suite struct VideoCommandTests {
    private let folder = TemporaryFolder()

    private func run(_ words: [String]) -> Int32 { CommandLineTool.run(arguments: words) }

    /// What a command says of a command line or a file that it does not take.
    private func problem(_ words: [String]) -> String {
        do {
            let command = CommandLineTool.commands.first { $0.name == words[0] }!
            return "ended with \(try command.run(command.parse(Array(words.dropFirst()))))"
        } catch { return "\(error)" }
    }

    private static let few = ["--frames", "4", "--batch", "2", "--steps", "3", "--evaluate-every", "2"]

    private func train(_ data: String, _ words: String...) -> [String] {
        ["train", "--task", "video", "--data", data, "--output", folder.path("model")] + Self.few + words
    }

    /// Clips of moving stripes as folders of PNGs, with actions for all of them.
    private func writePictures(clips: Int = 3, frames: Int = 5, width: Int = 16) throws -> String {
        let path = folder.path("clips")
        for b in 0..<clips {
            let pictures = (0..<frames).map { t in
                var pixels: [UInt8] = []
                for y in 0..<8 {
                    for x in 0..<width { pixels += [UInt8(20 * ((x + t + b) % 8)), UInt8(30 * y), 90] }
                }
                return PNG(width: width, height: 8, channels: 3, pixels: pixels)
            }
            try VideoFolder.write(pictures, to: "\(path)/clip\(b)")
        }
        let actions = (0..<clips * frames * 2).map { Float($0 % 5) / 5 }
        try Files.writeAtomically(
            NumPyArray.serialize(shape: [clips, frames, 2], values: actions), to: "\(path)/actions.npy")
        return path
    }

    // MARK: - Files of every kind

    @Test func aFolderOfPicturesIsLearnedAndPredicted() throws {
        let path = try writePictures()
        #expect(run(train(path, "--kernels", "3")) == 0)
        let model = try VideoModel(path: folder.path("model"))
        let configuration = model.configuration
        #expect((configuration.channels, configuration.height, configuration.width) == (3, 8, 16))
        #expect((configuration.actions, configuration.states, configuration.kernels) == (2, 0, 3))
        #expect(configuration.widths == [8, 8, 16, 16, 32, 16, 8] && configuration.gateSize == 3)
        let predict = ["predict", "--model", folder.path("model"), "--input", path, "--clip", "1", "--output"]
        // All frames that follow the two that are given.
        #expect(run(predict + [folder.path("out.gif")]) == 0)
        let animation = try AnimationReader(gif: Files.read(folder.path("out.gif")))
        #expect(animation.frames.count == 5 && animation.delays == [20, 20, 20, 20, 80])
        #expect(run(predict + [folder.path("out.apng"), "--steps", "2", "--speed", "10"]) == 0)
        let other = try AnimationReader(png: Files.read(folder.path("out.apng")))
        #expect(other.frames.count == 4 && other.delays == [10, 10, 10, 40])
        #expect(run(predict + [folder.path("out.png"), "--scale", "1"]) == 0)
        #expect(try PNG(path: folder.path("out.png")).height < 60)
        #expect(run(predict + [folder.path("frames")]) == 0)
        let frames = try VideoClips(path: folder.path("frames"))
        let truth = try VideoClips(path: path)
        #expect(frames.count == 1 && frames.shape.frames == 5)
        let (shown, given) = (frames[0].frames(truth.shape.maps), truth[1].frames(truth.shape.maps))
        #expect(Array(shown.prefix(2)) == Array(given.prefix(2)))
        let predicted = VideoPredictor(model).forecast(truth[1], truth.shape, steps: 3)
        for (frame, own) in zip(shown.dropFirst(2), predicted) {
            #expect(PNG(frame, truth.shape.maps) == PNG(own, truth.shape.maps))
        }
        // The folder is kept.
        #expect(run(predict + [folder.path("frames")]) == 1)
    }

    @Test func otherActionsLeadToOtherFrames() throws {
        let path = try writePictures()
        #expect(run(train(path, "--kernels", "2")) == 0)
        let model = try VideoModel(path: folder.path("model"))
        // What the action does is seen in eight bits.
        for name in ["conv3.weight", "kernels.weight"] {
            model.parameters[name] = model.parameters[name].map { 20 * $0 }
        }
        try model.write(to: folder.path("model"))
        func predict(_ name: String, _ value: Float, rows: Int = 8) throws -> [UInt8] {
            let actions = [Float](repeating: value, count: 2 * rows)
            try Files.writeAtomically(
                NumPyArray.serialize(shape: [rows, 2], values: actions), to: folder.path("a.npy"))
            let words = [
                "predict", "--model", folder.path("model"), "--input", path, "--actions", folder.path("a.npy"),
            ]
            #expect(run(words + ["--steps", "6", "--output", folder.path(name)]) == (rows < 7 ? 1 : 0))
            return rows < 7 ? [] : try Files.read(folder.path("\(name)/0008.png"))
        }
        // Three frames beyond the clip's end, which only actions can lead to.
        let left = try predict("left", -2)
        #expect(try left != predict("right", 2) && left == predict("again", -2, rows: 7))
        _ = try predict("short", 0, rows: 6)
        let words = ["predict", "--model", folder.path("model"), "--input", path, "--steps", "5"]
        #expect(
            problem(words).contains(
                "expected actions at 6 frames, as 5 are to be predicted behind 2, found 5. Ask for at most 4 with --steps"
            ))
        #expect(run(["predict", "--model", folder.path("model"), "--input", path, "--steps", "4"]) == 0)
    }

    /// A file of BAIR's layout that a script made, its pictures 6 pixels wide.
    @Test func recordsAreLearned() throws {
        let path = "\(GoldenTests.directory)/files/clips.tfrecord"
        let words = train(path, "--model", "dna", "--frames", "3")
        #expect(
            problem(words).contains("found 6 by 6") && problem(words).contains("multiples of 8")
                && problem(words).hasSuffix("; --pad does so"))
        #expect(run(words + ["--pad"]) == 0)
        let configuration = try VideoModel(path: folder.path("model")).configuration
        #expect(
            (configuration.height, configuration.width, configuration.actions, configuration.states) == (8, 8, 4, 3))
        let input = ["--model", folder.path("model"), "--pad"]
        #expect(run(["predict", "--input", path, "--output", folder.path("out.png")] + input) == 0)
        #expect(run(["evaluate", "--task", "video", "--data", path, "--steps", "2"] + input) == 0)
        #expect(run(["evaluate", "--task", "video", "--data", path, "--steps", "3"] + input) == 1)
    }

    /// Moving MNIST's file has time first, and gray frames; those that are no multiple of 8 are named.
    @Test func anArrayWithTimeFirstIsLearned() throws {
        func write(_ shape: [Int]) throws -> String {
            let path = folder.path("mnist_test_seq.npy")
            let count = shape.reduce(1, *)
            let bytes =
                NumPyHeader.serialize(.uint8, shape: shape) + (0..<count).map { UInt8($0 / 5 % 7 == 0 ? 255 : 0) }
            try Files.writeAtomically(bytes, to: path)
            return path
        }
        let wrong = train(try write([20, 5, 12, 12]))
        #expect(run(wrong) == 2 && problem(wrong).contains("found 12 by 12"))
        #expect(!Files.exists(folder.path("model")))
        let path = try write([20, 5, 16, 16])
        #expect(run(train(path, "--model", "paint", "--held-out", "0.4", "--sampling", "0")) == 0)
        let (model, checkpoint) = (folder.path("model"), folder.path("checkpoint"))
        let first = try Files.read(model)
        #expect(
            run(train(path, "--model", "paint", "--held-out", "0.4", "--sampling", "0", "--checkpoint", checkpoint))
                == 0)
        #expect(try Files.read(model) == first)
        // A training that is over gives the same model once more; a checkpoint is not overwritten.
        try Files.writeAtomically([1], to: model)
        #expect(
            run(train(path, "--model", "paint", "--held-out", "0.4", "--sampling", "0", "--checkpoint", checkpoint))
                == 1)
        #expect(try Files.read(model) == [1])
        #expect(
            run(
                train(
                    path, "--model", "paint", "--held-out", "0.4", "--sampling", "0", "--checkpoint", checkpoint,
                    "--resume"))
                == 0)
        #expect(try Files.read(model) == first)
        #expect(run(train(path, "--model", "paint", "--checkpoint", checkpoint, "--resume")) == 1)
        #expect(run(["evaluate", "--task", "video", "--model", model, "--data", path, "--window", "gaussian"]) == 0)
        // Convolutional LSTMs over patches, both forms; of 12 by 12 pixels they need no padding.
        for form in ["one", "forecaster"] {
            let words = train(try write([20, 5, 12, 12]), "--model", "convlstm", "--form", form, "--patch", "4")
            #expect(run(words) == 0)
            let configuration = try VideoModel(path: model).configuration
            #expect(configuration.widths == [16, 16] && configuration.patches.form.rawValue == form)
            #expect(configuration.patches.patch == 4 && configuration.patches.kernel == 3)
            let input = ["--input", path, "--output", folder.path("\(form).gif")]
            #expect(run(["predict", "--model", model, "--steps", "3"] + input) == 0)
            #expect(try AnimationReader(gif: Files.read(folder.path("\(form).gif"))).frames.count == 5)
        }
        _ = try write([20, 5, 16, 16])
        #expect(run(train(path, "--model", "paint")) == 0)
        // What a file is shows without --task.
        #expect(run(["evaluate", model, "--test-examples", "3"]) == 2)
    }

    @Test func worldsAreLearned() throws {
        let made = ["--clips", "3", "--validation-clips", "1", "--steps", "1", "--width", "quarter"]
        for (data, kind, channels) in [("push", "stp", 3), ("moving-mnist", "cdna", 1), ("balls", "paint", 1)] {
            #expect(run(train(data, "--model", kind) + made) == 0, "\(data)")
            let configuration = try VideoModel(path: folder.path("model")).configuration
            #expect((configuration.channels, configuration.width, configuration.head.rawValue) == (channels, 32, kind))
            #expect((configuration.actions, configuration.states) == (data == "push" ? (2, 2) : (0, 0)))
        }
        #expect(run(train("push", "--without-actions", "--parity", "release") + made) == 0)
        let model = try VideoModel(path: folder.path("model"))
        #expect(model.configuration.actions == 0 && model.configuration.parity == .release)
        let words = ["--model", folder.path("model"), "--steps", "1"]
        #expect(run(["predict", "--input", "push-novel"] + words) == 0)
        #expect(run(["evaluate", "--task", "video", "--data", "push-novel", "--clips", "2"] + words) == 0)
        #expect(
            problem(["evaluate", "--task", "video", "--data", "balls"] + words).contains(
                "3 channels of 32 by 32, which the model reads, found 1"))
    }

    /// Stopped in the middle and gone on: the same bits, on another number of threads, too.
    @Test func aTrainingGoesOnToTheSameBits() throws {
        let clips = try VideoSource.path(try writePictures(clips: 4)).clips(
            .training, .init(clips: 1, frames: 1, side: 8))
        let (training, validation) = try clips.split(validation: 0.3, seed: 2)
        var configuration = VideoConfiguration(channels: 3, height: 8, width: 16, head: .cdna)
        (configuration.actions, configuration.kernels, configuration.gateSize) = (2, 2, 3)
        configuration.widths = [2, 2, 3, 3, 4, 3, 2]
        var options = TrainingOptions()
        (options.steps, options.evaluateEvery, options.batch, options.schedule) = (6, 2, 3, .constant)
        let video = VideoTraining(frames: 4, sampling: ScheduledSampling(decay: 3))
        func run(_ options: TrainingOptions, stop: Int = .max) throws -> [Float] {
            let model = VideoModel(configuration, seed: 7)
            let trainer = try Trainer(model, training: training, validation: validation, video, options: options)
            var left = stop
            let outcome = try trainer.run(shouldStop: {
                left -= 1
                return left < 0
            })
            #expect(outcome.interrupted == (stop < 6))
            return model.parameters.block.array
        }
        let whole = try run(options)
        options.checkpoint = CheckpointOptions(path: folder.path("checkpoint"), every: 2, resumes: true)
        _ = try run(options, stop: 3)
        options.threads = 2
        expectSame(try run(options), whole)
    }

    // MARK: - What is refused

    @Test func commandLinesThatMakeNoSense() throws {
        let path = try writePictures()
        for (words, sentence) in [
            (train("push", "--model", "gru"), "--model expects one of cdna, dna, stp, paint"),
            (train("push", "--gates", "4"), "--gates expects one of 3, 5"),
            (train("push", "--width", "third"), "--width expects one of quarter, half, full"),
            (train("push", "--frames", "2"), "--context 2 with --frames 2"),
            (train("push", "--held-out", "0.2"), "--held-out is for clips that are read, not for those of push"),
            (
                train(path, "--size", "64"),
                "--size is for clips that are made, push, push-novel, moving-mnist, balls, not"
            ),
            (train(path, "--hidden", "9"), "--hidden is for --task associative-retrieval or text or catch alone"),
            (train(path, "--model", "dna", "--kernels", "4"), "a kernel for each pixel"),
            (train(path, "--model", "paint", "--kernels", "4"), "--kernels is not for the model paint"),
            (train(path, "--patch", "2"), "--patch is not for the model cdna"),
            (train(path, "--model", "convlstm", "--parity", "release"), "--parity is not for the model convlstm"),
            (train(path, "--model", "convlstm", "--patch", "3"), "found 8 by 16 and patches of 3"),
            (train(path, "--layout", "TT"), "--layout expects the axes of an array"),
            (["train", "--task", "text", "--data", "push"], "--data is for --task video alone"),
            (["predict"], "predict needs --input CLIPS"),
            (["predict", "--input", path, "--output", "a.mp4"], "ffmpeg -i FOLDER/%04d.png a.mp4"),
            (["predict", "--input", path, "--output", path], "name the same file"),
            (["evaluate", "--clips", "3"], "--clips is for --task video alone"),
        ] {
            #expect(problem(words).contains(sentence), "\(problem(words))")
            #expect(run(words) == 2, "\(words)")
        }
        #expect(problem(train("push", "--size", "40")).contains("32 or 64 pixels wide, found 40"))
        #expect(run(train(folder.path("none"))) == 1)
        #expect(problem(train("\(path)/clip0")).contains("expected at least two clips for a split, found one"))
        #expect(problem(train(path, "--frames", "6")).contains("the clips have 5 frames, and 6 of each"))
        #expect(!Files.exists(folder.path("model")))
    }

    @Test func filesThatDoNotFitTheModel() throws {
        let path = try writePictures()
        #expect(run(train(path, "--kernels", "2")) == 0)
        let model = ["--model", folder.path("model")]
        #expect(problem(["predict", "--input", path, "--clip", "3"] + model).contains("--clip 3 is not there"))
        #expect(
            problem(["predict", "--input", "\(path)/clip0"] + model).contains(
                "expected 2 numbers of an action per frame, which the model reads, found none"))
        TemporaryFolder.remove(path)
        let wide = try writePictures(width: 24)
        #expect(
            problem(["predict", "--input", wide] + model).contains(
                "3 channels of 8 by 16, which the model reads, found 3 channels of 8 by 24"))
        TemporaryFolder.remove(wide)
        let short = try writePictures(frames: 1)
        #expect(problem(["predict", "--input", short] + model).contains("expected at least 2 frames"))
        try Files.writeAtomically(NumPyArray.serialize(shape: [4], values: [1, 2, 3, 4]), to: folder.path("a.npy"))
        #expect(
            problem(["predict", "--input", short, "--actions", folder.path("a.npy")] + model).contains(
                "expected the shape [frames, numbers]"))
        // A model of another task, and a video where a model should be.
        #expect(
            run(["train", "--hidden", "3", "--steps", "1", "--output", folder.path("other")] + CommandTests.small) == 0)
        #expect(
            problem(["predict", "--input", short, "--model", folder.path("other")]).contains(
                "expected a video model, which `fastweights train --task video` writes"))
        #expect(run(["recall", "--model", folder.path("model")]) == 1)
    }
}
