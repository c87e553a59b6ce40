import Foundation
import Testing

@testable import FastWeights

@Suite struct FixedPointReportTests {
    @Test(
        arguments: [
            (0.0, 2, "0.00"), (-0.0, 2, "0.00"), (-0.001, 2, "0.00"), (-0.006, 2, "-0.01"), (1.005, 2, "1.00"),
            (0.125, 2, "0.12"), (0.375, 2, "0.38"), (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"), (0.999, 2, "1.00"),
            (9.9999, 3, "10.000"), (123456.789, 1, "123456.8"), (.leastNonzeroMagnitude, 3, "0.000"),
            (0.1, 18, "0.100000000000000006"),
            (.nan, 2, "n/a"), (.infinity, 2, "inf"), (-.infinity, 2, "-inf"), (1e22, 1, "10000000000000000000000.0"),
        ] as [(Double, Int, String)])
    func knownValues(value: Double, decimals: Int, expected: String) {
        #expect(FixedPoint.text(value, decimals: decimals) == expected)
    }

    /// Against C's printf, which rounds the exact binary value, over all magnitudes.
    @Test func agreesWithPrintf() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20000 {
            let exponent = Double.random(in: -12...25, using: &generator)
            let value = pow(10, exponent) * Double.random(in: -1...1, using: &generator)
            let decimals = Int.random(in: 0...9, using: &generator)
            var expected = String(format: "%.\(decimals)f", value)
            if expected.hasPrefix("-"), expected.allSatisfy({ "-0.".contains($0) }) { expected.removeFirst() }
            #expect(FixedPoint.text(value, decimals: decimals) == expected, "\(value) with \(decimals) decimals")
        }
        #expect(
            FixedPoint.text(.greatestFiniteMagnitude, decimals: 2)
                == String(format: "%.2f", Double.greatestFiniteMagnitude))
    }

    @Test func otherForms() {
        #expect(FixedPoint.percent(0.0181) == "1.81 %")
        #expect(FixedPoint.percent(0) == "0.00 %")
        #expect(FixedPoint.percent(.nan) == "n/a")
        #expect([0, 999, 1000, -1_234_567].map(FixedPoint.grouped) == ["0", "999", "1,000", "-1,234,567"])
        #expect(
            [7, 724, 11524, 59.6, -1, 3599.7].map(FixedPoint.duration)
                == ["7 s", "12 min 4 s", "3 h 12 min", "1 min 0 s", "0 s", "1 h 0 min"])
        #expect(FixedPoint.duration(.infinity) == "?")
    }
}

@Suite struct TextTableReportTests {
    @Test func alignsColumns() {
        var table = TextTable(["Model", "R"])
        table.add(["naïve e\u{301}", "5"])
        table.add(["LSTM", "100"])
        #expect(
            table.plain() == """
                Model      R
                -------  ---
                naïve e\u{301}    5
                LSTM     100

                """)
        #expect(
            table.markdown() == """
                | Model | R |
                | --- | ---: |
                | naïve e\u{301} | 5 |
                | LSTM | 100 |

                """)
    }

    @Test func hostileTextStaysInItsCell() {
        var table = TextTable(["a"])
        table.add(["x|y\r\nz\u{1B}[2J"])
        #expect(table.markdown().split(separator: "\n").last == "| x\\|y z [2J |")
        #expect(table.plain().split(separator: "\n").count == 3)
        #expect(!table.plain().contains("\u{1B}"))
    }

    @Test func truncation() {
        #expect(TextTable.truncated("abcdef", to: 6) == "abcdef")
        #expect(TextTable.truncated("abcdef", to: 4) == "abc…")
        #expect(TextTable.truncated("重み重み", to: 4) == "重…")
        #expect(TextTable.truncated("abc", to: 0) == "")
        // Whole words, but for a first one that is longer.
        #expect(TextTable.truncated("fast weights", to: 10) == "fast…")
        #expect(TextTable.truncated("fast weights", to: 5) == "fast…")
        #expect(TextTable.truncated("fast weights learn", to: 14) == "fast weights…")
        #expect(TextTable.truncated("weights", to: 5) == "weig…")
        #expect(TextTable.truncated("  weights", to: 5) == "  we…")
    }

    /// Four columns of 20, 7, 9 and 13: a table that is broken between words, and one whose words need more.
    @Test func narrowTablesKeepWordsWhole() {
        var table = TextTable(
            ["Model", "Below 1 %", "Test error", "Notes"], alignments: [.left, .right, .right, .left])
        table.add(["Fast weights, lagged", "12,000", "0.73 %", "one of many"])
        table.add(["LSTM", "–", "2.97 %", ""])
        #expect(table.plain(width: 56) == table.plain() && table.plain().contains("Fast weights, lagged     12,000"))
        #expect(
            table.plain(width: 36) == """
                Model     Below 1     Test  Notes
                                %    error
                --------  -------  -------  --------
                Fast       12,000   0.73 %  one of
                weights,                    many
                isLagged
                LSTM            –   2.97 %

                """, "\(table.plain(width: 36))")
        #expect(
            table.plain(width: 30) == """
                Model: Fast weights,
                  isLagged
                  Below 1 %: 12,000
                  Test error: 0.73 %
                  Notes: one of many

                Model: LSTM
                  Below 1 %: –
                  Test error: 2.97 %

                """, "\(table.plain(width: 30))")
    }

    @Test func narrowParagraphsKeepTheirLists() {
        let text = """
            Each row is the median of several repeats
            with the least.

              product/NN     matrix product, GFLOP/s; A or
                             B is stored so
              stream/lstm    ns
            The end.
            """
        #expect(LineBreaks.paragraphs(text, width: 50) == text)
        #expect(
            LineBreaks.paragraphs(text, width: 24) == """
                Each row is the median
                of several repeats with
                the least.

                  product/NN matrix
                    product, GFLOP/s; A
                    or B is stored so
                  stream/lstm    ns
                The end.
                """, "\(LineBreaks.paragraphs(text, width: 24))")
        #expect(LineBreaks.lines("a  b", width: 4) == ["a  b"] && LineBreaks.lines("", width: 4) == [""])
    }
}

@Suite struct ComparisonTableReportTests {
    @Test func oneSeedAndReading() {
        let table = ComparisonTable(
            runs: [
                .sample("LSTM", 50, error: 0.0185, paper: 0.0185), .sample("LSTM", 20, error: 0.6, paper: 0.6081),
                .sample("Fast weights", 50, error: 0, paper: 0), .sample("GRU", 20, error: 0.9),
            ], plateauError: 0.6165, pairs: 4)
        #expect(table.cells.map(\.verdict) == [.plateau, .partial, .solved, .abovePlateau])
        #expect(table.cells.map(\.hidden) == [20, 50, 50, 20])
        let plain = table.plain()
        #expect(plain.contains("60.00 %  60.81 %  61.65 %"))
        #expect(plain.contains(" 0.00 %   0.00 %  61.65 %"))
        #expect(!plain.contains("Seeds") && !plain.contains("Notes"))
        #expect(table.reading.contains("At the plateau (61.65 %, no binding learned): LSTM R=20."))
        #expect(table.reading.contains("Below 1 %: Fast weights R=50."))
    }

    @Test func severalSeedsAndFailures() {
        let runs: [TrainingRun] = [
            .sample("LSTM", 50, seed: 1, error: 0.02, below: 100), .sample("LSTM", 50, seed: 2, error: 0.04),
            .sample("LSTM", 50, seed: 3, error: .nan, stopped: "the loss is not a number\nat step 7"),
        ]
        let table = ComparisonTable(runs: runs, plateauError: 0.6165, pairs: 4)
        #expect(table.cells.count == 1)
        #expect(table.cells[0].testError?.median == 0.04)
        #expect(table.table().rows[0].contains("2.00–n/a"))
        #expect(table.table().rows[0].contains("100 (1 of 3)"))
        #expect(table.table().rows[0].last == "[1]")
        #expect(
            table.footnotes == ["[1] LSTM R=50, seed 3, ended after 1,000 steps: the loss is not a number at step 7"])
        #expect(table.plain().contains(table.footnotes[0]))
        #expect(table.markdown().contains(table.footnotes[0]))
    }

    @Test func anotherLengthIsNotMeasuredAgainstThePlateau() {
        var run = TrainingRun.sample("LSTM", 50, error: 0.6165)
        run.pairs = 8
        let table = ComparisonTable(runs: [run], plateauError: 0.6165, pairs: 4)
        #expect(table.cells[0].verdict == .unknown)
        #expect(table.table().header[1] == "K")
        #expect(table.reading.contains("Not comparable: LSTM R=50 K=8."))
    }

    /// No figure that is none, and nothing said of what is not known.
    @Test func whatIsNotFinishedHasNoFigure() {
        let table = ComparisonTable(
            runs: [.sample("LSTM", 50, seed: 1, error: 0.02)],
            unfinished: [.sample("LSTM", 50, seed: 2), .sample("IRNN", 20)],
            plateauError: 0.6165, pairs: 4)
        #expect(table.cells.map(\.verdict) == [.partial, .unfinished])
        #expect(
            table.table().rows == [
                ["LSTM", "50", "2.00 %", "–", "61.65 %", "12,345", "–", "61.2", "[1]"],
                ["IRNN", "20", "not finished", "–", "61.65 %", "–", "–", "–", ""],
            ])
        #expect(table.footnotes == ["[1] LSTM R=50, seed 2: not finished"])
        #expect(
            table.reading == "No row is at the plateau (61.65 %). Partly learned: LSTM R=50. Not finished: IRNN R=20.")
        let none = ComparisonTable(runs: [], unfinished: [.sample("GRU", 9)], plateauError: 0.6165, pairs: 4)
        #expect(none.reading == "Not finished: GRU R=9.")
    }

    @Test func noRuns() {
        let table = ComparisonTable(runs: [], plateauError: 0.6165, pairs: 4)
        #expect(table.reading == "No runs.")
        #expect(table.plain().hasPrefix("Model"))
    }

    @Test func spreads() {
        let even = ComparisonTable.Spread([4, 1, 3, 2])
        #expect((even.median, even.minimum, even.maximum) == (2.5, 1, 4))
        let bad = ComparisonTable.Spread([.nan, 1, .nan])
        #expect(bad.median.isNaN && bad.minimum == 1 && bad.maximum.isNaN)
    }
}

@Suite struct MetricsCSVReportTests {
    @Test func rowsAndQuoting() {
        var run = TrainingRun.sample("A \"fast\", one", 20, error: 0.25, stopped: "line\r\nbreak")
        run.curve = [.init(step: 250, trainingLoss: 1.5, validationLoss: .nan, validationError: 0.5)]
        let key = "\"A \"\"fast\"\", one\",20,4,1,0.001"
        #expect(
            MetricsCSV.text([run]) == "model,hidden,pairs,seed,learning_rate,step,split,loss,error,stopped_early\r\n"
                + "\(key),250,train,1.5,,\r\n\(key),250,validation,nan,0.5,\r\n"
                + "\(key),900,test,0.5,0.25,\"line\r\nbreak\"\r\n")
        #expect(MetricsCSV.text([]).utf8.count { $0 == 10 } == 1)
    }

    @Test func whatIsNotFinishedHasARowWithoutFigures() {
        let lines = MetricsCSV.text([], unfinished: [.sample("LSTM", 50, seed: 7)]).split(separator: "\r\n")
        #expect(lines.dropFirst() == ["LSTM,50,4,7,0.001,,test,,,not finished"])
    }
}

extension TrainingRun {
    /// A made-up run with a curve from the plateau to its error.
    static func sample(
        _ model: String, _ hidden: Int, seed: UInt64 = 1, error: Double, below: Int? = nil, stopped: String? = nil,
        paper: Double? = nil
    ) -> TrainingRun {
        let curve = (1...10).map { step in
            let share = Double(step) / 10
            let value = 0.6165 + (error - 0.6165) * share
            return Trainer.Point(
                step: step * 100, trainingLoss: value * 2, validationLoss: value * 2, validationError: value)
        }
        return TrainingRun(
            model: model, hidden: hidden, pairs: 4, seed: seed, learningRate: 0.001, parameters: 12345, steps: 1000,
            bestStep: 900, validationError: error, testError: error, testLoss: error * 2, stepsBelowOnePercent: below,
            seconds: 61.25, curve: curve, stoppedEarly: stopped, paperError: paper)
    }
}

extension UnfinishedTraining {
    static func sample(_ model: String, _ hidden: Int, seed: UInt64 = 1) -> UnfinishedTraining {
        UnfinishedTraining(model: model, hidden: hidden, pairs: 4, seed: seed, learningRate: 0.001)
    }
}
