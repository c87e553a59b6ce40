/// The results of the experiment merged: for each setting tables of every measure with the copy of the last frame and the
/// painting model beside each, what is below its bound, curves over the predicted steps, pictures and every run.
struct VideoReport: JobReport {
    let results: [VideoResult]
    /// What is wrong with files that are no results.
    let problems: [String]
    /// Where the trained models stand, of which pictures are drawn.
    let folder: String

    /// The settings that have results.
    var sections: [VideoSection] {
        VideoExperiment.settings.compactMap { VideoSection($0, of: results) }
    }

    /// What a reader has to know of the results as a whole.
    private var remarks: [String] {
        let shown = sections.flatMap(\.results)
        var texts: [String] = []
        if shown.contains(where: \.isShort) {
            texts.append("Short trainings are among them: their figures are not final.")
        }
        if results.count > shown.count {
            texts.append(
                "\(results.count - shown.count) results are left out: of short trainings or other settings than those shown."
            )
        }
        texts += shown.compactMap { result in
            result.training.divergence.map { "\(result.id) ended before its time: \($0)" }
        }
        return texts + problems
    }

    // MARK: - Text

    func plain(width: Int = .max) -> String {
        func filled(_ text: String) -> String { LineBreaks.paragraphs(text, width: width) + "\n" }
        var text = ""
        for section in sections {
            text += filled("\(section.setting.title): \(section.setting.summary). \(section.spread)")
            for measure in [VideoMeasure.psnr, .movingPSNR, .ssim] {
                text += "\n" + filled("\(measure.title), by predicted step") + "\n"
                text += section.table(measure).plain(width: width)
            }
            if !section.floors.isEmpty {
                text += "\nWhat was to be reached, PSNR in dB\n\n" + section.floorTable.plain(width: width)
            }
            text += section.shortfalls.isEmpty ? "\n" : "\n" + section.shortfalls.map(filled).joined() + "\n"
        }
        text += remarks.map(filled).joined()
        return text.isEmpty ? "No results yet.\n" : text
    }

    /// Every figure, a line for each result, kind of objects and predicted step.
    func csv() -> String {
        let header = [
            "setting", "model", "seed", "short", "objects", "clips", "step",
        ]
        let measures = VideoMeasure.allCases.map(\.rawValue)
        let last = ["parameters", "steps", "best_step", "seconds", "threads", "resumed", "machine"]
        func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "" }
        var text = MetricsCSV.record(header + measures + measures.map { "copy_" + $0 } + last)
        for result in results {
            let training = result.training
            for objects in VideoSection.objects {
                let figures = result[objects]
                for step in VideoSection.allSteps {
                    let scores = [figures.predicted, figures.copied].flatMap { scores in
                        VideoMeasure.allCases.map { number(scores[$0, at: step]) }
                    }
                    text += MetricsCSV.record(
                        [
                            result.setting, result.model, "\(result.seed)", "\(result.isShort)", objects.rawValue,
                            "\(figures.clips)", "\(step)",
                        ] + scores + [
                            "\(training.parameters)", "\(training.steps)", "\(training.bestStep)",
                            number(training.seconds), "\(training.threads)", "\(training.isResumed)", result.machine,
                        ])
                }
            }
        }
        return text
    }

    // MARK: - The page

    func render() -> String {
        let body = HTMLPage.paragraphs(introduction) + sections.map(html).joined()
        return HTMLPage.render(title: "Moving pixels or painting them: video prediction on “push”", body: body)
    }

    private var introduction: [String] {
        let seconds = results.reduce(0) { $0 + $1.training.seconds }
        let machines = Set(results.map(\.machine)).sorted().joined(separator: "; ")
        return [
            "The models of Finn, Goodfellow and Levine, “Unsupervised Learning for Physical Interaction through Video Prediction” (2016), trained alike on the world “push”: from above, an arm pushes textured objects, and a model is given two frames and the arm’s actions and says what follows. CDNA, DNA and STP say how the pixels of the last frame move; the painting model has the same network and paints each frame from nothing. Novel objects have shapes, patterns and colors that no training had.",
            "Every figure is a mean over clips of the figure of each frame by itself; predicted frames are clipped to 0 to 1, and each is predicted from the one before it. PSNR has a data range of 1; moving pixels are those of which a channel differs by more than 0.03 from the last given frame; \(VideoExperiment.measure). Models learn from \(VideoExperiment.trainedFrames - VideoExperiment.context) predicted frames; those behind are beyond what they were trained for. The copy of the last given frame is what every figure must be read beside.",
            "\(results.count) trainings, \(FixedPoint.duration(seconds)) of training in all, on \(machines.isEmpty ? "no machine" : machines).",
        ] + remarks
    }

    private func html(_ section: VideoSection) -> String {
        let name = section.setting.name
        var html = "<section id=\"\(name)\">\n<h2>\(Markup.escaped(section.setting.title))</h2>\n"
        html += HTMLPage.paragraphs(["\(section.setting.summary). \(section.spread)"])
        for measure in [VideoMeasure.psnr, .movingPSNR, .ssim] {
            html += "<h3>\(Markup.escaped(measure.title))</h3>\n"
            html += HTMLPage.table(section.table(measure), label: "\(measure.title), \(section.setting.title)")
        }
        if !section.floors.isEmpty {
            html += "<h3>What was to be reached</h3>\n"
            html += HTMLPage.table(section.floorTable, label: "What was to be reached, PSNR in dB")
        }
        html += HTMLPage.paragraphs(section.shortfalls)
        html += "<h3>Step by step</h3>\n" + HTMLPage.figures(plots(section))
        html += HTMLPage.paragraphs(["A thin line is one training, the thick one their median."])
        html += pictures(section)
        html += "<details><summary>All steps; results.csv has them too</summary>\n"
        for measure in VideoMeasure.allCases {
            html += "<h3>\(Markup.escaped(measure.title))</h3>\n"
            html += HTMLPage.table(
                section.table(measure, at: VideoSection.allSteps), label: "\(measure.title), all steps")
        }
        html += "</details>\n<details><summary>Every run</summary>\n"
        html += HTMLPage.table(everyRun(section), label: "Every run of \(section.setting.title)") + "</details>\n"
        return html + "</section>\n"
    }

    /// Pictures are no result: what is in their way is said, and the rest of the page stays.
    private func pictures(_ section: VideoSection) -> String {
        let pictures = VideoPictures(section, folder: folder)
        do {
            return try pictures.html(prefix: section.setting.name) + HTMLPage.paragraphs(pictures.problems)
        } catch {
            return HTMLPage.paragraphs(pictures.problems + ["No pictures: \(error)"])
        }
    }

    // MARK: - Curves

    private func plots(_ section: VideoSection) -> [HTMLPage.Figure] {
        let shown: [(VideoMeasure, PushWorld.Objects)] = [
            (.psnr, .novel), (.psnr, .seen), (.movingPSNR, .novel), (.ssim, .novel),
        ]
        let plots = shown.map { plot(section, $0, $1) } + [learning(section)]
        return plots.enumerated().map { number, plot in
            HTMLPage.Figure(caption: "", svg: plot.svg(prefix: "\(section.setting.name)-\(number)"))
        }
    }

    /// A measure over the predicted steps: a line a model, and one of the copy.
    private func plot(_ section: VideoSection, _ measure: VideoMeasure, _ objects: PushWorld.Objects) -> LinePlot {
        func curve(_ value: (Int) -> Double) -> [LinePlot.Point] {
            VideoSection.allSteps.map { LinePlot.Point(x: Double($0), y: value($0)) }
        }
        var series = section.rows.map { row in
            LinePlot.Series(
                name: row.model.title,
                curves: row.results.map { result in curve { result[objects].predicted[measure, at: $0] } },
                style: style(row.model))
        }
        series.append(
            LinePlot.Series(
                name: VideoSection.copied, curves: [curve { section.copied(measure, objects, at: $0) }],
                style: VideoExperiment.models.count))
        let word = measure == .ssim ? "SSIM" : measure.title
        return LinePlot(
            title: "\(word), \(objects.rawValue) objects",
            description:
                "\(measure.title) against the predicted step of \(series.map(\.name).joined(separator: ", ")).",
            xLabel: "predicted step", yLabel: measure.title, series: series)
    }

    private func learning(_ section: VideoSection) -> LinePlot {
        let series = section.rows.map { row in
            LinePlot.Series(
                name: row.model.title,
                curves: row.results.map { result in
                    result.training.curve.map { LinePlot.Point(x: Double($0.step), y: $0.validationLoss) }
                }, style: style(row.model))
        }
        return LinePlot(
            title: "Learning curves",
            description: "The loss on clips held out against steps of \(series.map(\.name).joined(separator: ", ")).",
            xLabel: "training steps", yLabel: "Loss on clips held out, own frames", yAxis: .logarithmic, series: series)
    }

    /// A model looks the same in every picture.
    private func style(_ model: VideoExperiment.Model) -> Int { VideoExperiment.models.firstIndex(of: model) ?? 0 }

    private func everyRun(_ section: VideoSection) -> TextTable {
        let header = [
            "Model", "Seed", "+1", "+4", "+8", "Steps", "Kept", "Parameters", "Seconds", "Threads", "Settings",
        ]
        var table = TextTable(
            header, alignments: header.indices.map { $0 == 0 || $0 == header.count - 1 ? .left : .right })
        for row in section.rows {
            for result in row.results {
                let training = result.training
                let seconds = FixedPoint.text(training.seconds, decimals: 1)
                table.add(
                    [row.model.title, "\(result.seed)"]
                        + [1, 4, 8].map { VideoMeasure.psnr.text(result.novel.predicted[.psnr, at: $0]) } + [
                            FixedPoint.grouped(training.steps), FixedPoint.grouped(training.bestStep),
                            FixedPoint.grouped(training.parameters),
                            training.isResumed ? "\(seconds) since it went on" : seconds, "\(training.threads)",
                            result.settings.map { "\($0.name) \($0.value)" }.joined(separator: "; "),
                        ])
            }
        }
        return table
    }
}
