import Foundation
import Testing

@testable @_spi(Laboratory) import FastWeights

/// The report of `fastweights video`, of results that are made up.
@Suite struct VideoReportTests {
    /// A result whose PSNR on novel objects is `psnr` at step 1 and falls by `fall` decibels per step; 0.5 dB less on seen ones.
    /// The copy of the last frame begins at 24 dB and falls by 0.2.
    static func result(_ job: VideoJob, psnr: Double = 32, fall: Double = 1) -> VideoResult {
        func scores(_ first: Double, _ fall: Double) -> VideoResult.Scores {
            func steps(_ value: (Double) -> Double) -> [Double] {
                (0..<VideoExperiment.predictedSteps).map { value(Double($0)) }
            }
            return VideoResult.Scores([
                .psnr: steps { first - fall * $0 }, .movingPSNR: steps { first - 10 - fall * $0 },
                .ssim: steps { (first - fall * $0) / 40 }, .squaredError: steps { 100 - first + fall * $0 },
            ])
        }
        func figures(_ first: Double) -> VideoResult.Figures {
            VideoResult.Figures(clips: 64, predicted: scores(first, fall), copied: scores(24, 0.2))
        }
        let curve = [1, 2].map {
            Trainer.Point(step: $0, trainingLoss: 0.5, validationLoss: 0.25 / Double($0), validationError: 0.25)
        }
        let training = VideoResult.Training(
            parameters: 283_000, steps: 2, bestStep: 2, curve: curve, seconds: 90, isResumed: false, threads: 1)
        return VideoResult(job, training, seen: figures(psnr - 0.5), novel: figures(psnr))
    }

    private func jobs(isQuick: Bool = false) -> [VideoJob] {
        VideoExperiment.jobs(VideoExperiment.Scale(isQuick: isQuick), folder: "nowhere")
    }

    /// CDNA is at 31, 32 and 33 dB, the others at so much less.
    private func results() -> [VideoResult] {
        let lag = ["cdna": 0, "cdna-without-actions": 3, "dna": 0.5, "stp": 1, "paint": 8.0]
        return jobs().map { job in
            Self.result(
                job, psnr: 30 + Double(job.seed) - lag[job.model.name]!, fall: job.model.name == "paint" ? 0.1 : 0.5)
        }
    }

    private func report(_ results: [VideoResult], _ problems: [String] = [], folder: String = "nowhere") -> VideoReport
    {
        VideoReport(results: results, problems: problems, folder: folder)
    }

    /// What a page holds but its pictures of pixels.
    private func withoutFilms(_ html: String) -> String {
        html.replacing(/src="data:image\/(png|gif);base64,[A-Za-z0-9+\/]*={0,2}"/, with: "")
    }

    // MARK: Results

    @Test func aResultComesBackFromItsFile() throws {
        let job = jobs()[0]
        var result = Self.result(job)
        let again = try VideoResult(json: JSON(parsing: Array(result.json.serialized().utf8)))
        #expect(again.json == result.json && job.owns(again) && again.id == job.id)
        #expect(again.novel.predicted[.psnr, at: 3] == 30 && again.seen.copied[.ssim, at: 1] == 0.6)
        // What no clip has a number of, as where nothing moves.
        let scores = VideoResult.Scores([.movingPSNR: [.nan] + [Double](repeating: 1, count: 17)])
        result = VideoResult(
            job, result.training, seen: result.seen,
            novel: VideoResult.Figures(clips: 2, predicted: scores, copied: scores))
        let error = #expect(throws: ConfigurationError.self) { try VideoResult(json: result.json) }
        #expect("\(error!)".contains("psnr of novel, predicted as 18 numbers"))
        for key in ["setting", "model", "seed", "short", "parameters", "ssim", "seen", "novel", "seconds", "machine"] {
            let members = (Self.result(job).json.members ?? []).filter { $0.key != key }
            let error = #expect(throws: ConfigurationError.self) { try VideoResult(json: .object(members)) }
            #expect("\(error!)".contains(key))
        }
    }

    /// Figures of another window or range of the data are other figures.
    @Test func anotherSimilarityIsRefused() throws {
        let members = (Self.result(jobs()[0]).json.members ?? []).map {
            $0.key == "ssim" ? JSON.Member(key: "ssim", value: .string(SSIM.gaussian.description)) : $0
        }
        let error = #expect(throws: ConfigurationError.self) { try VideoResult(json: .object(members)) }
        #expect("\(error!)".contains("found SSIM, Gaussian of 11 by 11"))
    }

    @Test func meansHaveTheirDeviation() {
        let mean = SeedMean([31, 32, 33])
        #expect(mean.mean == 32 && mean.deviation == 1 && mean.text(.psnr) == "32.00 ± 1.00")
        #expect(SeedMean([0.5]).text(.ssim) == "0.500" && SeedMean([.nan]).text(.psnr) == "n/a")
        #expect(VideoSection.text(steps: [3]) == "step 3" && VideoSection.text(steps: [1, 2]) == "steps 1 to 2")
        #expect(VideoSection.text(steps: [1, 3, 4, 5, 9]) == "steps 1, 3 to 5 and 9")
    }

    // MARK: Tables

    @Test func tablesHaveTheCopyAndPaintingBesideEachModel() throws {
        let section = try #require(report(results()).sections.first)
        let table = section.table(.psnr)
        #expect(table.header == ["Model", "Objects", "+1", "+2", "+4", "+8", "+12", "+18"] && table.rows.count == 12)
        #expect(
            table.rows[0] == [
                "CDNA", "novel", "32.00 ± 1.00", "31.50 ± 1.00", "30.50 ± 1.00", "28.50 ± 1.00", "26.50 ± 1.00",
                "23.50 ± 1.00",
            ])
        #expect(table.rows[4].prefix(3) == ["Painted", "novel", "24.00 ± 1.00"])
        #expect(table.rows[5].prefix(4) == ["Copy of the last frame", "novel", "24.00", "23.80"])
        #expect(table.rows[6].prefix(3) == ["CDNA", "seen", "31.50 ± 1.00"])
        #expect(section.table(.ssim, at: VideoSection.allSteps).header.count == 20)
        let plain = report(results()).plain(width: 100)
        #expect(plain.contains("SSIM, box of 7 by 7, sample covariance, L 1.0"))
        #expect(plain.contains("PSNR in dB, moving pixels, by predicted step"))
        #expect(plain.contains("The full setting: half the paper's widths, gates of 5 by 5, 6,000 steps"))
        #expect(plain.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func whatIsMissedIsSaid() throws {
        let good = try #require(report(results()).sections.first)
        #expect(good.floors.count == 9 && good.floors.allSatisfy(\.isMet))
        #expect(
            good.notAboveCopy.allSatisfy { $0.hasPrefix("Painted") || $0.contains("step 18") || $0.contains("to 18") })
        #expect(
            good.notAboveCopy.contains {
                $0.hasPrefix("Painted is not above a copy of the last frame in PSNR on novel objects at step 1.")
            })
        let poor = jobs().map { Self.result($0, psnr: $0.model.name == "paint" ? 29 : 30, fall: 1.5) }
        let section = try #require(report(poor).sections.first)
        let missed = section.floors.filter { !$0.isMet }.map(\.sentence)
        #expect(
            missed.contains("Missed: CDNA at step 1, novel objects is 30.00 dB, and it should be at least 31.00 dB."))
        #expect(missed.contains { $0.hasPrefix("Missed: CDNA less Painted at step 1, novel objects is 1.00 dB") })
        #expect(
            missed.contains {
                $0.hasPrefix("Missed: CDNA less CDNA without actions at step 8, novel objects is 0.00 dB")
            })
        #expect(missed.contains { $0.contains("the least of steps 1 to 8, step 8 is -3.10 dB") })
        for text in [report(poor).plain(width: 400), report(poor).render()] {
            #expect(missed.allSatisfy { text.contains(Markup.escaped($0)) || text.contains($0) })
            #expect(
                text.contains("CDNA is not above a copy of the last frame in PSNR on novel objects at steps 6 to 18."))
        }
        let apart = VideoFloor(name: "apart", value: 1.5, bound: 1, isCeiling: true)
        #expect(!apart.isMet && apart.sentence == "Missed: apart is 1.50 dB, and it should be at most 1.00 dB.")
    }

    /// Whole trainings stand before short ones, and no mean is of both.
    @Test func shortTrainingsAreNotMixedWithWholeOnes() throws {
        let short = jobs(isQuick: true).map { Self.result($0, psnr: 20) }
        let alone = report(short)
        #expect(
            alone.plain(width: 300).contains("1,000 steps") && alone.render().contains("Short trainings are among them")
        )
        #expect(alone.plain(width: 300).contains("cut short; the bounds are for 3,000 steps"))
        let both = report(short + results())
        #expect(both.plain(width: 300).contains("5 results are left out"))
        #expect(both.sections[0].table(.psnr).rows == report(results()).sections[0].table(.psnr).rows)
        #expect(report([]).plain() == "No results yet.\n")
    }

    @Test func everyFigureIsInTheCSV() {
        let lines = report(results()).csv().split(separator: "\r\n")
        #expect(lines.count == 1 + 17 * 2 * 18)
        #expect(
            lines[0].hasPrefix(
                "setting,model,seed,short,objects,clips,step,psnr,moving_psnr,ssim,squared_error,copy_psnr"))
        #expect(lines[1].hasPrefix("quick,cdna,1,false,novel,64,1,31.0,21.0,0.775,69.0,24.0,"))
        // The machine's name, which comes last, has commas of its own.
        func fields(_ line: Substring) -> Int { line.prefix { $0 != "\"" }.filter { $0 == "," }.count }
        #expect(Set(lines.map(fields)) == [21])
    }

    // MARK: The page

    @Test func thePageIsWhole() {
        let html = report(results(), ["<b>broken</b>"]).render()
        expectSelfContained(html)
        #expect(html.contains("&lt;b&gt;broken") && html.contains("17 trainings"))
        for word in ["<section id=\"quick\">", "<section id=\"full\">", "Learning curves", "What was to be reached"] {
            #expect(html.contains(word))
        }
        // There are no models to draw pictures of.
        #expect(html.contains("No pictures of CDNA: ") && !html.contains("<img"))
        let ids = html.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(Set(ids).count == ids.count)
    }

    @Test func picturesAreDrawnOfTheTrainedModels() throws {
        let folder = TemporaryFolder()
        let jobs = VideoExperiment.jobs(VideoExperiment.Scale(isQuick: true), folder: folder.path("run"))
        for job in jobs {
            try Files.createDirectory(String(job.modelFile[..<job.modelFile.lastIndex(of: "/")!]))
            try VideoModel(job.configuration, seed: 1).write(to: job.modelFile)
        }
        let html = report(jobs.map { Self.result($0) }, folder: folder.path("run")).render()
        expectSelfContained(withoutFilms(html))
        for word in ["The same clips", "What if the arm went left?", "Kernels of CDNA", "The masks of STP, in colors."]
        {
            #expect(html.contains(word))
        }
        // Strip and animation of two clips and of the futures; masks of all but the one that paints.
        #expect(html.components(separatedBy: "data:image/gif;base64,R0lGODlh").count == 4)
        #expect(html.components(separatedBy: "data:image/png;base64,iVBORw0KGgo").count == 1 + 3 + 8)
        #expect(html.contains("rows truth, cdna, no action, dna, stp, paint, a column a frame."))
        #expect(html.contains("rows as it went, left, right, up, down, a column a frame."))
        let ids = html.components(separatedBy: " id=\"").dropFirst().map { $0.prefix { $0 != "\"" } }
        #expect(Set(ids).count == ids.count)
        // One that is damaged is named, and the others are drawn.
        try Files.writeAtomically([1, 2, 3], to: jobs[0].modelFile)
        let rest = report(jobs.map { Self.result($0) }, folder: folder.path("run")).render()
        #expect(rest.contains("No pictures of CDNA: ") && rest.contains("The masks of STP, in colors."))
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func bytesBecomeLetters(_ text: String, _ letters: String) {
        #expect(HTMLPage.base64(Array(text.utf8)) == letters)
        #expect(HTMLPage.base64([0xFB, 0xFF, 0xBF]) == "+/+/")
    }

    // MARK: What a frame is made of

    /// With a painted frame of nothing but white, masks and kernels say all of the next frame.
    @Test func masksAndKernelsGiveTheFrame() throws {
        var c = VideoConfiguration(channels: 2, height: 8, width: 16, head: .cdna)
        (c.widths, c.kernels, c.gateSize) = ([2, 2, 3, 3, 4, 3, 2], 4, 3)
        let model = VideoModel(c, seed: 5)
        model.parameters["paint.weight"] = model.parameters["paint.weight"].map { _ in 0 }
        model.parameters["paint.bias"] = [40, 40]
        var random = Random(seed: 1, stream: 1)
        let frame = (0..<2 * 8 * 16).map { _ in Float(random.below(1000)) / 1000 }
        let predictor = VideoPredictor(model)
        let next = predictor.step(frame)
        let (masks, kernels) = (predictor.sources.masks, predictor.sources.kernels)
        #expect(masks.count == 6 * 128 && kernels.count == 4 * 25)
        for m in 0..<4 { #expect(abs(kernels[m * 25..<(m + 1) * 25].reduce(0, +) - 1) < 1e-5) }
        for channel in 0..<2 {
            for y in 0..<8 {
                for x in 0..<16 {
                    func mask(_ k: Int) -> Float { masks[(k * 8 + y) * 16 + x] }
                    var sum = mask(0) * frame[(channel * 8 + y) * 16 + x] + mask(1)
                    for m in 0..<4 {
                        for (tap, weight) in kernels[m * 25..<(m + 1) * 25].enumerated() {
                            let (v, u) = (y + tap / 5 - 2, x + tap % 5 - 2)
                            guard (0..<8).contains(v), (0..<16).contains(u) else { continue }
                            sum += mask(m + 2) * weight * frame[(channel * 8 + v) * 16 + u]
                        }
                    }
                    #expect(abs(sum - next[(channel * 8 + y) * 16 + x]) < 1e-5)
                }
            }
        }
        #expect(VideoPredictor(try painter()).fork().steps == 0)
    }

    private func painter() throws -> VideoModel {
        var c = VideoConfiguration(channels: 1, height: 8, width: 8, head: .paint)
        c.widths = [1, 1, 1, 1, 1, 1, 1]
        return VideoModel(c, seed: 1)
    }

    @Test func aPaintingModelHasNoSources() throws {
        let predictor = VideoPredictor(try painter())
        predictor.step([Float](repeating: 0.5, count: 64))
        #expect(predictor.sources == FrameSources())
    }
}
