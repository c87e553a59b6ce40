/// Checks the module against the golden cases of a `Fixtures` folder.
enum Verifier {
    /// The largest error that passes, relative to the largest number of a tensor's part: the worst seen is 7e-6, the
    /// gradient of a gate of one unit, a sum of terms that cancel.
    static let tolerance = 1e-5

    /// The names of the cases in `directory`, sorted.
    static func cases(in directory: String) throws -> [String] {
        let names = try Files.list(directory, suffix: ".safetensors").map { String($0.dropLast(".safetensors".count)) }
        guard !names.isEmpty else {
            throw FixtureError(directory, "there is no golden case (.safetensors) in this folder")
        }
        return names
    }

    /// Runs the cases called `names`, `threads` at a time, and gives their results in the order of the names. One that cannot
    /// be run has its problem as the result.
    static func run(_ names: [String], in directory: String, threads: Int) -> [GoldenResult] {
        let results = Slots<GoldenResult>(count: names.count)
        ParallelLoop.run(names.count, threads: threads) { i in
            do { results.set(i, try run(names[i], in: directory)) } catch {
                results.set(i, GoldenResult(names[i], ErrorTally(), tolerance: tolerance, problem: "\(error)"))
            }
        }
        return results.filled
    }

    /// Runs one case.
    static func run(_ name: String, in directory: String) throws -> GoldenResult {
        let fixture = try Fixture(path: "\(directory)/\(name).safetensors", name: name)
        let tolerance = try fixture.tolerance()
        var tally = ErrorTally()
        switch fixture.kind {
        case "layers": try fixture.checkLayers(&tally)
        case "cell": try fixture.checkCell(&tally)
        case "stack": try fixture.checkStack(&tally)
        case "model": try fixture.checkModel(&tally)
        case "convolution": try fixture.checkConvolution(&tally)
        case "training": try fixture.checkTraining(&tally)
        case "episodes": try fixture.checkEpisodes(&tally)
        case "keras": try fixture.checkKeras(&tally)
        case "keras_model": try fixture.checkKerasModel(&tally)
        case "onnx": try fixture.checkONNX(&tally)
        case "network": try fixture.checkNetwork(&tally)
        case "layer_norm": try fixture.checkLayerNorm(&tally)
        case "bound": try fixture.checkBound(&tally)
        case "softmax": try fixture.checkSoftmax(&tally)
        case "clip": try fixture.checkClip(&tally)
        case "optimizer": try fixture.checkOptimizer(&tally)
        case "schedule": try fixture.checkSchedule(&tally)
        case "loss": try fixture.checkLoss(&tally)
        case "video_metrics": try fixture.checkVideoMetrics(&tally)
        case "video_model", "video_convlstm": try fixture.checkVideoModel(&tally)
        case "video_head": try fixture.checkVideoHead(&tally)
        case "video_operator": try fixture.checkVideoOperator(&tally)
        case "": throw FixtureError(name, "the metadata has no kind; that of a network of layers is layers")
        case let kind: throw FixtureError(name, "unknown kind \"\(kind)\"; that of a network of layers is layers")
        }
        return GoldenResult(name, tally, tolerance: tolerance)
    }
}
