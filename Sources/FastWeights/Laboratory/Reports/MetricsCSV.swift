/// Learning curves and results of finished runs as one CSV table (RFC 4180), one measurement a row.
///
/// Rows of split `train` and `validation` are the points of the learning curve; the one row of split `test` is the kept
/// model's, at the step it was kept. A measurement that does not exist is an empty field (training has no error). Losses
/// and errors are written with the fewest digits that read back to the same `Double`. A training without a result has a row
/// of split `test` that says so, without a figure.
enum MetricsCSV {
    static let header = [
        "model", "hidden", "pairs", "seed", "learning_rate", "step", "split", "loss", "error", "stopped_early",
    ]

    /// The table with its header; every line, the last too, ends with CR LF as the RFC asks.
    static func text(_ runs: [TrainingRun], unfinished: [UnfinishedTraining] = []) -> String {
        var lines = [record(header)]
        for run in runs {
            let key = [
                run.model, String(run.hidden), String(run.pairs), String(run.seed), number(run.learningRate),
            ]
            func add(_ step: Int, _ split: String, loss: Double, error: Double?) {
                let reason = split == "test" ? run.stoppedEarly ?? "" : ""
                lines.append(record(key + [String(step), split, number(loss), error.map(number) ?? "", reason]))
            }
            for point in run.curve {
                add(point.step, "train", loss: point.trainingLoss, error: nil)
                add(point.step, "validation", loss: point.validationLoss, error: point.validationError)
            }
            add(run.bestStep, "test", loss: run.testLoss, error: run.testError)
        }
        for training in unfinished {
            lines.append(
                record([
                    training.model, String(training.hidden), String(training.pairs), String(training.seed),
                    number(training.learningRate), "", "test", "", "", "not finished",
                ]))
        }
        return lines.joined()
    }

    /// One record: fields with a comma, a quote or a line break stand in quotes, quotes inside are doubled.
    static func record(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: ",") + "\r\n"
    }

    private static func quoted(_ field: String) -> String {
        // Compared as bytes: to Swift, CR LF is one Character, neither of the two.
        let special: [UInt8] = [0x22, 0x2C, 0x0A, 0x0D]
        guard field.utf8.contains(where: special.contains) else { return field }
        var result = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// Shortest text that reads back to the same value, "nan" and "inf" as most readers of CSV take them.
    private static func number(_ value: Double) -> String {
        value.isNaN ? "nan" : "\(value)"
    }
}
