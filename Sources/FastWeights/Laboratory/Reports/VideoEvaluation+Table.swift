extension VideoEvaluation {
    /// A row a step: each figure of the model, and beside it that of the last frame given.
    var table: TextTable {
        let header = ["PSNR", "moving", "SSIM", "squared error"].flatMap { [$0, "copy"] }
        var table = TextTable(
            ["step"] + header, alignments: .init(repeating: .right, count: header.count + 1))
        for (step, (score, copy)) in zip(predicted, copied).enumerated() {
            func pair(_ figure: KeyPath<VideoScore, MeanOfFinite>, decimals: Int) -> [String] {
                [score, copy].map { score in
                    score[keyPath: figure].mean.map { FixedPoint.text($0, decimals: decimals) } ?? "–"
                }
            }
            table.add(
                ["\(step + 1)"] + pair(\.psnr, decimals: 2) + pair(\.movingPSNR, decimals: 2)
                    + pair(\.ssim, decimals: 3) + pair(\.squaredError, decimals: 2))
        }
        return table
    }

    /// What the columns are, and what is to be said of them.
    var notes: [String] {
        let unpredicted = predicted.reduce(0) { $0 + $1.psnr.others } + copied.reduce(0) { $0 + $1.psnr.others }
        var notes = [
            "PSNR in dB, data range 1, the mean over \(clips) clips of that of each frame; moving: of the pixels that "
                + "differ by more than 0.03 from the last frame given",
            "\(measure)", "Squared error: the sum over a frame, before it is clipped; copy: the last frame given",
        ]
        if unpredicted > 0 {
            notes.append("\(unpredicted) frames without any error, whose PSNR is infinite, are in no mean")
        }
        return notes
    }

    /// The squared error beside that of black frames, of gray clips, which may be light things on black; nil of color.
    func blackNote(_ maps: MapShape) -> String? {
        guard maps.channels == 1 else { return nil }
        func text(_ means: [MeanOfFinite]) -> String {
            let sum = means.reduce(0) { $0 + ($1.mean ?? .nan) }
            return FixedPoint.text(sum / Double(steps), decimals: 2)
        }
        let figures =
            "Squared error of a frame, the mean over \(steps) steps: \(text(predicted.map(\.squaredError))); "
            + "of black frames \(text(black)), of the last frame given \(text(copied.map(\.squaredError)))"
        return isNotBelowBlack
            ? figures + ". It is not below black: the model has learned nothing yet that black frames would not have"
            : figures
    }

    /// A figure at the first step, and at the fourth, eighth and eighteenth where they are there: "31.00 / 25.00 / 22.80".
    func figures(_ scores: [VideoScore], _ figure: KeyPath<VideoScore, MeanOfFinite>, decimals: Int = 2) -> String {
        shownSteps.map { step in
            scores[step - 1][keyPath: figure].mean.map { FixedPoint.text($0, decimals: decimals) } ?? "–"
        }.joined(separator: " / ")
    }

    /// The steps of `figures`.
    var shownSteps: [Int] { [1, 4, 8, 18].filter { $0 <= steps } }
}
